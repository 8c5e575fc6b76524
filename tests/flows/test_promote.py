"""The flow of a promotion says what the gate said, and tells it from a failure."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from prefect.artifacts import Artifact
from prefect.testing.utilities import prefect_test_harness

from flows.pages import DECISION
from flows.promote import promote
from sanmodel.errors import SanError
from sanmodel.tracking import register
from sanmodel.workspace import holding


@pytest.fixture(scope="module", autouse=True)
def prefect_server() -> Iterator[None]:
    with prefect_test_harness(server_startup_timeout=120):
        yield


@pytest.fixture
def registered(project: Path) -> Path:
    """A work tree whose challenger was only half uploaded."""
    register(project)
    (project / "mlflow/promotion.yaml").write_text("floors: {min_error: 0.25}\n")
    (stored,) = (project / "mlflow/artifacts").rglob("san.onnx")
    stored.unlink()
    return project


def test_a_refusal_is_a_state_of_its_own_with_its_reasons(registered: Path) -> None:
    state = promote(registered, return_state=True)
    assert state.is_completed()
    assert state.name == "Refused"
    assert state.message == "## san-young, version 1 against no champion: refused"
    artifact = Artifact.get(DECISION)
    assert artifact is not None
    assert "version 1 of san-young is incomplete" in str(artifact.data)


def test_what_cannot_be_judged_is_a_failure(registered: Path) -> None:
    with pytest.raises(SanError, match="san registry promote failed: san-young has no version 7"):
        promote(registered, which="7")


def test_a_work_tree_that_somebody_holds_is_left_alone(registered: Path) -> None:
    with holding(registered, "a test"):
        with pytest.raises(SanError, match=r"is held by .* for a test since"):
            promote(registered)
    assert not (registered / "reports/promotion").exists()
