"""FaceNet's descriptor, Inception-ResNet v1 on VGGFace2 (``pip install "sanmodel[facenet]"``).

Schroff, Kalenichenko, Philbin: FaceNet: A Unified Embedding for Face Recognition and Clustering.
CVPR 2015; trained by D. Sandberg, converted by the package ``facenet-pytorch``. The weights lie in
``checkpoints`` in torch's cache, ``~/.cache/torch`` or the environment variable ``TORCH_HOME``.
"""

from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from sanmodel.evaluation.matchers import MATCHERS
from sanmodel.evaluation.optional import load_package, release_of, weights_explained
from sanmodel.evaluation.warped_chips import square_chips

SIZE = 160
"""Side in pixels of what the network sees."""

MARGIN = 1.3
"""Side of what it sees in longer sides of the face box, our choice: it learnt from faces with a
margin, and the package's own detector draws wider boxes than ours."""

WEIGHTS = "20180402-114759-vggface2.pt"
ORIGIN = f"https://github.com/timesler/facenet-pytorch/releases/download/v2.2.9/{WEIGHTS}"


@MATCHERS.register("facenet")
class FacenetMatcher:
    """Its descriptors, 512 values, have length 1."""

    def __init__(self) -> None:
        inception = load_package("facenet_pytorch.models.inception_resnet_v1", "facenet")
        path = Path(inception.get_torch_home(), "checkpoints", WEIGHTS)
        with weights_explained(path, ORIGIN):
            self._network = inception.InceptionResnetV1(pretrained="vggface2").eval()
        self.version = release_of("facenet-pytorch", path)

    def descriptors(
        self, images: NDArray[np.uint8], boxes: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        """See :meth:`sanmodel.evaluation.matchers.Matcher.descriptors`."""
        chips = torch.from_numpy(square_chips(images, boxes, SIZE, MARGIN))
        values = (chips.to(torch.float32) - 127.5) / 128  # the package's standardization
        with torch.inference_mode():
            described = self._network(values[:, None].expand(-1, 3, -1, -1))
        return np.asarray(described.numpy(), dtype=np.float64)
