"""The four trainings, a few steps each."""

import csv
import math
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from small import small_settings
from vggface_files import Weights, write_old_pth

from sanmodel.errors import SanError
from sanmodel.files import read_json, sha256
from sanmodel.models.ensemble import load_classifiers
from sanmodel.models.frozen import load_matcher
from sanmodel.models.vggface import UnitVGGFace, VGGFace
from sanmodel.models.weights import load_weights, read_about, save_weights
from sanmodel.observer import Observer
from sanmodel.paths import Paths
from sanmodel.stages import pretrain, prototypes, train, train_classifier, train_matcher
from sanmodel.stages.training import Training, load_side
from sanmodel.training.data import Examples, RawBatch, to_batch


class Viewer(Observer):
    """Keeps the pictures."""

    def __init__(self) -> None:
        self.pictures: dict[tuple[str, int], NDArray[np.uint8]] = {}

    def picture(self, name: str, step: int, array: NDArray[np.uint8]) -> None:
        self.pictures[name, step] = array


class Interrupt(Observer):
    """Presses Ctrl-C after the second step."""

    def losses(self, step: int, terms) -> None:
        if step == 2:
            raise KeyboardInterrupt


class InterruptedAfterTraining(Observer):
    """Presses Ctrl-C when crops are described, once the network is there."""

    def __init__(self) -> None:
        self.steps: list[int] = []

    def start(self, name: str, total: int, done: int = 0) -> None:
        if name == "descriptors":
            raise KeyboardInterrupt

    def losses(self, step: int, terms) -> None:
        self.steps.append(step)


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
    classifiers = load_classifiers(trained.classifier, "Male")
    matcher = load_matcher(trained.matcher)
    assert len(classifiers) == 1
    for network in (classifiers, matcher):
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


def test_a_matcher_that_is_trained_is_not_trained_again_to_describe(trained: Paths, tree: Paths):
    first, again = InterruptedAfterTraining(), InterruptedAfterTraining()
    for observer in (first, again):
        with pytest.raises(KeyboardInterrupt):
            train_matcher.run(small_settings(), tree, observer)
    assert first.steps
    assert not again.steps
    train_matcher.run(small_settings(), tree)
    assert tree.matcher.read_bytes() == trained.matcher.read_bytes()
    assert tree.descriptors.read_bytes() == trained.descriptors.read_bytes()
    assert not list(tree.scratch.glob("checkpoints/*"))


def test_pictures_show_the_same_faces_above_what_becomes_of_them(trained: Paths, tree: Paths):
    for name in ("classifier", "matcher", "descriptors", "pretrained"):
        getattr(tree, name).write_bytes(getattr(trained, name).read_bytes())
    viewer = Viewer()
    train.run(small_settings(train={"picture_every": 2}), tree, viewer)
    assert list(viewer.pictures) == [("train", 2), ("train", 3)]
    faces = load_side(small_settings(), tree, "train").images[:6]
    for picture in viewer.pictures.values():
        assert picture.shape == (3 * 224, 224 * len(faces))  # X, X'_SM and X'_OP
        assert np.array_equal(picture[:224], np.concatenate(list(faces), axis=1))
    first, last = viewer.pictures.values()
    assert not np.array_equal(first[224:], last[224:])
    assert tree.autoencoder.read_bytes() == trained.autoencoder.read_bytes()


def test_a_checkpoint_of_other_settings_or_inputs_is_told_by_its_key(trained: Paths, tree: Paths):
    class Notes(Interrupt):
        texts: ClassVar[list[str]] = []

        def note(self, text: str) -> None:
            self.texts.append(text)

    for name in ("classifier", "matcher", "descriptors", "pretrained"):
        getattr(tree, name).write_bytes(getattr(trained, name).read_bytes())
    tree.pretrained.write_bytes(trained.autoencoder.read_bytes())
    often = {"checkpoint_every": 1}
    for changes in (often, often | {"lambda_G": 2.0}):
        with pytest.raises(KeyboardInterrupt):
            train.run(small_settings(train=changes), tree, Notes())
    tree.pretrained.write_bytes(trained.pretrained.read_bytes())
    with pytest.raises(KeyboardInterrupt):
        train.run(small_settings(train=changes), tree, Notes())
    both = small_settings(pretrain=often), small_settings(pretrain=often, autoencoder="skip")
    for settings in both:
        with pytest.raises(KeyboardInterrupt):
            pretrain.run(settings, tree, Notes())
    settings, weights, autoencoder = Notes.texts
    assert "another configuration: train.lambda_G was 1.0 and is 2.0;" in settings
    assert "another configuration: models/pretrained.safetensors was " in weights
    assert "another configuration: autoencoder was paper and is skip;" in autoencoder


def test_damaged_or_foreign_inputs_are_named(trained: Paths, tree: Paths):
    for name in ("pretrained", "classifier", "matcher", "descriptors"):
        getattr(tree, name).write_bytes(getattr(trained, name).read_bytes())
    with pytest.raises(SanError, match=r"prototypes\.safetensors .*needed is 'Smiling'"):
        train.run(small_settings(attribute="Smiling"), tree)
    tree.classifier.write_bytes(tree.classifier.read_bytes()[:1000])
    with pytest.raises(SanError, match=r"classifier\.safetensors is damaged"):
        train.run(small_settings(), tree)
    assert not tree.autoencoder.exists()


