"""Stage 4: mean image of each class over the training split (paper, section 2.2.2, figure 3)."""

import shutil

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from sanmodel.alignment import Straighten
from sanmodel.averaging import ClassSums, SumShard
from sanmodel.files import atomic_file, write_json
from sanmodel.observer import SILENT, Metrics, Observer
from sanmodel.parallel.cluster import connected
from sanmodel.parallel.shards import finish_shards, plan_shards
from sanmodel.paths import Paths
from sanmodel.prototypes import Prototypes, as_picture
from sanmodel.settings import Settings
from sanmodel.tables import LANDMARKS, attributes, read_columns, require_attribute, row_groups

MAX_SHARDS = 256
"""However many images there are: the sums of a shard take 2.4 MB, those of few are quickly made."""


def run(settings: Settings, paths: Paths, observer: Observer = SILENT) -> Metrics:
    """Write ``paths.prototypes`` and a picture: class 1, neutral, class 0 from left to right.

    Returns:
        Number of training images of each class and the weights of the neutral prototype.

    Raises:
        SanError: If a class has no training image.
    """
    require_attribute(attributes(paths.crops), settings.attribute, paths.crops)
    aligned = settings.prototypes.align == "landmarks"
    landmarks = _mean_landmarks(paths) if aligned else None
    total = _class_sums(settings, paths, landmarks, observer)
    P_0, P_1 = (_to_tensor(mean) for mean in total.means())
    counts = total.counts.tolist()
    equal = settings.prototypes.neutral_weights == "equal"
    a_1 = 0.5 if equal else counts[1] / sum(counts)
    prototypes = Prototypes(P_0, P_1, a_1, landmarks)
    prototypes.save(paths.prototypes, settings.attribute)
    _draw(prototypes, paths)
    metrics: Metrics = {"class_0_images": counts[0], "class_1_images": counts[1], "a_1": a_1}
    write_json(paths.metrics("prototypes"), metrics)
    return metrics


def _mean_landmarks(paths: Paths) -> Tensor:
    """Average the landmarks of all training faces, (5, 2)."""
    columns = read_columns(paths.crops, ["split", *LANDMARKS])
    training = columns.loc[columns["split"] == "train", list(LANDMARKS)]
    mean = training.to_numpy(dtype=np.float64).mean(axis=0).reshape(5, 2)
    return torch.from_numpy(mean).to(torch.float32)


def _class_sums(
    settings: Settings, paths: Paths, landmarks: Tensor | None, observer: Observer
) -> ClassSums:
    """Add up the training images on Dask; a run that was killed goes on where it was.

    Args:
        settings: All settings.
        paths: The work tree.
        landmarks: Where the faces' landmarks are moved to; None leaves them where they are.
        observer: Hears about progress.
    """
    scratch = paths.scratch.resolve() / "prototypes"
    scratch.mkdir(parents=True, exist_ok=True)
    crops, total = paths.crops.resolve(), ClassSums.zero()
    work = SumShard(settings.attribute, _straighten(landmarks))
    with connected(settings.workers, min(len(row_groups(crops)), MAX_SHARDS)) as client:
        shards = plan_shards(client, crops, work, scratch, MAX_SHARDS)
        finish_shards(client, work, shards, "prototypes", observer)
    for shard in shards:
        total.merge(ClassSums.load(shard.result))
    shutil.rmtree(scratch)
    return total


def _straighten(landmarks: Tensor | None) -> Straighten | None:
    if landmarks is None:
        return None
    return Straighten(tuple((x, y) for x, y in landmarks.tolist()))


def _to_tensor(mean: NDArray[np.float64]) -> Tensor:
    """Turn (224, 224, 3), 0 to 255 into (3, 224, 224), 0 to 1."""
    return torch.from_numpy(mean / 255).permute(2, 0, 1).to(torch.float32).contiguous()


def _draw(prototypes: Prototypes, paths: Paths) -> None:
    """Save figure 3."""
    row = torch.cat([prototypes.P_1, prototypes.P_NT, prototypes.P_0], dim=2)
    with atomic_file(paths.picture("prototypes")) as partial:
        Image.fromarray(as_picture(row)).save(partial, "PNG")
