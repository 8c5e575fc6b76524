import json
import logging
import os
from pathlib import Path

import numpy as np
import pytest
import torch
from small_models import exported_model

from sanmodel.errors import SanError
from sanmodel.export.manifest import artifact
from sanmodel.files import write_json
from sanmodel.models.autoencoders import new_autoencoder
from sanmodel.prototypes import Prototypes
from sanmodel.runtime import load, read_manifest
from sanmodel.runtime.cache import cache_folder, keep, kept
from sanmodel.runtime.choice import OVERRIDE, Way, open_fastest, ways
from sanmodel.runtime.runtimes import RUNTIMES


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.delenv(OVERRIDE, raising=False)
    return tmp_path / "cache/sanmodel"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """An export whose int8 file is the fp32 file again."""
    torch.manual_seed(1)
    prototypes = Prototypes(torch.rand(3, 224, 224), torch.rand(3, 224, 224), 0.3)
    made = exported_model(tmp_path / "export", new_autoencoder("skip"), prototypes)
    (made / "san-int8.onnx").write_bytes((made / "san.onnx").read_bytes())
    other = artifact(made / "san-int8.onnx", "onnx", "onnxruntime", (), 4, "int8")
    manifest = read_manifest(made)
    changed = manifest.model_copy(update={"files": (*manifest.files, other)})
    write_json(made / "manifest.json", changed.model_dump(mode="json"))
    return made


def orders(cache: Path) -> list[list[str]]:
    return [json.loads(path.read_text()) for path in (cache / "runtimes").glob("*.json")]


def test_the_fastest_way_is_measured_once_and_remembered(folder: Path, cache: Path) -> None:
    manifest = read_manifest(folder)
    candidates = [str(way) for way in ways(manifest, None, None)]
    assert {"onnxruntime:fp32", "onnxruntime:int8"} <= set(candidates)
    way, _ = open_fastest(folder, manifest)
    (order,) = orders(cache)
    assert sorted(order) == sorted(candidates)
    assert order[0] == str(way)
    (path,) = (cache / "runtimes").glob("*.json")
    path.write_text(json.dumps(list(reversed(order))))
    again, _ = open_fastest(folder, manifest)
    assert str(again) == order[-1]
    path.write_text("{")  # damaged: measured anew
    open_fastest(folder, manifest)
    assert sorted(orders(cache)[0]) == sorted(candidates)


def test_another_model_or_number_of_threads_is_measured_anew(folder: Path, cache: Path) -> None:
    open_fastest(folder, read_manifest(folder))
    open_fastest(folder, read_manifest(folder), threads=1)
    assert len(orders(cache)) == 2
    manifest = json.loads((folder / "manifest.json").read_text())
    (folder / "manifest.json").write_text(json.dumps(manifest | {"sanmodel_version": "other"}))
    open_fastest(folder, read_manifest(folder))
    assert len(orders(cache)) == 3


def test_a_machine_that_cannot_remember_measures_each_time(
    folder: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", os.devnull)
    assert load(folder).perturb(np.zeros((1, 224, 224), np.uint8), [1]).shape == (1, 224, 224)
    assert not cache.exists()


def test_a_runtime_or_precision_can_be_asked_for(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    manifest = read_manifest(folder)
    assert open_fastest(folder, manifest, "onnxruntime", "int8")[0] == Way("onnxruntime", "int8")
    monkeypatch.setenv(OVERRIDE, "onnxruntime:fp32")
    assert open_fastest(folder, manifest)[0] == Way("onnxruntime", "fp32")
    assert open_fastest(folder, manifest, precision="int8")[0].precision == "int8"
    monkeypatch.setenv(OVERRIDE, "abacus")
    with pytest.raises(SanError, match="there is no runtime 'abacus': choose one of onnxruntime"):
        load(folder)


def test_what_runs_nothing_says_why(folder: Path) -> None:
    manifest = read_manifest(folder)
    with pytest.raises(SanError, match=r"in bf16 \(onnxruntime: runs fp32, int8 of this model\)"):
        ways(manifest, "onnxruntime", "bf16")
    obstacle = RUNTIMES.get("tensorrt")().obstacle()
    if obstacle is None:
        pytest.skip("TensorRT works here")
    with pytest.raises(SanError, match="nothing here runs the model") as caught:
        load(folder, "tensorrt")
    assert obstacle in str(caught.value)


def test_a_way_that_fails_is_left_out_with_a_warning(
    folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (folder / "san-int8.onnx").write_bytes(b"damaged")
    manifest = read_manifest(folder)
    with caplog.at_level(logging.WARNING):
        way, _ = open_fastest(folder, manifest, "onnxruntime")
    assert way == Way("onnxruntime", "fp32")
    assert "onnxruntime:int8 is left out" in caplog.text
    with pytest.raises(SanError, match="SHA-256 differs"):
        open_fastest(folder, manifest, "onnxruntime", "int8")


def test_a_way_that_fails_later_gives_way_to_the_next(
    folder: Path, cache: Path, caplog: pytest.LogCaptureFixture
) -> None:
    manifest = read_manifest(folder)
    open_fastest(folder, manifest, "onnxruntime")
    (path,) = (cache / "runtimes").glob("*.json")
    path.write_text(json.dumps(["onnxruntime:int8", "onnxruntime:fp32"]))
    (folder / "san-int8.onnx").unlink()
    way, _ = open_fastest(folder, manifest, "onnxruntime")
    assert way == Way("onnxruntime", "fp32")
    assert "onnxruntime:int8 cannot be used" in caplog.text


def test_the_cache_holds_whole_files_or_none(cache: Path) -> None:
    assert cache_folder() == cache
    path = cache / "engines/a.engine"
    assert kept(path) is None
    keep(path, b"engine")
    assert kept(path) == b"engine"
    assert [one.name for one in path.parent.iterdir()] == ["a.engine"]
