"""What independent networks read from every variant of every face."""

from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sanmodel.evaluation.answers import Answers, Ask
from sanmodel.evaluation.classifiers import AttributeClassifier
from sanmodel.evaluation.faces import Faces
from sanmodel.evaluation.matchers import Matcher
from sanmodel.evaluation.outputs import Images, batches
from sanmodel.evaluation.similarity import psnr, ssim
from sanmodel.observer import Observer

Key = tuple[str, str]
"""Name of a classifier, matcher or similarity, and a variant."""

Arrays = dict[Key, NDArray[np.float64]]

SIMILARITIES: dict[str, Callable[[NDArray[np.uint8], NDArray[np.uint8]], float]] = {
    "psnr": psnr,
    "ssim": ssim,
}

TOGETHER = 2
"""Networks that are asked at a time: dlib's processes work while ONNX Runtime's threads do."""


@dataclass(frozen=True)
class Measurements:
    """What was read from N faces, in their order.

    Attributes:
        scores: For each classifier and variant the probabilities of class 1, (N,).
        descriptors: For each matcher and variant the descriptors, (N, d).
        quality: For ``psnr`` and ``ssim`` and each variant but the original its likeness to the
            original, (N,).
    """

    scores: Arrays
    descriptors: Arrays
    quality: Arrays


@dataclass(frozen=True)
class Judges:
    """The networks that judge, and what they said before.

    Attributes:
        classifiers: Attribute classifiers by name.
        matchers: Face matchers by name.
        answers: Keeps what they say.
    """

    classifiers: Mapping[str, AttributeClassifier]
    matchers: Mapping[str, Matcher]
    answers: Answers


def measure(
    faces: Faces,
    variants: Mapping[str, Images],
    judges: Judges,
    batch_size: int,
    observer: Observer,
) -> Measurements:
    """Show every variant of every face to every network and compare it with the original.

    Args:
        faces: N faces, N at least 1.
        variants: Their images by variant, the "original" among them.
        judges: The networks.
        batch_size: Images per pass.
        observer: Hears about progress.
    """
    runs = batches(len(faces), batch_size)
    networks = len(judges.classifiers) + len(judges.matchers)
    observer.start("evaluate", len(variants) * networks * len(runs))

    def read(network: str, ask: Ask, images: Images) -> NDArray[np.float64]:
        parts = []
        for run in runs:
            some = np.asarray(images[run])
            parts.append(judges.answers.of(network, ask, some, faces.boxes[run]))
            observer.advance()
        return np.concatenate(parts)

    with ThreadPoolExecutor(TOGETHER) as pool:
        scores = {
            (name, variant): pool.submit(read, f"{name} {one.version}", one.scores, images)
            for variant, images in variants.items()
            for name, one in judges.classifiers.items()
        }
        descriptors = {
            (name, variant): pool.submit(read, f"{name} {one.version}", one.descriptors, images)
            for variant, images in variants.items()
            for name, one in judges.matchers.items()
        }
    return Measurements(_results(scores), _results(descriptors), _quality(variants))


def _results(futures: Mapping[Key, Future[NDArray[np.float64]]]) -> Arrays:
    return {key: future.result() for key, future in futures.items()}


def _quality(variants: Mapping[str, Images]) -> Arrays:
    """Compare every variant with the original."""
    originals = variants["original"]
    return {
        (name, variant): np.array([like(*pair) for pair in zip(originals, images, strict=True)])
        for name, like in SIMILARITIES.items()
        for variant, images in variants.items()
        if variant != "original"
    }
