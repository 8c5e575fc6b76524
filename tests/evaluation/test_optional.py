import sys

import pytest

from sanmodel.errors import SanError
from sanmodel.evaluation.optional import load_package, weights_explained


def test_a_module_that_is_there_is_imported():
    import json.decoder

    assert load_package("json.decoder", "anything") is json.decoder


def test_a_missing_package_is_told_with_the_command_that_installs_it():
    with pytest.raises(SanError) as caught:
        load_package("no_such_package.part", "facenet")
    assert str(caught.value) == (
        "facenet needs the package no_such_package, which is not installed:"
        ' run `pip install "sanmodel[facenet]"`'
    )


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("import no_such_dependency", "needs the package no_such_dependency, which is not"),
        ("raise RuntimeError('operator nms does not exist')", "(operator nms does not exist)"),
    ],
)
def test_a_package_that_cannot_be_imported_is_told_alike(tmp_path, monkeypatch, code, message):
    (tmp_path / "broken_package.py").write_text(code)
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(SanError) as caught:
        load_package("broken_package", "deepface")
    assert message in str(caught.value)
    assert 'run `pip install "sanmodel[deepface]"`' in str(caught.value)
    assert "broken_package" not in sys.modules


def test_weights_that_cannot_be_had_are_told_with_their_place(tmp_path):
    path = tmp_path / "w.onnx"
    with pytest.raises(SanError) as caught:
        with weights_explained(path, "https://example.org/w.zip"):
            raise ConnectionError("no route to host")
    assert str(caught.value) == (
        "w.onnx is not there and its download failed (no route to host): put the file from"
        f" https://example.org/w.zip at {path}"
    )


def test_weights_that_cannot_be_read_are_told_likewise(tmp_path):
    path = tmp_path / "w.onnx"
    path.write_bytes(b"<html>")
    with pytest.raises(SanError) as caught:
        with weights_explained(path, "https://example.org/w.zip"):
            raise ValueError
    assert str(caught.value) == (
        f"{path} cannot be read (ValueError): replace it with the file from"
        " https://example.org/w.zip"
    )


@pytest.mark.parametrize("error", [MemoryError(), SanError("a sentence")])
def test_what_is_not_the_files_fault_is_passed_on(tmp_path, error):
    with pytest.raises(type(error)) as caught:
        with weights_explained(tmp_path / "w", "https://example.org"):
            raise error
    assert caught.value is error
