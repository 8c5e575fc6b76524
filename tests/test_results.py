"""The table that a pipeline run ends with."""

import json
from io import StringIO
from pathlib import Path

from example_report import example_metrics
from rich.console import Console

from sanmodel.paths import Paths
from sanmodel.results import show_results
from sanmodel.settings import Settings


def test_the_table_has_a_row_per_network_and_leads_to_the_report(tmp_path: Path):
    paths = Paths(tmp_path)
    paths.metrics("evaluate").parent.mkdir(parents=True)
    paths.metrics("evaluate").write_text(json.dumps(example_metrics()))
    paths.metrics("train_matcher").write_text(json.dumps({"vgg_face": 0}))
    shown = StringIO()
    show_results(Settings(), paths, Console(file=shown, width=200))
    lines = shown.getvalue().splitlines()
    (matching,) = [line for line in lines if "true match rate at 1.0% FMR (face-net)" in line]
    assert [word for word in matching.split() if word.endswith("%")][1:] == [
        "93.0%",
        "92.0%",
        "91.0%",
        "90.0%",
    ]
    assert any("0.1% FMR" in line and line.count(" - ") == 4 for line in lines)
    assert any("index.html" in line for line in lines)
