"""All autoencoders by name: a new one is a new file here, and its name in ``AUTOENCODERS``.

``Settings.autoencoder`` admits the same names.

Each is called as the paper's is, see :meth:`sanmodel.models.autoencoder.Autoencoder.forward`.
"""

from pathlib import Path

from torch import nn

from sanmodel.errors import SanError
from sanmodel.models.autoencoder import Autoencoder
from sanmodel.models.skip_autoencoder import SkipAutoencoder
from sanmodel.models.weights import load_module, read_about

AUTOENCODERS: dict[str, type[nn.Module]] = {"paper": Autoencoder, "skip": SkipAutoencoder}
"""Architectures by the name in ``params.yaml`` and in the metadata of their weights."""


def new_autoencoder(architecture: str) -> nn.Module:
    """Return an autoencoder with random weights.

    Args:
        architecture: A key of ``AUTOENCODERS``; ``params.yaml`` takes no other.
    """
    return AUTOENCODERS[architecture]()


def load_autoencoder(
    path: Path, attribute: str, align: str, architecture: str | None = None
) -> nn.Module:
    """Load the autoencoder that a file holds.

    Args:
        path: A weights file; one that does not name its architecture is of the paper's.
        attribute: The attribute that it must be of.
        align: Alignment of the prototypes that it must have been trained with.
        architecture: The one that it must be; None takes any.

    Raises:
        SanError: If the file is missing or damaged, or of another attribute, alignment or
            architecture.
    """
    found = read_about(path).get("architecture", "paper")
    if found not in AUTOENCODERS:
        raise SanError(f"{path} holds no known autoencoder: run `dvc repro` to make it again")
    if architecture not in (None, found):
        raise SanError(
            f"{path} holds the autoencoder {found!r}, needed is {architecture!r}:"
            f" run `dvc repro` to make it again, or set autoencoder to {found}"
        )
    network = new_autoencoder(found)
    load_module(network, path, kind="autoencoder", attribute=attribute, align=align)
    return network
