"""Keras' ``rcmalli_vggface_tf_vgg16.h5`` (keras-vggface): a group per layer with two arrays.

Filters are (row, column, in, out), fully connected weights (in, out), and fc6 runs over rows,
columns, channels. The weights come from the authors' Caffe files: images are BGR (its
``preprocess_input`` reverses the channels before it subtracts the mean).
"""

from pathlib import Path
from typing import Any

import h5py
import numpy as np
import torch
from torch import Tensor

from sanmodel.foreign.vggface import FORMATS, Format, starts_with, to_rgb
from sanmodel.models.vggface import LAYERS

POOL5 = 7
"""Rows and columns of the map that fc6 sees."""


def read_keras(path: Path) -> dict[str, Tensor]:
    """Return the weights of the layers that VGG-Face has; others are no part of it."""
    weights = {}
    with h5py.File(path) as file:
        layers = file.get("model_weights", file)  # there in a model that was saved as a whole
        for name in LAYERS:
            if name in layers:
                bias, kernel = sorted(_arrays(layers[name]), key=np.ndim)
                weights[f"{name}.weight"] = torch.from_numpy(_weight(name, kernel))
                weights[f"{name}.bias"] = torch.from_numpy(bias)
    return to_rgb(weights)


def _arrays(group: Any) -> list[Any]:
    """Return the arrays below a group; their names differ between versions of Keras."""
    found: list[Any] = []
    group.visititems(lambda _, item: found.append(item[()]) if hasattr(item, "shape") else None)
    return found


def _weight(name: str, kernel: Any) -> Any:
    """Return a weight in PyTorch's layout."""
    if name == "fc6":
        kernel = kernel.reshape(POOL5, POOL5, -1, kernel.shape[1])
    if kernel.ndim == 2:
        return np.ascontiguousarray(kernel.T)
    weight = np.ascontiguousarray(kernel.transpose(3, 2, 0, 1))
    return weight.reshape(len(weight), -1) if name == "fc6" else weight


KERAS = FORMATS.register("keras")(
    Format("rcmalli_vggface_tf_vgg16.h5 (Keras)", starts_with(b"\x89HDF\r\n\x1a\n"), read_keras)
)
