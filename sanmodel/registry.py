"""Registries: a new source, detector, classifier or matcher is one new file that registers itself.

Example:
    A registry lives in the ``__init__`` of its package, each entry in a module of its own::

        DETECTORS: Registry[type[Detector]] = Registry("detector", __name__)

        @DETECTORS.register("dlib")
        class DlibDetector: ...
"""

import importlib
import pkgutil
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Generic, TypeVar

from sanmodel.errors import SanError
from sanmodel.extras import need

T = TypeVar("T")


class Registry(Generic[T]):
    """Entries of one kind by name; the modules of its package are imported on the first look-up."""

    def __init__(
        self, kind: str, package: str, extras: Mapping[str, str] = MappingProxyType({})
    ) -> None:
        """Make an empty registry.

        Args:
            kind: What an entry is called in messages, for example "detector".
            package: Import path of the package whose modules register entries.
            extras: Modules of the package that need more than the base install, and the entry that
                each registers. Without their libraries the others work all the same.
        """
        self.kind = kind
        self._package, self._extras = package, extras
        self._entries: dict[str, T] = {}
        self._missing: dict[str, str] = {}
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
            SanError: If there is none; the message lists the names that exist. Or if a library that
                it needs is not installed; the message says how to install it.
        """
        self._load()
        if name in self._missing:
            raise SanError(self._missing[name])
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
            self._import(module.name)
        self._loaded = True

    def _import(self, module: str) -> None:
        """Import a module of the package; note what the entry of an extra lacks."""
        try:
            importlib.import_module(f"{self._package}.{module}")
        except ModuleNotFoundError as error:
            entry = self._extras.get(module)
            sentence = need(f"the {self.kind} {entry}", error)
            if entry is None or sentence is None:
                raise
            self._missing[entry] = sentence
