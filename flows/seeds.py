"""Repeats the last training with other seeds, side by side on Dask: how far do figures scatter?

``python -m flows.seeds 2 3 4`` in the work tree. Seeds run as processes, so many at a time as
``SAN_SEEDS_AT_ONCE`` says (1: a training takes all cores), or on the Dask cluster at
``SAN_DASK_SCHEDULER``, whose machines must see the work tree. With ``seeds`` in ``params.yaml`` the
pipeline does the same as a DVC matrix, one after the other.
"""

import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from prefect import flow
from prefect.artifacts import create_table_artifact
from prefect.task_runners import TaskRunner
from prefect_dask.task_runners import DaskTaskRunner

from flows.commands import run_flow, run_san
from sanmodel.files import read_json
from sanmodel.paths import Paths
from sanmodel.workspace import holding

SEEDS = "seeds"
"""Key of the artifact with the figures of each seed."""


def task_runner() -> TaskRunner[Any]:
    """Return what runs the seeds: processes of this machine, or a cluster's workers."""
    address = os.environ.get("SAN_DASK_SCHEDULER")
    if address:
        return DaskTaskRunner(address=address)
    workers = int(os.environ.get("SAN_SEEDS_AT_ONCE", "1"))
    local = {"n_workers": workers, "threads_per_worker": 1, "host": "127.0.0.1"}
    return DaskTaskRunner(cluster_kwargs={**local, "dashboard_address": None})


@flow
def seeds(numbers: Sequence[int] = (2, 3, 4), root: Path = Path()) -> None:
    """Train and evaluate once for each seed.

    Args:
        numbers: The seeds.
        root: The folder that holds ``dvc.yaml``, with the inputs of the training.

    Raises:
        SanError: If a training fails or somebody else holds the work tree.
    """
    with holding(root, "the flow seeds"):
        tasks = [
            run_san.with_options(name="seed", task_run_name=f"seed {number}").submit(
                root.resolve(), ["seed", str(number)]
            )
            for number in numbers
        ]
        for one in tasks:
            one.result()
    paths = Paths(root)
    rows = [{"seed": number, **read_json(paths.seed_metrics(number))} for number in numbers]
    create_table_artifact(key=SEEDS, table=rows, description="The same training, other seeds.")


def main(arguments: Sequence[str]) -> None:
    """Run the flow in the current folder for the seeds that are named."""
    chosen = [int(one) for one in arguments] or [2, 3, 4]
    run_flow(lambda: seeds.with_options(task_runner=task_runner())(chosen))


if __name__ == "__main__":
    main(sys.argv[1:])
