"""Stage 4: mean image of each class over the training split (paper, section 2.2.2, figure 3)."""

from collections.abc import Iterator

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from sanmodel.files import atomic_file, write_json
from sanmodel.images import Picture, decode_rgb
from sanmodel.observer import SILENT, Metrics, Observer, observed
from sanmodel.paths import Paths
from sanmodel.prototypes import Prototypes, mean_images
from sanmodel.settings import Settings
from sanmodel.tables import attributes, count_rows, iterate_rows, require_attribute


def run(settings: Settings, paths: Paths, observer: Observer = SILENT) -> Metrics:
    """Write ``paths.prototypes`` and a picture: class 1, neutral, class 0 from left to right.

    Returns:
        Number of training images of each class and the weights of the neutral prototype.

    Raises:
        SanError: If a class has no training image.
    """
    require_attribute(attributes(paths.crops), settings.attribute, paths.crops)
    means, counts = mean_images(_training_faces(settings, paths, observer))
    equal = settings.prototypes.neutral_weights == "equal"
    a_1 = 0.5 if equal else counts[1] / sum(counts)
    P_0, P_1 = (_to_tensor(mean) for mean in means)
    prototypes = Prototypes(P_0, P_1, a_1)
    prototypes.save(paths.prototypes, settings.attribute)
    _draw(prototypes, paths)
    metrics: Metrics = {"class_0_images": counts[0], "class_1_images": counts[1], "a_1": a_1}
    write_json(paths.metrics("prototypes"), metrics)
    return metrics


def _training_faces(
    settings: Settings, paths: Paths, observer: Observer
) -> Iterator[tuple[Picture, int]]:
    columns = ["image_id", "split", settings.attribute, "image"]
    rows = iterate_rows(paths.crops, columns)
    for row in observed(rows, "prototypes", count_rows(paths.crops), observer):
        if row["split"] == "train":
            yield decode_rgb(row["image"], row["image_id"]), row[settings.attribute]


def _to_tensor(mean: NDArray[np.float64]) -> Tensor:
    """Turn (224, 224, 3), 0 to 255 into (3, 224, 224), 0 to 1."""
    return torch.from_numpy(mean / 255).permute(2, 0, 1).to(torch.float32).contiguous()


def _draw(prototypes: Prototypes, paths: Paths) -> None:
    """Save figure 3."""
    P_NT = prototypes.neutral(torch.zeros(1))[0]
    row = torch.cat([prototypes.P_1, P_NT, prototypes.P_0], dim=2)
    pixels = (row.permute(1, 2, 0) * 255).round().to(torch.uint8).numpy()
    with atomic_file(paths.picture("prototypes")) as partial:
        Image.fromarray(pixels).save(partial, "PNG")
