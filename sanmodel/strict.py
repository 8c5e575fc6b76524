"""YAML files whose form is checked: an unknown key or a wrong type is named with its place."""

import difflib
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ValidationError

from sanmodel.errors import SanError

Form = TypeVar("Form", bound=BaseModel)


def read_yaml(path: Path) -> Any:
    """Read a YAML file; an empty one holds nothing.

    Raises:
        SanError: If it is missing or no YAML.
    """
    try:
        return yaml.safe_load(path.read_text(encoding="utf-8")) or {}
    except FileNotFoundError as error:
        raise SanError(
            f"{path} is missing: run the command where {path.name} lies, or restore it from git"
        ) from error
    except yaml.YAMLError as error:
        raise SanError(f"{path} is not valid YAML: {error}") from error


def parse(form: type[Form], content: Any, origin: str) -> Form:
    """Check the content of a file.

    Args:
        form: What it must look like.
        content: What a parser made of it.
        origin: Where it comes from, for messages.

    Raises:
        SanError: If a key is unknown or a value has a wrong type or range; the message names it.
    """
    try:
        return form.model_validate(content)
    except ValidationError as error:
        problems = [
            _problem(form, item["loc"], item["type"], item["msg"]) for item in error.errors()
        ]
        raise SanError(f"{origin}: " + "; ".join(problems)) from error


def _problem(form: type[BaseModel], loc: tuple[int | str, ...], kind: str, message: str) -> str:
    """Say in one clause what is wrong with the key at ``loc``."""
    key = ".".join(str(part) for part in loc)
    if kind != "extra_forbidden":
        message = message.removeprefix("Value error, ")  # pydantic's, before a check of our own
        return f"{key or 'the file'}: {message[0].lower()}{message[1:]}"
    close = difflib.get_close_matches(str(loc[-1]), _known_keys(form, loc[:-1]), n=1)
    return f"{key} is not a known key" + (f", did you mean {close[0]}?" if close else "")


def _known_keys(form: type[BaseModel], loc: tuple[int | str, ...]) -> list[str]:
    """Return the keys that the section at ``loc`` accepts."""
    for part in loc:
        fields = {field.alias or name: field for name, field in form.model_fields.items()}
        annotation = fields[str(part)].annotation
        if not (isinstance(annotation, type) and issubclass(annotation, BaseModel)):
            return []
        form = annotation
    return [field.alias or name for name, field in form.model_fields.items()]
