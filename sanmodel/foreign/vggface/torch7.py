"""Torch7's ``VGG_FACE.t7``: an ``nn.Sequential`` of its layers, without names.

A convolution is a ``SpatialConvolution`` (out, in, row, column) or a ``SpatialConvolutionMM``
(out, in * row * column). The script that comes with the file subtracts the RGB mean and then hands
the channels over in the order 3, 2, 1: images are BGR.
"""

from pathlib import Path

from torch import Tensor

from sanmodel.foreign.lua import LuaObject, read_lua
from sanmodel.foreign.reading import other_weights
from sanmodel.foreign.vggface import FORMATS, Format, starts_with, to_rgb
from sanmodel.models.vggface import LAYERS

SEQUENTIAL = b"\x04\x00\x00\x00\x01\x00\x00\x00"
"""A Torch object, the first one of the file."""


def read_torch7(path: Path) -> dict[str, Tensor]:
    """Return the weights of all layers that have some, named in their order."""
    layers = [layer for layer in _modules(read_lua(path)) if "weight" in layer.fields]
    if len(layers) != len(LAYERS):
        raise other_weights(path, f"{len(layers)} layers have weights, not {len(LAYERS)}")
    weights: dict[str, Tensor] = {}
    for name, layer in zip(LAYERS, layers, strict=True):
        weight = layer.fields["weight"]
        if name.startswith("conv"):
            weight = weight.reshape(len(weight), -1, 3, 3)
        weights |= {f"{name}.weight": weight, f"{name}.bias": layer.fields["bias"]}
    return to_rgb(weights)


def _modules(network: object) -> list[LuaObject]:
    """Return the layers of a sequential network in their order."""
    modules = network.fields.get("modules") if isinstance(network, LuaObject) else None
    if not isinstance(modules, dict):
        return []
    return [modules[key] for key in sorted(modules) if isinstance(modules[key], LuaObject)]


TORCH7 = FORMATS.register("torch7")(
    Format("VGG_FACE.t7 (Torch7)", starts_with(SEQUENTIAL), read_torch7)
)
