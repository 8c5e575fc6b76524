"""Which packages a state was made with."""

import platform
from collections.abc import Iterable
from importlib.metadata import distributions

FILE = "packages.txt"
"""Artifact of a pipeline run."""


def installed() -> list[str]:
    """Return Python, the platform and every installed package with its version, a line each."""
    names = {f"{one.metadata['Name'].lower()}=={one.version}" for one in distributions()}
    return [
        f"python=={platform.python_version()}",
        f"machine=={platform.machine()}",
        *sorted(names),
    ]


def changes(before: Iterable[str], now: Iterable[str]) -> list[str]:
    """Say what differs between two such lists, a clause each."""
    old, new = (dict(line.split("==", maxsplit=1) for line in lines) for lines in (before, now))
    return [
        f"{name} {old.get(name, 'was not there')}, now {new.get(name, 'missing')}"
        for name in sorted(old | new)
        if old.get(name) != new.get(name)
    ]
