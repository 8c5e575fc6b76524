"""The four trainings, a few steps each."""

import csv
from pathlib import Path

import pytest
import torch
from small import small_settings

from sanmodel.errors import SanError
from sanmodel.files import read_json
from sanmodel.models.frozen import load_classifier, load_matcher
from sanmodel.models.weights import load_weights, read_about
from sanmodel.observer import Observer
from sanmodel.paths import Paths
from sanmodel.stages import pretrain, prototypes, train, train_classifier, train_matcher


class Interrupt(Observer):
    """Presses Ctrl-C after the second step."""

    def losses(self, step: int, terms) -> None:
        if step == 2:
            raise KeyboardInterrupt


def train_all(paths: Paths) -> None:
    for stage in (train_classifier, train_matcher, pretrain, train):
        stage.run(small_settings(), paths)


@pytest.fixture(scope="module")
def trained(crops_root: Path, tmp_path_factory: pytest.TempPathFactory) -> Paths:
    root = tmp_path_factory.mktemp("trained")
    (root / "data").symlink_to(crops_root / "data")
    (root / "models").mkdir()
    name = "models/prototypes.safetensors"
    (root / name).symlink_to(crops_root / name)
    train_all(Paths(root))
    return Paths(root)


def test_every_stage_leaves_weights_metrics_and_a_curve(trained: Paths):
    stages = {
        "train_classifier": (trained.classifier, ["cross_entropy"]),
        "train_matcher": (trained.matcher, ["cosine_margin"]),
        "pretrain": (trained.pretrained, ["J_D"]),
        "train": (trained.autoencoder, ["J_G", "J_M", "J_total"]),
    }
    for stage, (weights, terms) in stages.items():
        assert read_about(weights)["attribute"] == "Male"
        assert set(terms) <= set(read_json(trained.metrics(stage)))
        with trained.curve(stage).open() as stream:
            rows = list(csv.DictReader(stream))
        assert list(rows[0]) == ["step", *terms]
        assert [row["step"] for row in rows] == ["1", "2", "3"]
    assert not list(trained.scratch.glob("checkpoints/*"))


def test_training_changes_the_autoencoder_and_neither_frozen_network(trained: Paths):
    before, after = load_weights(trained.pretrained), load_weights(trained.autoencoder)
    assert all(not torch.equal(before[name], after[name]) for name in before)
    classifier = load_classifier(trained.classifier, "Male")
    matcher = load_matcher(trained.matcher)
    for network in (classifier, matcher):
        assert not network.training
        assert not any(parameter.requires_grad for parameter in network.parameters())


def test_one_seed_gives_the_same_bits_twice(trained: Paths, tree: Paths):
    train_all(tree)
    for name in ("classifier", "matcher", "pretrained", "autoencoder"):
        first, second = getattr(trained, name), getattr(tree, name)
        assert first.read_bytes() == second.read_bytes(), name


def test_after_ctrl_c_the_stage_goes_on_to_the_same_bits(trained: Paths, tree: Paths):
    settings = small_settings(pretrain={"checkpoint_every": 1})
    pretrain.run(settings, tree)
    whole = tree.pretrained.read_bytes()
    tree.pretrained.unlink()
    with pytest.raises(KeyboardInterrupt):
        pretrain.run(settings, tree, Interrupt())
    assert not tree.pretrained.exists()
    assert list(tree.scratch.glob("checkpoints/*"))
    pretrain.run(settings, tree)
    assert tree.pretrained.read_bytes() == whole


def test_damaged_or_foreign_inputs_are_named(trained: Paths, tree: Paths):
    for name in ("pretrained", "classifier", "matcher"):
        getattr(tree, name).write_bytes(getattr(trained, name).read_bytes())
    with pytest.raises(SanError, match=r"prototypes\.safetensors .*needed is 'Smiling'"):
        train.run(small_settings(attribute="Smiling"), tree)
    tree.classifier.write_bytes(tree.classifier.read_bytes()[:1000])
    with pytest.raises(SanError, match=r"classifier\.safetensors is damaged"):
        train.run(small_settings(), tree)
    assert not tree.autoencoder.exists()


def test_aligned_prototypes_are_trained_with(trained: Paths, tree: Paths):
    settings = small_settings(prototypes={"align": "landmarks"})
    for name in ("pretrained", "classifier", "matcher"):
        getattr(tree, name).write_bytes(getattr(trained, name).read_bytes())
    tree.prototypes.unlink()
    prototypes.run(settings, tree)
    with pytest.raises(SanError, match=r"pretrained\.safetensors .*align='none', needed is 'land"):
        train.run(settings, tree)
    for stage in (pretrain, train):
        stage.run(settings, tree)
    assert read_about(trained.autoencoder)["align"] == "none"
    for name in ("pretrained", "autoencoder"):
        assert read_about(getattr(tree, name))["align"] == "landmarks"
    before, after = load_weights(trained.pretrained), load_weights(tree.pretrained)
    assert not torch.equal(before["proto_combiner.weight"], after["proto_combiner.weight"])
