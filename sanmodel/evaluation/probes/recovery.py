"""Attackers that clean perturbed faces before they read them."""

from collections.abc import Callable, Mapping
from functools import partial
from io import BytesIO

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from PIL import Image
from scipy.ndimage import median_filter
from torch import Tensor

from sanmodel.evaluation.answers import require_finite
from sanmodel.evaluation.attackers.denoiser import Denoiser
from sanmodel.evaluation.attackers.figures import attack_figures
from sanmodel.evaluation.attackers.learning import BATCH, as_tensor, drawn, learn, mirrored
from sanmodel.evaluation.probes import PROBES, Answer, Study

OUTPUT = "OP"
"""The output that hides the attribute."""

MEDIAN = 3
"""Side of the median filter in pixels."""

Images = NDArray[np.uint8]
Recovery = Callable[[Images], Images]


@PROBES.register("recovery")
class RecoveredFaces:
    """Shows cleaned X'_OP to the independent classifiers; columns name the measure and whose."""

    title = "Recovery of the attribute"
    question = (
        "Do independent classifiers read the attribute again once somebody compresses, shrinks, "
        "filters or denoises the perturbed faces?"
    )
    missing = "there is no face to learn from, or those to be tested on are of one class"
    needs: tuple[str, ...] = ("classifiers",)

    def answer(self, study: Study) -> Answer:
        """See :meth:`sanmodel.evaluation.probes.Probe.answer`; no row without a classifier."""
        if not study.classifiers:
            return {}  # nobody would look at what a denoiser was trained for
        untouched = {name: study.scores[name, OUTPUT] for name in study.classifiers}
        answer = {"none": _figures(study, untouched)}
        for row, recovery in {**SIMPLE, "trained denoiser": taught_denoiser(study)}.items():
            answer[row] = _figures(study, _scores(study, recovery))
        return answer


def jpeg(images: Images, quality: int) -> Images:
    """Compress images (B, H, W) to JPEG and back, one by one."""
    compressed = []
    for image in images:
        stream = BytesIO()
        Image.fromarray(image).save(stream, "JPEG", quality=quality)
        compressed.append(np.asarray(Image.open(stream)))
    return np.stack(compressed)


def halved(images: Images) -> Images:
    """Resize images (B, H, W) to half their sides and back, by bicubic interpolation."""
    height, width = images.shape[1:]
    small = [Image.fromarray(image).resize((width // 2, height // 2)) for image in images]
    return np.stack([np.asarray(image.resize((width, height))) for image in small])


def median(images: Images) -> Images:
    """Replace each pixel of images (B, H, W) by the median of its ``MEDIAN`` x ``MEDIAN``."""
    filtered: Images = median_filter(images, (1, MEDIAN, MEDIAN))
    return filtered


SIMPLE: dict[str, Recovery] = {
    "JPEG of quality 75": partial(jpeg, quality=75),
    "JPEG of quality 50": partial(jpeg, quality=50),
    "half the size and back": halved,
    f"median of {MEDIAN}x{MEDIAN} pixels": median,
}
"""What anybody can do without knowing how images were perturbed."""


def taught_denoiser(study: Study) -> Recovery | None:
    """Train a denoiser that maps X'_OP of the people outside to their originals.

    Returns:
        It maps images (B, 224, 224) to cleaned ones; None where there are no people outside.
    """
    side = study.outside
    if len(side.faces) == 0:
        return None

    def draw() -> tuple[Tensor, Tensor]:
        rows = drawn(len(side.faces))
        pair = [as_tensor(side.variants[name][rows]) for name in (OUTPUT, "original")]
        both = mirrored(torch.cat(pair, 1))
        return both[:, :1], both[:, 1:]

    network = learn(Denoiser, draw, F.mse_loss, study.steps, study.seed, "recovery")
    return partial(_denoised, network)


def _denoised(network: Denoiser, images: Images) -> Images:
    with torch.inference_mode():
        X = network(as_tensor(images)).clamp(0, 1).squeeze(1)
        cleaned: Images = (X * 255).round().to(torch.uint8).numpy()
    return cleaned


def _scores(study: Study, recovery: Recovery | None) -> dict[str, NDArray[np.float64]] | None:
    """Return what each classifier makes of the cleaned images; None without a recovery."""
    if recovery is None:
        return None
    images, boxes = study.test.variants[OUTPUT], study.test.faces.boxes
    scores = {name: np.empty(len(images)) for name in study.classifiers}
    for start in range(0, len(images), BATCH):
        batch = slice(start, start + BATCH)
        cleaned = recovery(np.asarray(images[batch]))
        for name, classifier in study.classifiers.items():
            scores[name][batch] = classifier.scores(cleaned, boxes[batch])
            require_finite(name, scores[name][batch])
    return scores


def _figures(
    study: Study, scores: Mapping[str, NDArray[np.float64]] | None
) -> dict[str, float | None]:
    """Measure each classifier."""
    faces, figures = study.test.faces, dict[str, float | None]()
    for name in study.classifiers:
        own = scores[name] if scores else None
        figures |= attack_figures(faces.labels, own, faces.people, study.seed, name)
    return figures
