"""Lets the gate judge the challenger, which becomes the champion if it is accepted."""

from pathlib import Path

from prefect import State, flow, task
from prefect.cache_policies import NO_CACHE
from prefect.states import Completed

from flows.commands import call, require_success, run_flow
from flows.pages import DECISION, show_text
from sanmodel.paths import Paths
from sanmodel.workspace import holding

REFUSED = 3
"""Exit status of ``san registry promote`` when the gate refuses."""


@task(cache_policy=NO_CACHE)
def ask_gate(root: Path, which: str) -> bool:
    """Let ``san registry promote`` judge a version; returns whether it was promoted.

    Raises:
        SanError: If it could not be judged; the message is the reason.
    """
    status, lines = call(root, ["san", "registry", "promote", which], {})
    if status != REFUSED:
        require_success("san registry promote", status, lines)
    return status != REFUSED


@flow
def promote(root: Path = Path(), which: str = "challenger") -> State[None]:
    """Promote a version if the gate accepts it.

    Args:
        root: The folder that holds ``dvc.yaml``.
        which: Number or alias of the version.

    Returns:
        A completed state named Promoted or Refused, which notifications can tell apart.

    Raises:
        SanError: If the version could not be judged, or somebody else holds the work tree.
    """
    with holding(root, "the flow promote"):
        promoted = ask_gate(root, which)
        file = Paths(root).promotion / "decision.md"
        show_text(DECISION, file, "What the gate said, and why.")
    name = "Promoted" if promoted else "Refused"
    return Completed(name=name, message=file.read_text(encoding="utf-8").splitlines()[0])


if __name__ == "__main__":
    run_flow(promote)
