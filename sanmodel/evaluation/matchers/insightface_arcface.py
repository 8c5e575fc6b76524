"""InsightFace's ArcFace descriptor (``pip install "sanmodel[insightface]"``).

A ResNet-50 trained on WebFace600K. Deng et al.: ArcFace: Additive Angular Margin Loss for Deep
Face Recognition. CVPR 2019.
"""

import numpy as np
from numpy.typing import NDArray

from sanmodel.evaluation.insightface_models import open_network
from sanmodel.evaluation.matchers import MATCHERS
from sanmodel.evaluation.warped_chips import arcface_chips
from sanmodel.images import grey_to_rgb


@MATCHERS.register("arcface")
class ArcfaceMatcher:
    """Compares directions: descriptors have length 1, so that distance and cosine rank alike."""

    def __init__(self) -> None:
        self._network, self.version = open_network("w600k_r50.onnx")

    def descriptors(
        self, images: NDArray[np.uint8], boxes: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        """See :meth:`sanmodel.evaluation.matchers.Matcher.descriptors`."""
        # Grey in three channels: RGB and BGR are the same. The network declares batches of one.
        chips = grey_to_rgb(arcface_chips(images, boxes))
        features = np.concatenate([self._network.get_feat(chip) for chip in chips])
        lengths = np.linalg.norm(features, axis=1, keepdims=True)
        return np.asarray(features / lengths, dtype=np.float64)
