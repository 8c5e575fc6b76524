"""MatConvNet's ``vgg-face.mat``, and ``vgg_face.mat`` of the authors' archive.

The layers are a cell array of structs, at the top or in ``net``. Filters are (row, column, in,
out), the fully connected layers are convolutions of 7x7 and 1x1, and images are RGB.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from scipy.io import loadmat
from torch import Tensor

from sanmodel.foreign.vggface import FORMATS, Format, starts_with


def read_matconvnet(path: Path) -> dict[str, Tensor]:
    """Return the weights of all layers that have some."""
    weights = {}
    for layer in _layers(loadmat(path, variable_names=["layers", "net"])):
        if "weights" in layer.dtype.names and layer["weights"].size == 2:
            name = str(layer["name"].item())
            filters, biases = layer["weights"].flat
            weights[f"{name}.weight"] = _weight(name, filters)
            weights[f"{name}.bias"] = torch.from_numpy(np.array(biases, np.float32).reshape(-1))
    return weights


def _layers(content: dict[str, Any]) -> Iterator[Any]:
    """Yield the struct of each layer."""
    if "net" in content:
        content = {"layers": content["net"][0, 0]["layers"]}
    for cell in content.get("layers", np.empty(0)).flat:
        yield cell[0, 0]


def _weight(name: str, filters: Any) -> Tensor:
    """Turn (row, column, in, out) to (out, in, row, column), or (out, in * row * column)."""
    kernel = np.ascontiguousarray(filters.transpose(3, 2, 0, 1), np.float32)
    return torch.from_numpy(kernel.reshape(len(kernel), -1) if name.startswith("fc") else kernel)


MATCONVNET = FORMATS.register("matconvnet")(
    Format("vgg-face.mat (MatConvNet)", starts_with(b"MATLAB 5.0 MAT-file"), read_matconvnet)
)
