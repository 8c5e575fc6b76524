"""What a flow run shows on its page: artifacts made of files that commands wrote."""

import csv
from pathlib import Path

from prefect.artifacts import create_markdown_artifact, create_table_artifact

from sanmodel.paths import Paths
from sanmodel.tracking import run_address

REPORT, METRICS = "evaluation-report", "evaluation-metrics"
DECISION, ASSESSMENT = "promotion-decision", "assessment"
"""Keys of the artifacts."""

VARIANTS = "tables/variants-test.csv"
"""Table of the evaluation with a row for each variant of a face."""


def show_report(root: Path, run_id: str) -> None:
    """Lead to the report, the page of the data's owner and the MLflow run; show the figures.

    Args:
        root: The folder that holds ``dvc.yaml``, in a state that is filed.
        run_id: Its pipeline run.
    """
    paths = Paths(root.resolve())
    places = {
        "Evaluation": (paths.evaluation / "index.html").as_uri(),
        "Data Docs": (paths.data_docs / "index.html").as_uri(),
        "MLflow run": run_address(paths.root, run_id) or f"`{run_id}`",
    }
    links = [f"- {name}: {_link(place)}" for name, place in places.items()]
    create_markdown_artifact(
        key=REPORT, markdown="\n".join(links), description="What came of the pipeline."
    )
    table = paths.evaluation / VARIANTS
    if table.exists():
        with table.open(encoding="utf-8", newline="") as stream:
            rows = list(csv.DictReader(stream))
        create_table_artifact(key=METRICS, table=rows, description="Each variant of a face.")


def show_text(key: str, file: Path, description: str) -> None:
    """Show a file of Markdown that a command wrote."""
    text = file.read_text(encoding="utf-8")
    create_markdown_artifact(key=key, markdown=text, description=description)


def _link(place: str) -> str:
    return f"[{place}]({place})" if "://" in place else place
