"""What can run an exported model: a new one is a new module here, registered in ``RUNTIMES``."""

import importlib
from pathlib import Path
from typing import Protocol

from sanmodel.registry import Registry
from sanmodel.runtime.manifest import Manifest
from sanmodel.runtime.perturber import Perturber


class Runtime(Protocol):
    """Opens exported models on this machine."""

    def obstacle(self) -> str | None:
        """Return why it cannot work on this machine, or None if it can."""
        ...

    def precisions(self, manifest: Manifest) -> list[str]:
        """Return the precisions that it can run a model in on this machine, the most exact first.

        It is not asked where there is an obstacle.
        """
        ...

    def open(
        self, folder: Path, manifest: Manifest, precision: str, threads: int | None
    ) -> Perturber:
        """Open a model, after a check of the file that it opens.

        Args:
            folder: The export folder.
            manifest: Of the folder.
            precision: One of :meth:`precisions`.
            threads: CPU threads; None takes one for each core.

        Raises:
            SanError: If a file is missing, altered or damaged.
        """
        ...


RUNTIMES: Registry[type[Runtime]] = Registry("runtime", __name__)


def missing(library: str) -> str | None:
    """Return why a library cannot be imported, or None if it can."""
    try:
        importlib.import_module(library)
    except ModuleNotFoundError:
        return f"the package {library} is not installed"
    except (ImportError, OSError) as error:  # its shared libraries do not fit this machine
        return f"the package {library} cannot be loaded ({error})"
    return None
