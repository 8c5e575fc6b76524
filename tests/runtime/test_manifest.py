import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from sanmodel.errors import SanError
from sanmodel.runtime.manifest import load_manifest


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "san.onnx").write_bytes(b"graph")
    write(tmp_path, content())
    return tmp_path


def content() -> dict[str, Any]:
    file = {
        "name": "san.onnx",
        "sha256": hashlib.sha256(b"graph").hexdigest(),
        "kind": "onnx",
        "precision": "fp32",
        "library": "torch 2.13.0",
        "gpu_targets": [],
        "max_batch": 8,
    }
    image = {"name": "image", "dtype": "uint8", "shape": ["batch", 224, 224], "meaning": "-"}
    return {
        "sanmodel_version": "0.1.0",
        "attribute": "Male",
        "classes": ["not Male", "Male"],
        "crop": {"size": 224, "crop_scale": 1.7, "shift_up": 0.1},
        "inputs": [image],
        "outputs": [image | {"name": "opposite"}],
        "precisions": [],
        "files": [file],
        "engine_gap": "none was asked for",
    }


def write(folder: Path, manifest: dict[str, Any]) -> None:
    (folder / "manifest.json").write_text(json.dumps(manifest))


def test_whole_folder_is_accepted(folder: Path) -> None:
    manifest = load_manifest(folder)
    assert manifest.crop.crop_scale == 1.7
    assert manifest.inputs[0].shape == ("batch", 224, 224)
    assert manifest.file("onnx").max_batch == 8
    assert manifest.model_dump(mode="json") == content()


def test_the_manifest_tells_what_the_model_takes(folder: Path) -> None:
    signature = load_manifest(folder).signature
    assert (signature.attribute, signature.size, signature.max_batch) == ("Male", 224, 8)
    assert (signature.aligned, signature.pixels) == (False, "uint8")


def test_absent_kind_is_an_error(folder: Path) -> None:
    with pytest.raises(SanError, match="no file of the kind tensorrt in fp32"):
        load_manifest(folder).file("tensorrt")
    with pytest.raises(SanError, match="no file of the kind onnx in int8"):
        load_manifest(folder).file("onnx", "int8")


def test_altered_file_is_noticed(folder: Path) -> None:
    (folder / "san.onnx").write_bytes(b"graqh")
    with pytest.raises(SanError, match=r"san\.onnx is not the file that manifest\.json lists"):
        load_manifest(folder)


def test_missing_file_is_noticed(folder: Path) -> None:
    (folder / "san.onnx").unlink()
    with pytest.raises(SanError, match=r"san\.onnx is missing"):
        load_manifest(folder)


def test_folder_without_manifest_is_no_export(tmp_path: Path) -> None:
    with pytest.raises(SanError, match="is not an export folder"):
        load_manifest(tmp_path)


@pytest.mark.parametrize("name", ["../san.onnx", "/etc/hostname", "", ".."])
def test_files_lie_in_the_folder(folder: Path, name: str) -> None:
    manifest = content()
    manifest["files"][0]["name"] = name
    write(folder, manifest)
    with pytest.raises(SanError, match="is malformed"):
        load_manifest(folder)


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", "\x00"])
def test_malformed_manifest_is_an_error(folder: Path, text: str) -> None:
    (folder / "manifest.json").write_text(text)
    with pytest.raises(SanError, match=r"manifest\.json is malformed"):
        load_manifest(folder)
