"""Which version is in use: the aliases ``champion``, ``previous`` and ``challenger``.

A move changes several of them, and MLflow changes one at a time. So the move is written down first,
as a tag of the registered model, and the next one completes it if its process was killed. What
production reads, ``champion``, changes in a single step.
"""

import json
from dataclasses import dataclass

from mlflow import MlflowClient
from mlflow.entities.model_registry import ModelVersion
from mlflow.exceptions import MlflowException

from sanmodel.errors import SanError
from sanmodel.tracking.holding import Held, holding

CHALLENGER, CHAMPION, PREVIOUS = "challenger", "champion", "previous"

HISTORY = "san.history"
"""Tag of the registered model: numbers of the versions that were promoted and not rolled back, the
champion's last."""

MOVE = "san.move"
"""Tag of the registered model: a move that has begun, until it has ended."""

ROLLED_BACK = "san.rolled_back"
"""Tag of a version: why it is no longer in use."""


@dataclass(frozen=True)
class Moved:
    """What a move changed.

    Attributes:
        champion: The version in use from now on.
        before: The one that was until now; None before the first.
    """

    champion: str
    before: str | None


def at(client: MlflowClient, name: str, alias: str) -> ModelVersion | None:
    """Return the version that an alias points to, or None."""
    try:
        return client.get_model_version_by_alias(name, alias)
    except MlflowException as error:
        if error.error_code not in ("RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE"):
            raise
        return None


def promote(client: MlflowClient, name: str, version: str, judged_against: str | None) -> Moved:
    """Make a version the champion.

    Args:
        client: Of the registry.
        name: The registered model.
        version: Number of the version.
        judged_against: Number of the champion that it was found better than; None if there was
            none.

    Raises:
        SanError: If somebody else moves aliases, or there is another champion by now.
    """
    with holding(client, name, f"the promotion of version {version}") as held:
        history = _settled(client, name, held)
        champion = history[-1] if history else None
        if champion != judged_against:
            raise SanError(
                f"version {champion} of {name} became the champion while version {version} was"
                f" judged against {judged_against or 'none'}: promote again to judge anew"
            )
        move = {"history": [*_without(history, [version]), version]}
        challenger = at(client, name, CHALLENGER)
        if challenger is not None and str(challenger.version) == version:
            move["challenger"] = []
        _move(client, name, held, move)
    return Moved(version, champion)


def roll_back(client: MlflowClient, name: str, reason: str) -> Moved:
    """Make the champion before the present one the champion again.

    Args:
        client: Of the registry.
        name: The registered model.
        reason: Why, for whoever asks later.

    Raises:
        SanError: If there is no earlier one, or somebody else moves aliases.
    """
    with holding(client, name, "a rollback") as held:
        history = _settled(client, name, held)
        if len(history) < 2:
            raise SanError(f"{name} has no champion before the present one: nothing to go back to")
        *kept, bad = history
        client.set_model_version_tag(name, bad, ROLLED_BACK, reason)
        _move(client, name, held, {"history": kept})
    return Moved(kept[-1], bad)


def history_of(client: MlflowClient, name: str) -> list[str]:
    """Return the numbers of the versions that were promoted and not rolled back, in order.

    A champion that somebody appointed by hand comes last, since it is what production reads.
    """
    tags = client.get_registered_model(name).tags
    history: list[str] = json.loads(tags.get(HISTORY, "[]"))
    champion = at(client, name, CHAMPION)
    appointed = [str(champion.version)] if champion else []
    return history if history[-1:] == appointed else [*_without(history, appointed), *appointed]


def _without(history: list[str], versions: list[str]) -> list[str]:
    return [version for version in history if version not in versions]


def _settled(client: MlflowClient, name: str, held: Held) -> list[str]:
    """Complete the move of a process that was killed; return the history."""
    begun = client.get_registered_model(name).tags.get(MOVE)
    if begun:
        _carry_out(client, name, held, json.loads(begun))
    return history_of(client, name)


def _move(client: MlflowClient, name: str, held: Held, move: dict[str, list[str]]) -> None:
    held.require()
    client.set_registered_model_tag(name, MOVE, json.dumps(move))
    _carry_out(client, name, held, move)


def _carry_out(client: MlflowClient, name: str, held: Held, move: dict[str, list[str]]) -> None:
    """Change the aliases; done twice it is as if done once."""
    held.require()
    *earlier, champion = move["history"]
    client.set_registered_model_alias(name, CHAMPION, champion)
    if earlier:
        client.set_registered_model_alias(name, PREVIOUS, earlier[-1])
    else:
        client.delete_registered_model_alias(name, PREVIOUS)
    if "challenger" in move:
        client.delete_registered_model_alias(name, CHALLENGER)
    client.set_registered_model_tag(name, HISTORY, json.dumps(move["history"]))
    client.delete_registered_model_tag(name, MOVE)
