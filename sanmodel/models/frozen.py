"""Networks that training looks through but does not change."""

from pathlib import Path

from torch import nn

from sanmodel.errors import SanError
from sanmodel.models.descriptor import DescriptorNetwork
from sanmodel.models.vggface import UnitVGGFace, VGGFace
from sanmodel.models.weights import load_module, read_about

MATCHERS: dict[str, type[VGGFace | DescriptorNetwork]] = {
    "vgg-face": VGGFace,
    "vgg-face-unit": UnitVGGFace,
    "inner-face-descriptor": DescriptorNetwork,
}
"""Networks that can be R_vgg, by the name in the metadata of their weights."""


def freeze(network: nn.Module) -> nn.Module:
    """Remove dropout and fix the weights; gradients still flow through to the input."""
    return network.eval().requires_grad_(False)


def load_matcher(path: Path) -> VGGFace | DescriptorNetwork:
    """Load the auxiliary matcher R_vgg, frozen: VGG-Face or the network that stands in for it.

    Raises:
        SanError: If the file is missing, damaged or of an unknown architecture.
    """
    architecture = read_about(path).get("architecture", "")
    if architecture not in MATCHERS:
        raise SanError(f"{path} holds no known face matcher: run `dvc repro` to make it again")
    network = MATCHERS[architecture]()
    load_module(network, path, kind="matcher")
    freeze(network)
    return network
