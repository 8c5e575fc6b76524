"""The registered model of a work tree: its versions, for whoever reads or moves them."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from mlflow import MlflowClient
from mlflow.entities.model_registry import ModelVersion

from sanmodel.settings import load_settings
from sanmodel.tracking.aliases import CHALLENGER, CHAMPION, PREVIOUS
from sanmodel.tracking.location import experiment_name, tracking_uri
from sanmodel.tracking.store import ambient, explained, require_store
from sanmodel.tracking.versions import find_version

ALIASES = (CHAMPION, CHALLENGER, PREVIOUS)


@dataclass(frozen=True)
class Shelf:
    """One registered model.

    Attributes:
        client: Of the registry.
        name: Of the registered model.
    """

    client: MlflowClient
    name: str

    def version(self, which: str) -> ModelVersion:
        """Return a version of the model.

        Args:
            which: Its number, an alias, or a whole ``models:/`` URI.

        Raises:
            SanError: If there is none.
        """
        if which.startswith("models:"):
            return find_version(self.client, which)
        mark = "/" if which.isdecimal() else "@"
        return find_version(self.client, f"models:/{self.name}{mark}{which}")

    def versions(self) -> list[ModelVersion]:
        """Return all versions, the newest first."""
        found = self.client.search_model_versions(f"name = '{self.name}'")
        return sorted(found, key=lambda version: -int(version.version))

    def aliases(self) -> dict[str, list[str]]:
        """Return the aliases of each version that has some, by its number; ours come first."""
        found = self.client.get_registered_model(self.name).aliases
        names: dict[str, list[str]] = {}
        for alias in sorted(found, key=lambda one: (one not in ALIASES, one)):
            names.setdefault(str(found[alias]), []).append(alias)
        return names


@contextmanager
def open_shelf(root: Path) -> Iterator[Shelf]:
    """Open the registered model of ``settings.attribute``; MLflow's errors become a sentence.

    Args:
        root: The folder that holds ``params.yaml``.

    Raises:
        SanError: If there is no store, or MLflow refuses or cannot be reached.
    """
    require_store(root)
    name = experiment_name(load_settings(root / "params.yaml"))
    # Downloads take the store from the environment.
    with explained(), ambient(tracking_uri(root)):
        yield Shelf(MlflowClient(), name)
