"""Writes VGG-Face's weights as each public file keeps them, from those of ``vgg_face_dag.pth``."""

import struct
from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
import torch
from safetensors.torch import save_file
from scipy.io import savemat

from sanmodel.models.vggface import LAYERS

Weights = dict[str, torch.Tensor]


def few_channels() -> Weights:
    """The network with 2 to 6 channels: as many layers, the same kernels, a small file."""
    widths = (2, 3, 2, 3, 4, 3, 4, 5, 4, 5, 6, 5, 4)
    shapes, channels = {}, 3
    for name, width in zip(LAYERS, widths, strict=False):
        shapes[name] = (width, channels, 3, 3)
        channels = width
    return random_weights(shapes | {"fc6": (6, channels * 49), "fc7": (5, 6), "fc8": (7, 5)})


def random_weights(shapes: dict[str, tuple[int, ...]]) -> Weights:
    """Weights that keep the variance from layer to layer, and biases."""
    generator = torch.Generator().manual_seed(0)
    weights = {}
    for name, shape in shapes.items():
        scale = (2 / torch.Size(shape[1:]).numel()) ** 0.5
        weights[f"{name}.weight"] = torch.randn(shape, generator=generator) * scale
        weights[f"{name}.bias"] = torch.randn(shape[0], generator=generator)
    return weights


def write_pth(path: Path, weights: Weights) -> None:
    torch.save(weights, path)


def write_old_pth(path: Path, weights: Weights) -> None:
    torch.save(weights, path, _use_new_zipfile_serialization=False)


def write_safetensors(path: Path, weights: Weights) -> None:
    save_file(weights, path)


def matconvnet_layers(weights: Weights) -> np.ndarray:
    """A cell array of structs: every layer has its own fields, those without weights too."""
    layers: list[dict[str, object]] = []
    for name in LAYERS:
        weight = weights[f"{name}.weight"].numpy()
        if name.startswith("fc"):
            side = 7 if name == "fc6" else 1
            weight = weight.reshape(len(weight), -1, side, side)
        cell = np.empty((1, 2), object)
        cell[0] = [weight.transpose(2, 3, 1, 0), weights[f"{name}.bias"].numpy()[:, None]]
        layers.append({"name": name, "type": "conv", "weights": cell, "pad": 1.0})
        layers.append({"name": f"relu{name}", "type": "relu", "weights": np.empty((0, 0), object)})
    layers.append({"name": "prob", "type": "softmax"})
    cells = np.empty((1, len(layers)), object)
    cells[0] = layers
    return cells


def write_vlfeat_mat(path: Path, weights: Weights) -> None:
    """``vgg-face.mat`` of MatConvNet's site."""
    content = {"layers": matconvnet_layers(weights), "meta": {"classes": {"name": "A"}}}
    savemat(path, content, do_compression=True)


def write_oxford_mat(path: Path, weights: Weights) -> None:
    """``vgg_face.mat`` of the authors' site."""
    savemat(path, {"net": {"layers": matconvnet_layers(weights)}})


def write_keras(path: Path, weights: Weights) -> None:
    with h5py.File(path, "w") as file:
        _write_keras_layers(file, weights, "{0}/kernel:0", "{0}/bias:0")


def write_old_keras(path: Path, weights: Weights) -> None:
    """A model saved as a whole, with the names of Keras 1."""
    with h5py.File(path, "w") as file:
        _write_keras_layers(file.create_group("model_weights"), weights, "{0}_W:0", "{0}_b:0")


def _write_keras_layers(root: h5py.Group, weights: Weights, kernel: str, bias: str) -> None:
    root.create_group("flatten")
    for name in LAYERS:
        weight = weights[f"{name}.weight"].numpy()
        if name == "conv1_1":
            weight = weight[:, ::-1]
        if name == "fc6":
            weight = weight.reshape(len(weight), -1, 7, 7)
        if weight.ndim == 4:
            weight = weight.transpose(2, 3, 1, 0)
            weight = weight.reshape(-1, weight.shape[3]) if name == "fc6" else weight
        else:
            weight = weight.T
        group = root.create_group(name)
        group[kernel.format(name)] = weight
        group[bias.format(name)] = weights[f"{name}.bias"].numpy()