def described(trained: Paths, examples: Examples) -> torch.Tensor:
    """What R_vgg says of all examples, as it sees them."""
    R_vgg, batch = load_matcher(trained.matcher), to_batch(examples.take(np.arange(len(examples))))
    with torch.inference_mode():
        return R_vgg(R_vgg.view(batch.X, batch.landmarks))


class Listener(Observer):
    """Keeps what it is told."""

    def __init__(self) -> None:
        self.notes: list[str] = []

    def note(self, text: str) -> None:
        self.notes.append(text)


def test_a_file_of_vggface_is_converted_once_and_its_checksum_shown(
    tree: Paths, vggface_weights: Weights
):
    source = tree.root / "vgg_face_dag.pth"
    write_old_pth(source, vggface_weights)
    checksum, listener = sha256(source), Listener()
    settings = {"vgg_face": source.name, "vgg_face_sha256": checksum.upper()}
    metrics = train_matcher.run(small_settings(train_matcher=settings), tree, listener)
    source.unlink()
    try:
        assert metrics == read_json(tree.metrics("train_matcher"))
        rate = metrics.pop("test_tmr_at_1_percent_fmr")
        assert 0 <= rate <= 1
        assert metrics == {"vgg_face": 1, "sha256": checksum}
        assert listener.notes == [f"R_vgg is VGG-Face from {source}, SHA-256 {checksum}"]
        assert read_about(tree.matcher)["source"] == checksum
        network = load_matcher(tree.matcher)
        assert isinstance(network, VGGFace)
        assert not isinstance(network, UnitVGGFace)
        assert torch.equal(network.fc8.weight, vggface_weights["fc8.weight"])
    finally:
        tree.matcher.unlink()


def test_descriptors_of_vggface_may_have_length_1(tree: Paths, vggface_weights: Weights):
    source = tree.root / "vgg_face_dag.pth"
    write_old_pth(source, vggface_weights)
    try:
        settings = small_settings(train_matcher={"vgg_face": source.name, "normalise": True})
        train_matcher.run(settings, tree)
        assert isinstance(load_matcher(tree.matcher), UnitVGGFace)
        lengths = load_weights(tree.descriptors)["R_X"].norm(dim=1)
        torch.testing.assert_close(lengths, torch.ones(len(lengths)))
    finally:
        source.unlink()
        tree.matcher.unlink(missing_ok=True)


