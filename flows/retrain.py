"""Runs every stage of ``dvc.yaml`` as a task, then registers the model.

``python -m flows.retrain`` in the work tree needs no server: Prefect starts one for the time of
the flow, unless ``PREFECT_API_URL`` names another.
"""

from pathlib import Path

from prefect import flow

from flows.commands import run_flow, run_san, stage_task
from flows.pages import show_report
from sanmodel.tracking import file_pipeline, open_pipeline, stage_names
from sanmodel.workspace import holding


@flow
def retrain(root: Path = Path()) -> None:
    """Run the stages in the order of ``dvc.yaml``, then register the model.

    Args:
        root: The folder that holds ``dvc.yaml``.

    Raises:
        SanError: If a stage or the registration fails or somebody else holds the work tree; the
            pipeline run is closed as failed.
    """
    with holding(root, "the flow retrain"):
        with open_pipeline(root) as run_id:
            for stage in stage_names(root):
                stage_task(stage)(root, stage, run_id)
            run_san.with_options(name="register", task_run_name="register")(
                root, ["register"], run_id
            )
        # A state that was filed before has kept its run, not the one that this flow opened.
        show_report(root, file_pipeline(root))


if __name__ == "__main__":
    run_flow(retrain)
