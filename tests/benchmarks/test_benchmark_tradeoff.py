"""Two weights of J_G on six people, two steps each."""

from pathlib import Path

import pytest
import yaml
from small import small_settings
from typer.testing import CliRunner

from sanmodel import faces
from sanmodel.benchmarks.tradeoff import run_benchmark
from sanmodel.cli import app
from sanmodel.errors import SanError
from sanmodel.files import read_json
from sanmodel.models.weights import load_weights
from sanmodel.observer import Observer
from sanmodel.paths import Paths
from sanmodel.stages import pretrain, train_classifier, train_matcher
from sanmodel.trials import figures_of

SETTINGS = small_settings(autoencoder="skip", pretrain={"steps": 0}, train={"steps": 2})


@pytest.fixture
def ready(tree: Paths) -> Paths:
    """A work tree with all that the semi-adversarial training needs."""
    for stage in (train_classifier, train_matcher, pretrain):
        stage.run(SETTINGS, tree)
    tree.params.write_text(yaml.safe_dump(SETTINGS.model_dump(by_alias=True)))
    return tree


def test_every_weight_is_a_point_and_the_work_tree_stays_as_it_was(ready: Paths, tmp_path: Path):
    before = load_weights(ready.pretrained)
    out, chart = tmp_path / "ours.json", tmp_path / "chart.svg"
    command = ["benchmark", "tradeoff", "--root", str(ready.root), "--out", str(out)]
    command += ["--weight", "0", "--weight", "100", "--chart", str(chart)]
    done = CliRunner().invoke(app, command, catch_exceptions=False)
    assert done.exit_code == 0, done.output
    figures = read_json(out)
    assert [point["lambda_G"] for point in figures["points"]] == [0, 100]
    assert figures["points"][0] != {**figures["points"][1], "lambda_G": 0}
    assert "lambda_G" not in figures["train"]
    assert chart.read_text().startswith("<?xml")
    assert not ready.autoencoder.exists()
    assert (load_weights(ready.pretrained)["encoder_1.weight"] == before["encoder_1.weight"]).all()


def test_each_point_is_there_before_the_next_one_is_trained(ready: Paths):
    first = next(run_benchmark(SETTINGS, ready, [1.0, 2.0]))
    assert [point["lambda_G"] for point in first["points"]] == [1]


class Stop(Observer):
    """Presses Ctrl-C after the second step."""

    def losses(self, step: int, terms) -> None:
        if step == 2:
            raise KeyboardInterrupt


class Starts(Observer):
    """Keeps at which step each training started."""

    def __init__(self) -> None:
        self.steps: list[int] = []

    def start(self, task: str, total: int, done: int = 0) -> None:
        self.steps += [done] if task == "train" else []


def test_a_point_that_was_stopped_goes_on_from_its_checkpoint(ready: Paths):
    settings = small_settings(autoencoder="skip", train={"steps": 3, "checkpoint_every": 1})
    whole = next(run_benchmark(settings, ready, [1.0]))
    with pytest.raises(KeyboardInterrupt):
        next(run_benchmark(settings, ready, [1.0], observer=Stop()))
    starts = Starts()
    assert next(run_benchmark(settings, ready, [1.0], observer=starts)) == whole
    assert starts.steps == [1]
    assert not ready.of_weight(1.0).root.exists()


def test_the_crops_are_decoded_once_for_all_points(ready: Paths, monkeypatch: pytest.MonkeyPatch):
    decoded = sorted(ready.decoded.iterdir())
    monkeypatch.setattr(faces, "_decode", None)
    next(run_benchmark(SETTINGS, ready, [1.0]))
    assert sorted(ready.decoded.iterdir()) == decoded


def test_an_attribute_that_nobody_reads_has_no_curve():
    metrics = {"classifiers": {}, "matchers": {}, "gaps": ["nobody reads Smiling"]}
    with pytest.raises(SanError, match="no figures for a curve: nobody reads Smiling"):
        figures_of(metrics)