def test_the_true_match_rate_is_that_of_all_pairs_of_the_test_side(trained: Paths):
    test = load_side(small_settings(), trained, "test")
    descriptors = described(trained, test)
    distances = torch.cdist(descriptors.double(), descriptors.double())
    same = torch.from_numpy(test.identity[:, None] == test.identity)
    impostors = distances[~same].sort().values
    nearest = impostors[len(impostors) // 100]  # it alone would be one false match too many
    genuine = distances[same & ~torch.eye(len(same), dtype=torch.bool)]
    expected = (genuine < nearest).double().mean().item()
    found = read_json(trained.metrics("train_matcher"))["test_tmr_at_1_percent_fmr"]
    assert found == pytest.approx(expected, abs=0.02)


def test_the_first_people_who_have_enough_crops_are_described_whole():
    identity = np.array([2, 0, 1, 0, 2, 1, 3])
    assert train_matcher.people_of(identity, 2).tolist() == [1, 3]
    assert train_matcher.people_of(identity, 3).tolist() == [1, 2, 3, 5]
    assert train_matcher.people_of(identity, 100).tolist() == list(range(7))


def test_people_apart_match_and_too_few_pairs_give_no_rate():
    people = np.repeat(np.arange(8), 2)
    apart = torch.eye(8)[people] + torch.arange(2).repeat(8)[:, None] * 0.01
    assert train_matcher.true_match_rate(apart, people) == 1
    swapped = apart[[*range(1, 16), 0]]  # every image looks like its neighbour's person
    assert train_matcher.true_match_rate(swapped, people) == 0
    assert train_matcher.true_match_rate(apart[:8], people[:8]) is None  # 48 impostor pairs
    assert train_matcher.true_match_rate(apart, np.arange(16)) is None


def test_another_file_of_vggface_than_the_expected_one_is_not_read(tree: Paths):
    (tree.root / "vgg_face_dag.pth").write_bytes(b"\x80 no weights")
    settings = {"vgg_face": "vgg_face_dag.pth", "vgg_face_sha256": 64 * "0"}
    with pytest.raises(SanError, match="has SHA-256 [0-9a-f]{64}, not 0{64} as train_matcher"):
        train_matcher.run(small_settings(train_matcher=settings), tree)
    settings["vgg_face"] = "nowhere.pth"
    with pytest.raises(SanError, match=r"nowhere\.pth is missing: set train_matcher\.vgg_face to"):
        train_matcher.run(small_settings(train_matcher=settings), tree)
    assert not tree.matcher.exists()


def test_aligned_prototypes_are_trained_with(trained: Paths, tree: Paths):
    settings = small_settings(prototypes={"align": "landmarks"})
    for name in ("pretrained", "classifier", "matcher", "descriptors"):
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


def test_another_autoencoder_is_handed_on_without_pretraining_and_trained(
    trained: Paths, tree: Paths
):
    settings = small_settings(autoencoder="skip", pretrain={"steps": 0})
    for name in ("pretrained", "classifier", "matcher", "descriptors"):
        getattr(tree, name).write_bytes(getattr(trained, name).read_bytes())
    with pytest.raises(SanError, match=r"pretrained\.safetensors holds the autoencoder 'paper', n"):
        train.run(settings, tree)
    viewer = Viewer()
    assert pretrain.run(settings, tree, viewer) == read_json(tree.metrics("pretrain")) == {}
    assert tree.curve("pretrain").read_text() == "step\n"
    assert viewer.pictures == {}
    assert not list(tree.scratch.glob("checkpoints/*"))
    train.run(settings, tree)
    for name in ("pretrained", "autoencoder"):
        assert read_about(getattr(trained, name))["architecture"] == "paper"
        assert read_about(getattr(tree, name))["architecture"] == "skip"
    before, after = load_weights(tree.pretrained), load_weights(tree.autoencoder)
    assert all(not torch.equal(before[name], after[name]) for name in before)


def test_several_classifiers_and_random_looks_are_trained_with(trained: Paths, tree: Paths):
    settings = small_settings(
        train_classifier={"members": 3},
        train={
            "augment": True,
            "lambda_D": 0.1,
            "lambda_S": 1.0,
            "reconstruction": "l1",
            "fidelity": "both",
            "matching": "mean",
            "matching_from": 1,
        },
    )
    figures = train_classifier.run(settings, tree)
    assert {"test_error", "test_error_1", "test_error_2", "test_error_3"} <= set(figures)
    classifiers = load_classifiers(tree.classifier, "Male")
    assert [one.size for one in classifiers] == [224, 64, 32]
    assert not any(parameter.requires_grad for parameter in classifiers.parameters())
    for name in ("matcher", "descriptors", "pretrained"):
        getattr(tree, name).write_bytes(getattr(trained, name).read_bytes())
    figures = train.run(settings, tree)
    assert {"J_G", "J_M", "J_D", "J_S", "J_total"} <= set(figures)
    assert all(math.isfinite(value) for value in figures.values())
    rows = list(csv.DictReader(tree.curve("train").open()))
    assert [bool(row["J_M"]) for row in rows] == [False, True, True]
    assert all(row["J_total"] for row in rows)
    first = tree.autoencoder.read_bytes()
    train.run(settings, tree)
    assert tree.autoencoder.read_bytes() == first  # the looks, too, are the seed's


def test_the_test_errors_of_classifiers_are_found_where_the_training_runs(
    tree: Paths, monkeypatch: pytest.MonkeyPatch
):
    placed: list[int] = []

    class Watched(Training):
        def place(self, thing: Any) -> Any:
            placed.extend([len(thing.images)] if isinstance(thing, RawBatch) else [])
            return super().place(thing)

    monkeypatch.setattr(train_classifier, "Training", Watched)
    figures = train_classifier.run(small_settings(train_classifier={"members": 2}), tree)
    test = load_side(small_settings(), tree, "test")
    assert sum(placed) == len(test)
    X = to_batch(test.take(np.arange(len(test)))).X
    with torch.inference_mode():
        logits = torch.stack([one(X) for one in load_classifiers(tree.classifier, "Male")])
    wrong = (logits > 0).numpy() != (test.y == 1)
    assert [figures["test_error_1"], figures["test_error_2"]] == wrong.mean(axis=1).tolist()
    assert figures["test_error"] == ((logits.mean(dim=0) > 0).numpy() != (test.y == 1)).mean()


def test_the_descriptors_of_the_originals_are_known_before_the_training(
    trained: Paths, tree: Paths
):
    known = load_weights(trained.descriptors)["R_X"]
    examples = load_side(small_settings(), trained, "train")
    torch.testing.assert_close(known, described(trained, examples), rtol=0, atol=1e-5)
    for name in ("classifier", "matcher", "descriptors", "pretrained"):
        getattr(tree, name).write_bytes(getattr(trained, name).read_bytes())
    about = {"kind": "descriptors", "crops": examples.digest, "matcher": sha256(tree.matcher)}
    for changes, match in (
        ({"crops": "others"}, "holds weights with crops='others'"),
        ({"matcher": "another"}, "holds weights with matcher='another'"),
    ):
        save_weights(tree.descriptors, {"R_X": known}, **about | changes)
        with pytest.raises(SanError, match=match):
            train.run(small_settings(), tree)
    for tensors in ({"R_X": known[1:]}, {"R": known}, {"R_X": known[0]}):
        save_weights(tree.descriptors, tensors, **about)
        with pytest.raises(SanError, match="does not hold the descriptors of .* crops"):
            train.run(small_settings(), tree)
