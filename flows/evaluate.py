"""Evaluates the registered challenger and champion on the data and networks of today.

New photos may have come, new classifiers may have been added to ``evaluate``: a model that
protected last year may leak this year. Nothing is trained.
"""

from pathlib import Path

from prefect import flow

from flows.commands import run_flow, run_san, stage_task
from flows.pages import ASSESSMENT, show_text
from sanmodel.paths import Paths
from sanmodel.tracking import stage_names
from sanmodel.workspace import holding

DATA = ("fetch", "preprocess", "validate", "crop_set")
"""Stages that bring photos in."""


@flow
def evaluate(root: Path = Path()) -> None:
    """Bring the photos up to date, then let the registered models be judged by them.

    Args:
        root: The folder that holds ``dvc.yaml``.

    Raises:
        SanError: If a stage or the evaluation fails, there is no registered model, or somebody
            else holds the work tree.
    """
    with holding(root, "the flow evaluate"):
        for stage in stage_names(root):
            if stage.split("@")[0] in DATA:
                stage_task(stage)(root, stage, None)
        run_san.with_options(name="assess", task_run_name="assess")(root, ["registry", "assess"])
        file = Paths(root).promotion / "assessment.md"
        show_text(ASSESSMENT, file, "The registered models on the faces of today.")


if __name__ == "__main__":
    run_flow(evaluate)
