"""The model: a mixture of components, each a root filter and parts that may move.

Felzenszwalb, Girshick, McAllester, Ramanan, "Object detection with discriminatively trained
part-based models", PAMI 2010, section 3.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load_file, save

from sanmodel.detection.dpm.hog import FEATURES, Features, mirror
from sanmodel.errors import SanError
from sanmodel.files import atomic_file

FORMAT = "sanmodel-dpm-1"


@dataclass(frozen=True)
class Part:
    """A filter at twice the resolution of the root.

    Attributes:
        filter: (rows, columns, 32).
        anchor: Column and row of its corner, in its own cells from the root's corner.
        deformation: a_x, b_x, a_y, b_y: moving by (dx, dy) cells off the anchor costs
            a_x dx^2 + b_x dx + a_y dy^2 + b_y dy.
    """

    filter: Features
    anchor: tuple[int, int]
    deformation: NDArray[np.float32]


@dataclass(frozen=True)
class Component:
    """One view of the object.

    Attributes:
        root: Filter of the whole, (rows, columns, 32).
        bias: Added to the score, so that components can be compared.
        parts: May be empty.
        box: Maps (1, dx_1, dy_1, ..., dx_n, dy_n), the parts' moves in their cells, to left, top,
            right and bottom of the object in root cells from the root's corner, (4, 1 + 2 n)
            (section 7, "bounding box prediction").
    """

    root: Features
    bias: float
    parts: tuple[Part, ...]
    box: NDArray[np.float32]

    def mirrored(self) -> "Component":
        """Return the component of the object that a mirror shows."""
        columns = self.root.shape[1]
        flip = np.array([[-1.0] + [1.0, -1.0] * len(self.parts)], np.float32)
        left, top, right, bottom = self.box * flip * [[1], [-1], [1], [-1]]
        # What lay x cells from the left lies x cells from the right.
        left, right = right.copy(), left.copy()
        left[0] += columns
        right[0] += columns
        parts = tuple(_mirrored(part, columns) for part in self.parts)
        box = np.stack([left, top, right, bottom]).astype(np.float32)
        return replace(self, root=mirror(self.root), parts=parts, box=box)


def root_box(root: Features, parts: int) -> NDArray[np.float32]:
    """Return the box prediction that is the root filter's own rectangle."""
    box = np.zeros((4, 1 + 2 * parts), np.float32)
    box[2:, 0] = root.shape[1], root.shape[0]
    return box


def _mirrored(part: Part, root_columns: int) -> Part:
    x, y = part.anchor
    a_x, b_x, a_y, b_y = part.deformation
    return Part(
        mirror(part.filter),
        (2 * root_columns - part.filter.shape[1] - x, y),
        np.array([a_x, -b_x, a_y, b_y], np.float32),
    )


@dataclass(frozen=True)
class Mixture:
    """Views of one object; the best one counts.

    Attributes:
        components: One or more, in any order.
        threshold: Least score of a detection that is believed.
    """

    components: tuple[Component, ...]
    threshold: float


def save_mixture(mixture: Mixture, path: Path) -> None:
    """Write a mixture as safetensors, atomically; equal mixtures are equal files."""
    tensors: dict[str, NDArray[np.float32]] = {}
    for i, component in enumerate(mixture.components):
        tensors |= {f"{i}.root": component.root, f"{i}.box": component.box}
        tensors[f"{i}.bias"] = np.array([component.bias], np.float32)
        for j, part in enumerate(component.parts):
            tensors[f"{i}.{j}.filter"] = part.filter
            tensors[f"{i}.{j}.anchor"] = np.array(part.anchor, np.float32)
            tensors[f"{i}.{j}.deformation"] = part.deformation
    tensors["threshold"] = np.array([mixture.threshold], np.float32)
    content = {name: np.ascontiguousarray(value) for name, value in tensors.items()}
    with atomic_file(path) as partial:
        # A single key: safetensors writes several in random order.
        partial.write_bytes(save(content, {"format": FORMAT}))


