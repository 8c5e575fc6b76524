"""VGG-Face in the forms in which it is public: one module per format, registered in ``FORMATS``.

A file is told by its first bytes, never by its name. Every reader returns the weights as
``vgg_face_dag.pth`` has them: ``conv1_1.weight`` to ``fc8.bias``, filters as (out, in, row,
column), fc6 on channels, rows, columns, and the first layer's input in the order red, green, blue.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from torch import Tensor

from sanmodel.errors import SanError
from sanmodel.foreign.reading import check_weights, damage_explained, read_head, require_file
from sanmodel.models.vggface import VGGFace, rgb_shapes
from sanmodel.registry import Registry


@dataclass(frozen=True)
class Format:
    """One way to keep VGG-Face in a file.

    Attributes:
        file: The public file, for messages.
        matches: Tells by the first bytes of a file whether it has this format.
        read: Returns the weights; may raise anything for a damaged file.
    """

    file: str
    matches: Callable[[bytes], bool]
    read: Callable[[Path], dict[str, Tensor]]


MISSING = "set train_matcher.vgg_face to a file of VGG-Face or to null"
FORMATS: Registry[Format] = Registry("VGG-Face format", __name__)


def load_vggface(path: Path) -> VGGFace:
    """Load VGG-Face from any of its public files.

    Raises:
        SanError: If the file is missing, damaged, of an unknown format or another network.
    """
    weights = check_weights(path, read_weights(path), rgb_shapes())
    return VGGFace.from_rgb(weights)


def read_weights(path: Path) -> dict[str, Tensor]:
    """Return the weights of a file, whatever their shapes.

    Raises:
        SanError: If the file is missing, damaged or of an unknown format.
    """
    require_file(path, MISSING)
    head = read_head(path)
    known = [FORMATS.get(name) for name in FORMATS.names()]
    for form in known:
        if form.matches(head):
            with damage_explained(path):
                return form.read(path)
    files = ", ".join(form.file for form in known)
    raise SanError(f"{path} has no known format: give one of {files}, taken out of its archive")


def starts_with(*magic: bytes) -> Callable[[bytes], bool]:
    """Return a test for files that start with one of these bytes."""
    return lambda head: head.startswith(magic)


def to_rgb(weights: dict[str, Tensor]) -> dict[str, Tensor]:
    """Turn the first layer's input from blue, green, red to red, green, blue."""
    first = "conv1_1.weight"
    return weights | {first: weights[first].flip(1)} if first in weights else weights
