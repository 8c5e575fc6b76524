"""What independent networks read from every variant of every face."""

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from dask.system import CPU_COUNT
from numpy.typing import NDArray

from sanmodel.evaluation.answers import Answers, Ask
from sanmodel.evaluation.classifiers import AttributeClassifier
from sanmodel.evaluation.faces import Faces
from sanmodel.evaluation.matchers import Matcher
from sanmodel.evaluation.outputs import Images, batches
from sanmodel.evaluation.similarity import VERSION, psnr, ssim
from sanmodel.observer import Observer

Key = tuple[str, str]
"""Name of a classifier, matcher or similarity, and a variant."""

Arrays = dict[Key, NDArray[np.float64]]

Futures = list[Future[NDArray[np.float64]]]
"""Answers, a batch after the other."""

Similarity = Callable[[NDArray[np.uint8], NDArray[np.uint8]], float]

SIMILARITIES: dict[str, Similarity] = {"psnr": psnr, "ssim": ssim}

TOGETHER = 2
"""Batches that are shown to networks at a time: faces are cut out of one, on a single core, while a
network computes the other."""


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
    others = {name: images for name, images in variants.items() if name != "original"}
    networks = len(variants) * (len(judges.classifiers) + len(judges.matchers))
    observer.start("evaluate", (networks + len(others) * len(SIMILARITIES)) * len(runs))
    asker = _Asker(faces.boxes, judges.answers, runs, observer)
    # Similarities take what time the networks leave to the cores.
    with ThreadPoolExecutor(TOGETHER) as few, ThreadPoolExecutor(CPU_COUNT) as many:
        scores = {
            (name, variant): asker.submit(few, f"{name} {one.version}", one.scores, images)
            for variant, images in variants.items()
            for name, one in judges.classifiers.items()
        }
        descriptors = {
            (name, variant): asker.submit(few, f"{name} {one.version}", one.descriptors, images)
            for variant, images in variants.items()
            for name, one in judges.matchers.items()
        }
        pairs = {name: (variants["original"], images) for name, images in others.items()}
        quality = {
            (name, variant): asker.submit(many, f"{name} {VERSION}", _of_pairs(like), *both)
            for name, like in SIMILARITIES.items()
            for variant, both in pairs.items()
        }
    return Measurements(_results(scores), _results(descriptors), _results(quality))


@dataclass(frozen=True)
class _Asker:
    """Asks about N faces, of which ``boxes`` are (N, 4), a run of them at a time."""

    boxes: NDArray[np.float64]
    answers: Answers
    runs: Sequence[slice]
    observer: Observer

    def submit(self, pool: Executor, network: str, ask: Ask, *images: Images) -> Futures:
        """Ask about one image of each face, or about several, (B, several, 224, 224), together."""
        return [pool.submit(self._read, network, ask, run, images) for run in self.runs]

    def _read(
        self, network: str, ask: Ask, run: slice, images: Sequence[Images]
    ) -> NDArray[np.float64]:
        several = np.stack([one[run] for one in images], axis=1)
        shown = several if len(images) > 1 else several[:, 0]
        found = self.answers.of(network, ask, shown, self.boxes[run])
        self.observer.advance()
        return found


def _of_pairs(like: Similarity) -> Ask:
    """Return what compares the two images of each pair, (B, 2, 224, 224); boxes mean nothing."""
    return lambda pairs, boxes: np.array([like(*pair) for pair in pairs])


def _results(found: Mapping[Key, Futures]) -> Arrays:
    return {
        key: np.concatenate([future.result() for future in futures])
        for key, futures in found.items()
    }
