"""One walk over the test images that keeps what the measures need of each."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sanmodel.evaluation.classifiers import AttributeClassifier
from sanmodel.evaluation.matchers import Matcher
from sanmodel.evaluation.outputs import VARIANTS, Batch
from sanmodel.evaluation.similarity import psnr, ssim
from sanmodel.perturber import OUTPUTS

Key = tuple[str, str]
"""Name of a classifier, matcher or similarity, and one of ``VARIANTS``."""

Arrays = dict[Key, NDArray[np.float64]]
Parts = defaultdict[Key, list[NDArray[np.float64]]]

SIMILARITIES = {"psnr": psnr, "ssim": ssim}


@dataclass(frozen=True)
class Measurements:
    """What was read from N test images, in the table's order.

    Attributes:
        scores: For each classifier and variant the probabilities of class 1, (N,).
        descriptors: For each matcher and variant the descriptors, (N, d).
        quality: For ``psnr`` and ``ssim`` and each output its likeness to the original, (N,).
        shown: By the name of each chosen image its grey variants, (224, 224).
    """

    scores: Arrays
    descriptors: Arrays
    quality: Arrays
    shown: dict[str, dict[str, NDArray[np.uint8]]]


def measure(
    batches: Iterable[Batch],
    classifiers: Mapping[str, AttributeClassifier],
    matchers: Mapping[str, Matcher],
    chosen: Collection[str],
) -> Measurements:
    """Show every variant of every image to every network.

    Args:
        batches: The test images, at least one.
        classifiers: Attribute classifiers by name.
        matchers: Face matchers by name.
        chosen: Names of the images to keep for the picture.
    """
    scores, descriptors, quality = Parts(list), Parts(list), Parts(list)
    shown: dict[str, dict[str, NDArray[np.uint8]]] = {}
    for batch in batches:
        for variant in VARIANTS:
            images, boxes = batch.images[variant], batch.boxes
            for name, classifier in classifiers.items():
                scores[name, variant].append(classifier.scores(images, boxes))
            for name, matcher in matchers.items():
                descriptors[name, variant].append(matcher.descriptors(images, boxes))
        for key, values in _quality(batch).items():
            quality[key].append(values)
        shown |= _shown(batch, chosen)
    return Measurements(_joined(scores), _joined(descriptors), _joined(quality), shown)


def _quality(batch: Batch) -> Arrays:
    """Compare each output of a batch with its original."""
    originals = batch.images["original"]
    return {
        (name, output): np.array(
            [like(*pair) for pair in zip(originals, batch.images[output], strict=True)]
        )
        for name, like in SIMILARITIES.items()
        for output in OUTPUTS
    }


def _shown(batch: Batch, chosen: Collection[str]) -> dict[str, dict[str, NDArray[np.uint8]]]:
    """Keep the variants of those images of a batch that are chosen."""
    return {
        image_id: {variant: batch.images[variant][i].copy() for variant in VARIANTS}
        for i, image_id in enumerate(batch.image_ids)
        if image_id in chosen
    }


def _joined(parts: Parts) -> Arrays:
    return {key: np.concatenate(arrays) for key, arrays in parts.items()}
