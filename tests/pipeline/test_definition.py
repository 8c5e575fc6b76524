"""dvc.yaml agrees with the code: files, parameters and code that each stage really uses."""

import ast
import json
import re
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest
import yaml

from sanmodel.evaluation.figures import STYLES
from sanmodel.paths import Paths
from sanmodel.settings import Settings

PROJECT = Path(__file__).parents[2]
STAGES = {
    name: stage.get("do", stage)  # crop_set is there for each further set
    for name, stage in yaml.safe_load((PROJECT / "dvc.yaml").read_text())["stages"].items()
}
# A change here does not change what a stage computes: messages, places, the reading of params.yaml.
PLUMBING = {
    "__init__",
    "errors",
    "extras",
    "files",
    "observer",
    "paths",
    "registry",
    "rules",
    "settings",
    "strict",
}


@cache
def imports(module: str) -> frozenset[str]:
    """Modules of the package that ``module`` imports, directly or not, as paths."""
    path = PROJECT / module
    found = {module}
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("sanmodel"):
            base = (node.module or "").replace(".", "/")
            for name in (base, *(f"{base}/{alias.name}" for alias in node.names)):
                candidates = (f"{name}.py", f"{name}/__init__.py")
                found |= {c for c in candidates if (PROJECT / c).is_file()}
    for other in found - {module}:
        found |= imports(other)
    return frozenset(found)


def outputs(stage: str) -> set[str]:
    sections = (STAGES[stage].get(kind, []) for kind in ("outs", "metrics", "plots"))
    return {path for section in sections for entry in section for path in entry}


def test_the_stages_stand_in_the_papers_order():
    assert list(STAGES) == [
        "fetch",
        "preprocess",
        "validate",
        "prototypes",
        "train_classifier",
        "train_matcher",
        "pretrain",
        "train",
        "crop_set",
        "evaluate",
        "export",
        "seed",
    ]


@pytest.mark.parametrize("stage", STAGES)
def test_a_stage_depends_on_all_code_that_it_runs(stage: str):
    deps = STAGES[stage]["deps"]
    used = {m for m in imports(f"sanmodel/stages/{stage}.py") if Path(m).stem not in PLUMBING}
    missing = {m for m in used if not any(m == dep or m.startswith(f"{dep}/") for dep in deps)}
    assert not missing


@pytest.mark.parametrize("stage", STAGES)
def test_a_stage_depends_on_all_settings_that_it_reads(stage: str):
    aliases = {field.alias or name: name for name, field in Settings.model_fields.items()}
    keys = "|".join(aliases.values())
    read = set()
    for module in imports(f"sanmodel/stages/{stage}.py"):
        read |= set(re.findall(rf"\bsettings\.({keys})\b", (PROJECT / module).read_text()))
    named = [param for param in STAGES[stage]["params"] if isinstance(param, str)]
    declared = {aliases[param.split(".")[0]] for param in named}
    declared.add("workers")  # how fast, not what
    assert read <= declared


def test_the_report_is_made_anew_when_a_rule_changes():
    (files,) = (param for param in STAGES["evaluate"]["params"] if isinstance(param, dict))
    assert files == {str(Paths().promotion_rules): ["floors"]}


def test_every_stage_waits_for_the_validation_of_its_data():
    trained_on = [s for s in STAGES if "data/crops" in outputs(s) | set(STAGES[s]["deps"])]
    made = {path: stage for stage in STAGES for path in outputs(stage)}

    def ancestors(stage: str) -> set[str]:
        parents = {made[dep] for dep in STAGES[stage]["deps"] if dep in made}
        return parents.union(*(ancestors(parent) for parent in parents))

    for stage in set(trained_on) - {"preprocess", "validate"}:
        assert "validate" in ancestors(stage), stage


def test_outputs_lie_where_the_code_writes_them_and_survive_a_failure():
    paths = Paths()
    known = {
        str(getattr(paths, name))
        for name in dir(Paths)
        if isinstance(getattr(Paths, name), property)
    }
    for stage in STAGES:
        known |= {str(p) for p in (paths.metrics(stage), paths.curve(stage), paths.picture(stage))}
        known.add(str(paths.of_set("${key}").root))
        known.add("reports/seeds/${item.seed}.json")
        assert outputs(stage) <= known
        for kind in ("outs", "metrics", "plots"):
            for entry in STAGES[stage].get(kind, []):
                assert all(options["persist"] for options in entry.values())


@pytest.mark.parametrize("left", ["sample/renderer/.ruff_cache/x", "sample/__pycache__/x.pyc"])
def test_what_linters_and_tests_leave_makes_no_stage_run_again(left: str):
    path = f"data/{left}"
    command = [sys.executable, "-m", "dvc", "check-ignore", path]
    found = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, check=False)
    assert found.stdout.strip() == path


@pytest.mark.parametrize("name", ["attribute_roc", "matching_roc"])
def test_plots_of_dvc_have_the_colours_of_the_report(name: str):
    template = json.loads((PROJECT / f".dvc/plots/{name}.json").read_text())
    scale = template["spec"]["encoding"]["color"]["scale"]
    found = dict(zip(scale["domain"], scale["range"], strict=True))
    assert found == {variant: colour for variant, (colour, _) in STYLES.items()}
