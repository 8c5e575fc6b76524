import hashlib
from pathlib import Path

from sanmodel.export.manifest import artifact, write_manifest
from sanmodel.runtime import load_manifest
from sanmodel.settings import Settings, parse_settings

INPUTS = ("image", "attribute", "mode")


def test_manifest_says_what_the_model_expects(tmp_path: Path) -> None:
    path = tmp_path / "san.engine"
    path.write_bytes(b"engine")
    settings = parse_settings({"attribute": "Smiling", "preprocess": {"crop_scale": 2.0}})
    engine = artifact(path, "tensorrt-rtx", "tensorrt_rtx 1.7", ("8.0", "8.6"), 16, "fp16")
    written = write_manifest(tmp_path, settings, INPUTS, [engine], None)
    read = load_manifest(tmp_path)
    assert read == written
    assert (read.attribute, read.classes) == ("Smiling", ("not Smiling", "Smiling"))
    assert (read.crop.size, read.crop.crop_scale, read.crop.shift_up) == (224, 2.0, 0.1)
    assert [(port.name, port.shape[0]) for port in (*read.inputs, *read.outputs)] == [
        (name, "batch") for name in ("image", "attribute", "mode", "perturbed")
    ]
    file = read.file("tensorrt-rtx", "fp16")
    assert file.sha256 == hashlib.sha256(b"engine").hexdigest()
    assert (file.name, file.precision, file.library) == ("san.engine", "fp16", "tensorrt_rtx 1.7")
    assert (file.gpu_targets, file.max_batch, read.engine_gap) == (("8.0", "8.6"), 16, None)


def test_manifest_tells_what_landmarks_are(tmp_path: Path) -> None:
    (*_, port) = write_manifest(tmp_path, Settings(), (*INPUTS, "landmarks"), [], None).inputs
    assert (port.name, port.dtype, port.shape) == ("landmarks", "float32", ("batch", 5, 2))
    assert "nose" in port.meaning
