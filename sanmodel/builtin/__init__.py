"""The built-in models, for those who want to perturb a photo without training first.

The card ``male.md`` beside the files of ``Male`` says what the model was trained on and how well
it does.
"""

from pathlib import Path

from sanmodel.errors import SanError
from sanmodel.perturber import ModelFiles

ATTRIBUTES = ("Male",)
"""Attributes that have a built-in model."""

FOLDER = Path(__file__).parent
"""Where the files lie."""


def builtin_files(attribute: str, folder: Path = FOLDER) -> ModelFiles:
    """Return the places of a built-in model's files, whether they are there or not."""
    name = attribute.lower()
    prototypes = folder / f"{name}_prototypes.safetensors"
    return ModelFiles(autoencoder=folder / f"{name}.safetensors", prototypes=prototypes)


def builtin_model(attribute: str) -> ModelFiles:
    """Return the files of the built-in model of an attribute.

    Raises:
        SanError: If there is none.
    """
    if attribute not in ATTRIBUTES:
        raise SanError(
            f"there is no built-in model of {attribute!r}, only of {', '.join(ATTRIBUTES)}:"
            " train one with `dvc repro` and name its folder with --model"
        )
    return builtin_files(attribute)
