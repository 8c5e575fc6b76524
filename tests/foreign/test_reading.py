from pathlib import Path
from zipfile import ZipFile

import pytest
import torch

from sanmodel.errors import SanError
from sanmodel.foreign.reading import check_weights, read_head, read_state_dict

SHAPES = {"a": torch.Size([2, 3]), "b": torch.Size([4])}
FITTING = {"a": torch.zeros(2, 3), "b": torch.ones(4)}


def test_weights_that_fit_become_32_bit_floats_in_the_networks_order():
    halves = {"b": torch.ones(4).half(), "a": torch.zeros(2, 3).double()}
    checked = check_weights(Path("x"), halves, SHAPES)
    assert list(checked) == ["a", "b"]
    assert all(weight.dtype == torch.float32 for weight in checked.values())


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"b": None}, "b is missing"),
        ({"a": torch.zeros(3, 2)}, r"a has shape \(3, 2\), needed is \(2, 3\)"),
        ({"c": torch.zeros(1)}, "c is unknown"),
        ({"b": 4}, "b is no tensor"),
        ({"b": torch.tensor([1, 2, 3, float("nan")])}, "b holds values that are not finite"),
    ],
)
def test_what_does_not_fit_is_named(change: dict, problem: str):
    with pytest.raises(SanError, match=f"^x does not fit: {problem}; take one of the files"):
        check_weights(Path("x"), FITTING | change, SHAPES)


@pytest.mark.parametrize(
    "page",
    [
        b"<!DOCTYPE html><html>",
        b"\xef\xbb\xbf  <html>",
        b"<!-- saved from a server -->\n<html lang=en>",
        "\ufeff<!doctype html>".encode("utf-16-le"),
    ],
)
def test_a_web_page_is_one_however_it_begins(tmp_path: Path, page: bytes):
    path = tmp_path / "weights.pth"
    path.write_bytes(page)
    with pytest.raises(SanError, match="is a web page, not weights"):
        read_head(path)


def test_what_is_no_checkpoint_at_all_is_not_called_damaged(tmp_path: Path):
    path = tmp_path / "weights.pth"
    path.write_text("attribute: Male\n")
    with pytest.raises(SanError, match="does not fit: it is no PyTorch checkpoint"):
        read_state_dict(path)
    with ZipFile(path, "w") as archive:
        archive.writestr("vgg_face_torch/VGG_FACE.t7", "x")
    with pytest.raises(SanError, match="archive of other files; take the weights out of it"):
        read_state_dict(path)
    torch.save(FITTING, path)
    assert read_state_dict(path).keys() == FITTING.keys()
