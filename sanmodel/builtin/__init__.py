"""The built-in models, for those who want to perturb a photo without training first.

Each is an export folder. The card ``male.md`` beside that of ``Male`` says what the model was
trained on and how well it does.
"""

from pathlib import Path

from sanmodel.errors import SanError

ATTRIBUTES = ("Male",)
"""Attributes that have a built-in model."""

FOLDER = Path(__file__).parent
"""Where the export folders lie."""


def builtin_folder(attribute: str, within: Path = FOLDER) -> Path:
    """Return the place of a built-in model's export folder, whether it is there or not."""
    return within / attribute.lower()


def builtin_model(attribute: str) -> Path:
    """Return the export folder of the built-in model of an attribute.

    Raises:
        SanError: If there is none.
    """
    if attribute not in ATTRIBUTES:
        raise SanError(
            f"there is no built-in model of {attribute!r}, only of {', '.join(ATTRIBUTES)}:"
            " train one with `dvc repro` and name its folder with --model"
        )
    return builtin_folder(attribute)
