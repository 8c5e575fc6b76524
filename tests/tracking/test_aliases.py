"""Aliases move together, one hand at a time, and a killed move is completed by the next."""

import json
import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta

import pytest
from mlflow import MlflowClient

from sanmodel.errors import SanError
from sanmodel.tracking import aliases
from sanmodel.tracking.aliases import MOVE, ROLLED_BACK, history_of, promote, roll_back
from sanmodel.tracking.holding import holding

NAME = "san-male"


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> str:
    uri = f"sqlite:///{tmp_path_factory.mktemp('registry')}/mlflow.db"
    MlflowClient(uri).search_experiments()
    return uri


@pytest.fixture
def client(database: str) -> MlflowClient:
    """A registry with three versions, 1 to 3, the last of them the challenger."""
    client = MlflowClient(database)
    for model in client.search_registered_models():
        client.delete_registered_model(model.name)
    client.create_registered_model(NAME)
    for number in range(3):
        client.create_model_version(NAME, f"/models/{number}")
    client.set_registered_model_alias(NAME, "challenger", "3")
    return client


def pointed(client: MlflowClient) -> dict[str, str]:
    return {name: str(one) for name, one in client.get_registered_model(NAME).aliases.items()}


def test_a_promotion_moves_the_three_aliases(client: MlflowClient) -> None:
    moved = promote(client, NAME, "1", None)
    assert (moved.champion, moved.before) == ("1", None)
    assert pointed(client) == {"champion": "1", "challenger": "3"}
    assert promote(client, NAME, "3", "1").before == "1"
    assert pointed(client) == {"champion": "3", "previous": "1"}
    assert [model.name for model in client.search_registered_models()] == [NAME]


def test_a_rollback_goes_back_one_champion_after_the_other(client: MlflowClient) -> None:
    for version, champion in (("1", None), ("2", "1"), ("3", "2")):
        promote(client, NAME, version, champion)
    assert roll_back(client, NAME, "leaks").champion == "2"
    assert pointed(client) == {"champion": "2", "previous": "1"}
    assert client.get_model_version(NAME, "3").tags[ROLLED_BACK] == "leaks"
    roll_back(client, NAME, "leaks, too")
    assert pointed(client) == {"champion": "1"}
    with pytest.raises(SanError, match="has no champion before the present one"):
        roll_back(client, NAME, "again")
    assert history_of(client, NAME) == ["1"]


def test_a_champion_that_changed_meanwhile_is_not_replaced(client: MlflowClient) -> None:
    promote(client, NAME, "1", None)
    promote(client, NAME, "2", "1")
    with pytest.raises(SanError, match="version 2 of san-male became the champion while version 3"):
        promote(client, NAME, "3", "1")
    assert pointed(client)["champion"] == "2"


def test_a_champion_that_was_appointed_by_hand_can_be_gone_back_to(client: MlflowClient) -> None:
    client.set_registered_model_alias(NAME, "champion", "2")
    promote(client, NAME, "3", "2")
    assert roll_back(client, NAME, "x").champion == "2"


@pytest.mark.parametrize("calls", range(5))
def test_a_killed_move_is_completed_by_the_next(
    client: MlflowClient, calls: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Die after each of the calls that a promotion makes once it has begun."""
    promote(client, NAME, "1", None)
    steps = [
        "set_registered_model_alias",
        "delete_registered_model_alias",
        "set_registered_model_tag",
        "delete_registered_model_tag",
    ]
    made = []
    with monkeypatch.context() as patch:
        for step in steps:
            real = getattr(MlflowClient, step)

            def call(self, *arguments, real=real, step=step):  # type: ignore[no-untyped-def]
                if MOVE in arguments and step.startswith("set"):
                    return real(self, *arguments)
                if len(made) == calls:
                    raise KeyboardInterrupt
                made.append(step)
                return real(self, *arguments)

            patch.setattr(MlflowClient, step, call)
        with pytest.raises(KeyboardInterrupt):
            promote(client, NAME, "3", "1")
    assert json.loads(client.get_registered_model(NAME).tags[MOVE])["history"] == ["1", "3"]
    assert pointed(client)["champion"] in ("1", "3")  # never nothing
    promote(client, NAME, "2", "3")
    assert pointed(client) == {"champion": "2", "previous": "3"}
    assert history_of(client, NAME) == ["1", "3", "2"]
    assert MOVE not in client.get_registered_model(NAME).tags


HOLD = """
import sys, time
from mlflow import MlflowClient
from sanmodel.tracking.holding import holding

with holding(MlflowClient(sys.argv[1]), "san-male", "a test"):
    print("held", flush=True)
    time.sleep(60)
"""


@pytest.fixture
def holder(database: str, client: MlflowClient) -> Iterator[subprocess.Popen[str]]:
    """Another process that holds the model until it is killed."""
    command = [sys.executable, "-c", HOLD, database]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        yield process
        process.kill()


def test_of_two_hands_the_second_is_told_who_holds(
    client: MlflowClient, holder: subprocess.Popen[str]
) -> None:
    told = rf"is held by .*\(process {holder.pid}\) for a test since 20.* UTC: try again"
    with pytest.raises(SanError, match=told):
        promote(client, NAME, "1", None)
    assert "champion" not in pointed(client)


def test_whoever_was_killed_does_not_hold_for_ever(
    client: MlflowClient, holder: subprocess.Popen[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    holder.kill()
    holder.wait()
    with pytest.raises(SanError, match="is held by"):
        promote(client, NAME, "1", None)
    monkeypatch.setattr("sanmodel.tracking.holding.STALE", timedelta(0))
    assert promote(client, NAME, "1", None).champion == "1"


def test_a_hand_that_was_taken_for_dead_changes_nothing(client: MlflowClient) -> None:
    with pytest.raises(SanError, match="was taken over"):
        with holding(client, NAME, "a long sleep") as held:
            client.delete_registered_model(held.lock)
            with holding(client, NAME, "another"):
                held.require()
    assert aliases.at(client, NAME, "champion") is None
