"""Registries: a new source, detector, classifier or matcher is one new file that registers itself.

Example:
    A registry lives in the ``__init__`` of its package, each entry in a module of its own::

        DETECTORS: Registry[type[Detector]] = Registry("detector", __name__)

        @DETECTORS.register("dlib")
        class DlibDetector: ...
"""

import importlib
import pkgutil
from collections.abc import Callable
from typing import Generic, TypeVar

from sanmodel.errors import SanError

T = TypeVar("T")


class Registry(Generic[T]):
    """Entries of one kind by name; the modules of its package are imported on the first look-up."""

    def __init__(self, kind: str, package: str) -> None:
        """Make an empty registry.

        Args:
            kind: What an entry is called in messages, for example "detector".
            package: Import path of the package whose modules register entries.
        """
        self.kind = kind
        self._package = package
        self._entries: dict[str, T] = {}
        self._loaded = False

    def register(self, name: str) -> Callable[[T], T]:
        """Return a decorator that files an entry under ``name``.

        Raises:
            ValueError: If the name is taken.
        """

        def add(entry: T) -> T:
            if name in self._entries:
                raise ValueError(f"{self.kind} {name!r} is registered twice")
            self._entries[name] = entry
            return entry

        return add

    def names(self) -> list[str]:
        """Return the names of all entries, sorted."""
        self._load()
        return sorted(self._entries)

    def get(self, name: str) -> T:
        """Return the entry filed under ``name``.

        Raises:
            SanError: If there is none; the message lists the names that exist.
        """
        self._load()
        if name not in self._entries:
            raise SanError(
                f"there is no {self.kind} {name!r}: choose one of {', '.join(self.names())}"
            )
        return self._entries[name]

    def _load(self) -> None:
        if self._loaded:
            return
        package = importlib.import_module(self._package)
        for module in pkgutil.iter_modules(package.__path__):
            importlib.import_module(f"{self._package}.{module.name}")
        self._loaded = True
