"""One hand at a time on a registered model, on whatever machine it is.

MLflow has no transactions for its clients, but the name of a registered model is taken once: the
entry ``<name>.lock`` is there as long as somebody holds ``<name>``.
"""

import getpass
import os
import socket
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from mlflow import MlflowClient
from mlflow.exceptions import MlflowException

from sanmodel.errors import SanError

STALE = timedelta(minutes=10)
"""Moving aliases takes seconds: whoever holds a model for longer was killed."""

_WHO, _WHAT, _SINCE, _TOKEN = "san.who", "san.what", "san.since", "san.token"


@dataclass(frozen=True)
class Held:
    """A registered model that is held.

    Attributes:
        client: Of the registry.
        lock: Name of the entry that says so.
        token: What tells our entry from others'.
    """

    client: MlflowClient
    lock: str
    token: str

    def require(self) -> None:
        """Check that nobody has taken the model over, before something is changed.

        Raises:
            SanError: If somebody has.
        """
        if _tags(self.client, self.lock).get(_TOKEN) != self.token:
            raise SanError(f"{self.lock} was taken over: somebody else took us for dead; try again")


@contextmanager
def holding(client: MlflowClient, name: str, what: str) -> Iterator[Held]:
    """Hold a registered model while the block runs.

    Args:
        client: Of the registry.
        name: The registered model.
        what: What the block does to it, for whoever comes second.

    Raises:
        SanError: If somebody holds it: who, what for, and since when.
    """
    held = Held(client, f"{name}.lock", uuid.uuid4().hex)
    tags = {
        _WHO: _who(),
        _WHAT: what,
        _SINCE: _now().isoformat(timespec="seconds"),
        _TOKEN: held.token,
    }
    if not _taken(client, held.lock, tags):
        _refuse_or_clear(client, name, held.lock)
        if not _taken(client, held.lock, tags):
            raise SanError(f"{name} was taken a moment ago: try again")
    try:
        held.require()
        yield held
    finally:
        if _tags(client, held.lock).get(_TOKEN) == held.token:
            client.delete_registered_model(held.lock)


def is_lock(name: str) -> bool:
    """Tell whether an entry of the registry is no model but says that one is held."""
    return name.endswith(".lock")


def _taken(client: MlflowClient, lock: str, tags: dict[str, str]) -> bool:
    """Make the entry; False if there is one."""
    try:
        client.create_registered_model(lock, tags)
    except MlflowException as error:
        if error.error_code != "RESOURCE_ALREADY_EXISTS":
            raise
        return False
    return True


def _refuse_or_clear(client: MlflowClient, name: str, lock: str) -> None:
    """Clear an entry that a killed process left.

    Raises:
        SanError: If whoever made it may be alive.
    """
    tags = _tags(client, lock)
    since = datetime.fromisoformat(tags.get(_SINCE, _now().isoformat()))
    if tags and _now() - since < STALE:
        raise SanError(
            f"{name} is held by {tags.get(_WHO)} for {tags.get(_WHAT)} since"
            f" {since:%Y-%m-%d %H:%M:%S} UTC: try again when that is done"
        )
    with suppress(MlflowException):  # somebody else clears it, too
        client.delete_registered_model(lock)


def _tags(client: MlflowClient, lock: str) -> dict[str, str]:
    """Return what an entry says; nothing if there is none."""
    try:
        return dict(client.get_registered_model(lock).tags)
    except MlflowException as error:
        if error.error_code != "RESOURCE_DOES_NOT_EXIST":
            raise
        return {}


def _who() -> str:
    return f"{getpass.getuser()}@{socket.gethostname()} (process {os.getpid()})"


def _now() -> datetime:
    return datetime.now(UTC)