def load_mixture(path: Path) -> Mixture:
    """Read a mixture: safetensors, or the text format of FFLD2 (see :func:`read_text`).

    Raises:
        SanError: If the file is missing or is neither.
    """
    if not path.is_file():
        raise SanError(f"{path} is missing: set preprocess.dpm_model to a deformable part model")
    if path.suffix == ".txt":
        return read_text(path)
    try:
        tensors = load_file(path)
        threshold = float(tensors.pop("threshold")[0])
        count = 1 + max(int(name.split(".")[0]) for name in tensors)
        components = tuple(_component(tensors, i) for i in range(count))
        return _checked(Mixture(components, threshold))
    except (SafetensorError, KeyError, IndexError, ValueError, OSError) as error:
        raise SanError(
            f"{path} is not a deformable part model ({error}): make one with `san dpm train`"
        ) from error


def _component(tensors: dict[str, NDArray[np.float32]], i: int) -> Component:
    count = sum(name.startswith(f"{i}.") and name.endswith(".filter") for name in tensors)
    parts = []
    for j in range(count):
        x, y = tensors[f"{i}.{j}.anchor"]
        key = f"{i}.{j}"
        parts.append(
            Part(tensors[f"{key}.filter"], (int(x), int(y)), tensors[f"{key}.deformation"])
        )
    bias = float(tensors[f"{i}.bias"][0])
    return Component(tensors[f"{i}.root"], bias, tuple(parts), tensors[f"{i}.box"])


def read_text(path: Path, threshold: float = 0.0) -> Mixture:
    """Read FFLD2's text format, in which the public six-component face model comes.

    The number of components; for each the number of its filters and its bias; for each filter
    its rows, columns, 32, its offset (x, y, octave), six deformation weights, then its entries.

    Raises:
        SanError: If the file does not follow the format.
    """
    try:
        words = iter(path.read_text(encoding="ascii").split())
        components = tuple(_text_component(words) for _ in range(int(next(words))))
        return _checked(Mixture(components, threshold))
    except (ValueError, StopIteration, RuntimeError) as error:
        raise SanError(f"{path} is not a model in FFLD2's text format: {error}") from error


def _checked(mixture: Mixture) -> Mixture:
    """Refuse what the distance transform cannot work with."""
    if not mixture.components:
        raise ValueError("it has no component")
    for component in mixture.components:
        filters = [component.root, *(part.filter for part in component.parts)]
        if any(kernel.ndim != 3 or kernel.shape[2] != FEATURES for kernel in filters):
            raise ValueError(f"a filter has not {FEATURES} features")
        weights = [component.box, *filters, *(part.deformation for part in component.parts)]
        weights.append(np.array([component.bias], np.float32))
        if not all(np.isfinite(array).all() for array in weights):
            raise ValueError("a weight is not finite")
        if not all((part.deformation[[0, 2]] > 0).all() for part in component.parts):
            raise ValueError("a part moves for nothing: its quadratic cost must be positive")
    return mixture


def _text_component(words: Iterator[str]) -> Component:
    count, bias = int(next(words)), float(next(words))
    root, *parts = (_text_part(words) for _ in range(count))
    return Component(root.filter, bias, tuple(parts), root_box(root.filter, len(parts)))


def _text_part(words: Iterator[str]) -> Part:
    rows, columns, features = (int(next(words)) for _ in range(3))
    if features != FEATURES:
        raise ValueError(f"a filter has {features} features, not {FEATURES}")
    x, y, _ = (int(next(words)) for _ in range(3))
    d = [float(next(words)) for _ in range(6)]
    entries = np.array([next(words) for _ in range(rows * columns * FEATURES)], np.float32)
    # Its weights are gains of (anchor - place); ours are costs of (place - anchor).
    deformation = np.array([-d[0], d[1], -d[2], d[3]], np.float32)
    return Part(entries.reshape(rows, columns, FEATURES), (x, y), deformation)
