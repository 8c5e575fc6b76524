"""The console command from outside, as a user types it."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

SAN = Path(sys.executable).parent / "san"
STAGES = ("fetch", "preprocess", "validate", "prototypes", "train-classifier", "train-matcher")
COMMANDS = (*STAGES, "pretrain", "train", "evaluate", "export", "track", "register", "results")


def san(*arguments: str, root: Path = Path()) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "COLUMNS": "100", "NO_COLOR": "1"}
    return subprocess.run(
        [SAN, *arguments], cwd=root, capture_output=True, text=True, check=False, env=environment
    )


def test_help_lists_a_subcommand_per_stage():
    shown = san("--help")
    assert shown.returncode == 0
    for command in COMMANDS:
        assert command in shown.stdout


@pytest.mark.parametrize("command", COMMANDS[:4])
def test_each_subcommand_explains_itself(command: str):
    shown = san(command, "--help")
    assert shown.returncode == 0
    assert "--root" in shown.stdout


@pytest.mark.parametrize(
    ("params", "command", "words"),
    [
        (None, "fetch", "params.yaml is missing: run the command where params.yaml lies"),
        ("train: {step: 1}", "train", "train.step is not a known key, did you mean steps?"),
        ("fetch: {source: faces}", "fetch", "no data source 'faces': choose one of celeba, sample"),
        ("fetch: {folder: nowhere}", "fetch", "nowhere/labels.csv is missing: set fetch.folder"),
        ("seed: 1", "preprocess", "data/raw holds no table: run `dvc repro` to make it"),
        ("seed: 1", "results", "reports/evaluate.json is missing: run `dvc repro` to make it"),
    ],
)
def test_a_users_error_is_one_sentence(
    params: str | None, command: str, words: str, tmp_path: Path
):
    if params is not None:
        (tmp_path / "params.yaml").write_text(params)
    failed = san(command, root=tmp_path)
    assert failed.returncode == 1
    assert words in failed.stderr
    assert "Traceback" not in failed.stderr
    assert failed.stderr.count("\n") == 1
