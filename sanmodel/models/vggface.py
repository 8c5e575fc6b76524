"""Subnetwork III: VGG-Face, the auxiliary face matcher R_vgg (paper, section 2.2.4).

Parkhi, Vedaldi, Zisserman, "Deep face recognition" (BMVC 2015): 13 convolutions and three fully
connected layers, a descriptor of 2622 values. The weights are public but not ours to ship.
"""

from pathlib import Path

import torch
import torch.nn.functional as F
from safetensors.torch import load_file
from torch import Tensor, nn

from sanmodel.errors import SanError

BLOCKS = ((64, 64), (128, 128), (256, 256, 256), (512, 512, 512), (512, 512, 512))
RGB_MEAN = (129.1863, 104.7624, 93.5940)
"""Mean colour of VGG-Face's training images (0 to 255), subtracted before the first layer."""


class VGGFace(nn.Module):
    """VGG-Face on grey images: its first layer's three input filters are added up.

    Subtracting the RGB mean before a zero-padded convolution is the same as subtracting the
    convolution of the constant mean image after it, borders included; that image's response is
    ``mean_response``.
    """

    mean_response: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.convolutions = nn.ModuleDict()
        channels = 1
        for block, widths in enumerate(BLOCKS, start=1):
            for layer, width in enumerate(widths, start=1):
                name = f"conv{block}_{layer}"
                self.convolutions[name] = nn.Conv2d(channels, width, 3, padding=1)
                channels = width
        self.fc6 = nn.Linear(512 * 7 * 7, 4096)
        self.fc7 = nn.Linear(4096, 4096)
        self.fc8 = nn.Linear(4096, 2622)
        self.register_buffer("mean_response", torch.zeros(1, 64, 224, 224))

    def forward(self, X: Tensor) -> Tensor:
        """Describe grey images.

        Args:
            X: (B, 1, 224, 224), 0 to 1.

        Returns:
            Descriptors R_vgg(X), (B, 2622).
        """
        h = 255 * X
        for block, widths in enumerate(BLOCKS, start=1):
            for layer in range(1, len(widths) + 1):
                h = self.convolutions[f"conv{block}_{layer}"](h)
                if (block, layer) == (1, 1):
                    h = h - self.mean_response
                h = F.relu(h)
            h = F.max_pool2d(h, 2)
        h = F.relu(self.fc6(h.flatten(1)))
        descriptors: Tensor = self.fc8(F.relu(self.fc7(h)))
        return descriptors

    def load_rgb_weights(self, state: dict[str, Tensor]) -> None:
        """Take the weights of the three-channel network, names as in ``vgg_face_dag.pth``.

        Args:
            state: ``conv1_1.weight`` (64, 3, 3, 3) and so on to ``fc8.bias`` (2622,).

        Raises:
            SanError: If a tensor is missing or has another shape.
        """
        first = state.get("conv1_1.weight")
        if first is None or first.shape != (64, 3, 3, 3):
            raise SanError("these are not VGG-Face weights: conv1_1.weight must be (64, 3, 3, 3)")
        own = {"convolutions." + k if k.startswith("conv") else k: v for k, v in state.items()}
        own["convolutions.conv1_1.weight"] = first.sum(dim=1, keepdim=True)
        own["mean_response"] = F.conv2d(
            torch.tensor(RGB_MEAN).view(1, 3, 1, 1).expand(1, 3, 224, 224), first, padding=1
        )
        try:
            self.load_state_dict(own)
        except RuntimeError as error:
            raise SanError(f"these are not VGG-Face weights: {error}") from error


def load_vggface(path: Path) -> VGGFace:
    """Load VGG-Face from a ``.pth`` state dictionary or a ``.safetensors`` file.

    Raises:
        SanError: If the file is missing, damaged or something else.
    """
    if not path.is_file():
        raise SanError(f"{path} is missing: set train_matcher.vgg_face to VGG-Face weights or null")
    try:
        if path.suffix == ".safetensors":
            state = load_file(path)
        else:
            state = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # torch and safetensors raise many kinds for a damaged file
        raise SanError(
            f"{path} is no readable weights file ({error}): download it again"
        ) from error
    network = VGGFace()
    network.load_rgb_weights(state)
    return network