def write_t7(path: Path, weights: Weights) -> None:
    path.write_bytes(t7_network(weights, "nn.SpatialConvolution", lambda weight: weight))


def write_t7_mm(path: Path, weights: Weights) -> None:
    """The same with two-dimensional filters."""
    flat: Callable[[torch.Tensor], torch.Tensor] = lambda weight: weight.flatten(1)  # noqa: E731
    path.write_bytes(t7_network(weights, "nn.SpatialConvolutionMM", flat))


def t7_network(
    weights: Weights, convolution: str, view: Callable[[torch.Tensor], torch.Tensor]
) -> bytes:
    """An ``nn.Sequential`` of all layers."""
    lua = LuaWriter()
    modules: list[bytes] = []
    for name in LAYERS:
        weight = weights[f"{name}.weight"]
        kind = convolution if name.startswith("conv") else "nn.Linear"
        if name == "conv1_1":
            weight = weight.flip(1)
        if name == "fc6":
            modules.append(lua.object("nn.View", {"size": lua.storage(torch.tensor([-1, 9]))}))
        fields = {
            "weight": lua.tensor(view(weight) if kind == convolution else weight),
            "bias": lua.tensor(weights[f"{name}.bias"]),
            "gradWeight": lua.nil(),
            "padW": lua.number(1),
        }
        modules += [lua.object(kind, fields), lua.object("nn.ReLU", {"train": lua.boolean(False)})]
    table = {number: module for number, module in enumerate(modules, start=1)}
    return lua.object("nn.Sequential", {"modules": lua.table(table), "_type": lua.text("float")})


class LuaWriter:
    """Lua values as Torch7 writes them; the numbers that objects carry only have to differ."""

    def __init__(self) -> None:
        self._count = 1

    def nil(self) -> bytes:
        return struct.pack("<i", 0)

    def number(self, value: float) -> bytes:
        return struct.pack("<id", 1, value)

    def text(self, value: str) -> bytes:
        return struct.pack("<ii", 2, len(value)) + value.encode()

    def boolean(self, value: bool) -> bytes:
        return struct.pack("<ii", 5, value)

    def table(self, items: dict[str | int, bytes]) -> bytes:
        pairs = [
            (self.text(key) if isinstance(key, str) else self.number(key)) + value
            for key, value in items.items()
        ]
        return struct.pack("<iii", 3, self._next(), len(pairs)) + b"".join(pairs)

    def object(self, kind: str, fields: dict[str | int, bytes]) -> bytes:
        # The outermost object is written last and is the first in the file: it gets number 1.
        number = 1 if kind == "nn.Sequential" else self._next()
        return self._head(kind, number) + self.table(fields)

    def tensor(self, tensor: torch.Tensor) -> bytes:
        tensor = tensor.contiguous()
        layout = [*tensor.shape, *tensor.stride(), 1]
        head = self._head("torch.FloatTensor", self._next())
        layout_bytes = struct.pack(f"<i{len(layout)}q", tensor.ndim, *layout)
        return head + layout_bytes + self.storage(tensor.flatten())

    def storage(self, values: torch.Tensor) -> bytes:
        kind = "torch.FloatStorage" if values.dtype == torch.float32 else "torch.LongStorage"
        head = self._head(kind, self._next())
        return head + struct.pack("<q", len(values)) + values.numpy().tobytes()

    def _head(self, kind: str, number: int) -> bytes:
        version = b"\x03\x00\x00\x00V 1"
        return struct.pack("<ii", 4, number) + version + self.text(kind)[4:]

    def _next(self) -> int:
        self._count += 1
        return self._count
