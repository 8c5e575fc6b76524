"""The console command from outside, as a user types it."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from sanmodel.builtin import builtin_model
from sanmodel.builtin.making import card_row

SAN = Path(sys.executable).parent / "san"
STAGES = ("fetch", "preprocess", "validate", "prototypes", "train-classifier", "train-matcher")
COMMANDS = (*STAGES, "pretrain", "train", "evaluate", "export", "track", "register", "results")
MORE = ("perturb", "make-builtin", "sources", "download", "import-authors", "crop-set", "compare")
MORE += ("registry", "pull", "reproduce", "backup", "restore", "seed")


def san(*arguments: str, root: Path = Path()) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "COLUMNS": "100", "NO_COLOR": "1"}
    return subprocess.run(
        [SAN, *arguments], cwd=root, capture_output=True, text=True, check=False, env=environment
    )


def test_help_lists_a_subcommand_per_stage():
    shown = san("--help")
    assert shown.returncode == 0
    for command in (*COMMANDS, *MORE):
        assert command in shown.stdout


def test_the_detector_s_commands_explain_themselves():
    assert "--people-share" in san("dpm", "train", "--help").stdout
    assert "--sheet" in san("benchmark", "detection", "--help").stdout
    assert "--crops" in san("benchmark", "loading", "--help").stdout
    assert "--images" in san("benchmark", "preprocessing", "--help").stdout


def test_a_detector_is_not_trained_without_a_table(tmp_path):
    failed = san("dpm", "train", "--raw", str(tmp_path), "--out", str(tmp_path / "a.safetensors"))
    assert failed.returncode == 1
    assert "holds no table" in failed.stderr


def test_sources_are_shown_with_terms_citation_and_way():
    table = san("sources").stdout
    for words in ("celeba", "arface", "non-commercial", "ICCV 2015", "place it by hand"):
        assert words in table
    details = san("sources", "celeba").stdout
    assert (
        "img_align_celeba.zip (1,443,490,838 bytes, md5:00d2c5bc6d35e252742224ab0c1e8fcb)"
        in details
    )
    assert "to   data/sources/celeba/Img/img_align_celeba.zip" in details
    assert "files of --variant wild" in details


def test_download_of_what_is_there_says_how_to_go_on():
    done = san("download", "sample", "--root", str(Path(__file__).parents[1]))
    assert done.returncode == 0
    assert "sample: 700 images of 70 people" in done.stdout
    assert "set fetch.source to sample and fetch.folder to data/sample" in done.stdout


def test_download_names_what_only_a_person_can_get(tmp_path: Path):
    failed = san("download", "lfw", "--to", "faces", root=tmp_path)
    assert failed.returncode == 1
    assert "place it at faces/male_names.txt" in failed.stderr
    assert failed.stderr.count("\n") == 1


def test_the_authors_model_is_looked_for_and_its_prototypes_named(tmp_path: Path):
    shown = san("import-authors", "--help").stdout
    assert "prototypes aligned to each face" in shown
    assert "models/authors.safetensors" in shown
    failed = san("import-authors", "conv-autoencoder-e20.pkl", root=tmp_path)
    assert failed.returncode == 1
    assert "error: conv-autoencoder-e20.pkl is missing: give the path" in failed.stderr


def test_a_built_in_model_is_made_of_an_exported_one(tmp_path: Path):
    builtin = builtin_model("Male")  # float16 already, so that it comes out as it is
    shutil.copytree(builtin, tmp_path / "models/export")
    made = san("make-builtin", "--to", "made", root=tmp_path)
    rows = [card_row(path) for path in sorted(builtin.iterdir())]
    assert made.stdout.splitlines() == rows
    failed = san("make-builtin", "--from", "nowhere", "--to", "made", root=tmp_path)
    assert failed.returncode == 1
    assert "nowhere holds no exported model: give an export folder" in failed.stderr


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
        (
            "fetch: {source: faces}",
            "fetch",
            "no data source 'faces': choose one of arface, celeba, folder",
        ),
        ("fetch: {folder: nowhere}", "fetch", "nowhere is missing: set fetch.folder to where the"),
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
