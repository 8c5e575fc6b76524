"""Two weights of J_G on six people, two steps each."""

from pathlib import Path

import pytest
import yaml
from small import small_settings
from typer.testing import CliRunner

from sanmodel.benchmarks import tradeoff
from sanmodel.benchmarks.tradeoff import run_benchmark
from sanmodel.cli import app
from sanmodel.errors import SanError
from sanmodel.files import read_json
from sanmodel.models.weights import load_weights
from sanmodel.paths import Paths
from sanmodel.stages import pretrain, train_classifier, train_matcher

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


def test_an_attribute_that_nobody_reads_has_no_curve():
    metrics = {"classifiers": {}, "matchers": {}, "gaps": ["nobody reads Smiling"]}
    with pytest.raises(SanError, match="no figures for a curve: nobody reads Smiling"):
        tradeoff.figures_of(metrics)
