"""Models as the pipeline leaves them on disk."""

from pathlib import Path

from torch import nn

from sanmodel.models.weights import save_weights
from sanmodel.perturber import ModelFiles
from sanmodel.prototypes import Prototypes


def saved_model(
    folder: Path, network: nn.Module, prototypes: Prototypes, attribute: str = "Male", **about: str
) -> ModelFiles:
    """Write a model; ``about`` tells ``architecture`` and ``align``."""
    files = ModelFiles.trained(folder)
    kind = {"kind": "autoencoder", "attribute": attribute}
    save_weights(files.autoencoder, network.state_dict(), **kind, **about)
    prototypes.save(files.prototypes, attribute)
    return files
