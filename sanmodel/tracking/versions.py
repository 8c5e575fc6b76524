"""Versions of registered models by the URIs that MLflow's users know."""

import re

from mlflow import MlflowClient
from mlflow.entities.model_registry import ModelVersion
from mlflow.exceptions import MlflowException

from sanmodel.errors import SanError
from sanmodel.tracking.holding import is_lock

_URI = re.compile(r"models:/(?P<name>[^/@:]+)(?:@(?P<alias>[^/@]+)|/(?P<number>\d+))")


def find_version(client: MlflowClient, uri: str) -> ModelVersion:
    """Return the version that a URI names.

    Args:
        client: Of the registry.
        uri: ``models:/san-male@champion`` or ``models:/san-male/3``.

    Raises:
        SanError: If it is malformed, or there is no such model, version or alias.
    """
    parts = _URI.fullmatch(uri)
    if parts is None:
        raise SanError(
            f"{uri} names no version: write models:/san-male@champion or models:/san-male/3"
        )
    name, alias, number = parts["name"], parts["alias"], parts["number"]
    try:
        if alias:
            return client.get_model_version_by_alias(name, alias)
        return client.get_model_version(name, number)
    except MlflowException as error:
        if error.error_code not in ("RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE"):
            raise
        raise SanError(_missing(client, name, alias, number)) from error


def _missing(client: MlflowClient, name: str, alias: str | None, number: str | None) -> str:
    """Say what there is instead of a version that is missing."""
    models = [one.name for one in client.search_registered_models() if not is_lock(one.name)]
    if name not in models:
        return f"there is no registered model {name} ({_list(models)}): run san register"
    if alias:
        aliases = list(client.get_registered_model(name).aliases)
        return f"the alias {alias} of {name} points nowhere ({_list(aliases)}): choose another"
    versions = [str(one.version) for one in client.search_model_versions(f"name = '{name}'")]
    return f"{name} has no version {number} ({_list(versions)}): choose another"


def _list(names: list[str]) -> str:
    return f"there is {', '.join(sorted(names))}" if names else "there is none"
