"""Every public form of VGG-Face, written as its makers do it, comes back as the same weights."""

from collections.abc import Callable
from pathlib import Path

import h5py
import pytest
import torch
import torch.nn.functional as F
import vggface_files
from safetensors.torch import save_file
from scipy.io import loadmat, savemat
from vggface_files import Weights, few_channels

from sanmodel.errors import SanError
from sanmodel.foreign.vggface import load_vggface, read_weights

WRITERS = {
    "pth": vggface_files.write_pth,
    "pth of old": vggface_files.write_old_pth,
    "safetensors": vggface_files.write_safetensors,
    "vlfeat mat": vggface_files.write_vlfeat_mat,
    "oxford mat": vggface_files.write_oxford_mat,
    "t7": vggface_files.write_t7,
    "t7 with flat filters": vggface_files.write_t7_mm,
    "h5": vggface_files.write_keras,
    "h5 of old": vggface_files.write_old_keras,
}
Write = Callable[[Path, Weights], None]
every_format = pytest.mark.parametrize("write", WRITERS.values(), ids=WRITERS)


@pytest.fixture
def weights() -> Weights:
    return few_channels()


@every_format
def test_the_weights_come_back_whatever_the_file_is_called(
    write: Write, weights: Weights, tmp_path: Path
):
    path = tmp_path / "weights.bin"
    write(path, weights)
    read = read_weights(path)
    assert read.keys() == weights.keys()
    for name, weight in weights.items():
        assert torch.equal(read[name], weight), name


@every_format
def test_a_file_that_is_cut_short_is_named(write: Write, weights: Weights, tmp_path: Path):
    path = tmp_path / "weights"
    write(path, weights)
    whole = path.read_bytes()
    for length in (len(whole) * 9 // 10, len(whole) // 2, 200):
        path.write_bytes(whole[:length])
        with pytest.raises(SanError, match="weights is cut short or damaged .*: download it again"):
            read_weights(path)


@every_format
def test_weights_of_another_network_are_named(write: Write, weights: Weights, tmp_path: Path):
    write(tmp_path / "weights", weights)
    with pytest.raises(SanError) as refused:
        load_vggface(tmp_path / "weights")
    problem = "conv1_1.weight has shape (2, 3, 3, 3), needed is (64, 3, 3, 3)"
    mend = "take one of the files that docs/training.md names"
    assert str(refused.value) == f"{tmp_path / 'weights'} does not fit: {problem}; {mend}"


def test_fc6_is_matconvnets_7x7_convolution(weights: Weights, tmp_path: Path):
    path = tmp_path / "vgg-face.mat"
    vggface_files.write_vlfeat_mat(path, weights)
    layers = {layer["name"]: layer for layer in loadmat(path, simplify_cells=True)["layers"]}
    filters, _ = layers["fc6"]["weights"]
    pool5 = torch.rand(1, 4, 7, 7)
    theirs = torch.einsum("bchw,hwco->bo", pool5, torch.from_numpy(filters))
    ours = F.linear(pool5.flatten(1), read_weights(path)["fc6.weight"])
    torch.testing.assert_close(ours, theirs, rtol=0, atol=1e-5)


def test_fc6_is_keras_product_with_channels_last(weights: Weights, tmp_path: Path):
    path = tmp_path / "vgg16.h5"
    vggface_files.write_keras(path, weights)
    with h5py.File(path) as file:
        kernel = torch.from_numpy(file["fc6/fc6/kernel:0"][()])
    pool5 = torch.rand(1, 4, 7, 7)
    theirs = pool5.permute(0, 2, 3, 1).flatten(1) @ kernel
    ours = F.linear(pool5.flatten(1), read_weights(path)["fc6.weight"])
    torch.testing.assert_close(ours, theirs, rtol=0, atol=1e-5)


def test_keras_filters_see_blue_first_and_ours_red(weights: Weights, tmp_path: Path):
    path = tmp_path / "vgg16.h5"
    vggface_files.write_keras(path, weights)
    with h5py.File(path) as file:
        kernel = torch.from_numpy(file["conv1_1/conv1_1/kernel:0"][()])
    rgb = torch.rand(1, 3, 9, 9)
    theirs = F.conv2d(rgb[:, [2, 1, 0]], kernel.permute(3, 2, 0, 1))
    ours = F.conv2d(rgb, read_weights(path)["conv1_1.weight"])
    torch.testing.assert_close(ours, theirs, rtol=0, atol=1e-5)


def test_a_file_of_the_format_without_the_network_is_refused(tmp_path: Path):
    path = tmp_path / "weights"
    savemat(path, {"x": 1.0}, appendmat=False)
    with pytest.raises(SanError, match="does not fit: conv1_1.weight is missing"):
        load_vggface(path)
    h5py.File(path, "w").close()
    with pytest.raises(SanError, match="does not fit: conv1_1.weight is missing"):
        load_vggface(path)
    lua = vggface_files.LuaWriter()
    path.write_bytes(lua.object("nn.Sequential", {"modules": lua.table({})}))
    with pytest.raises(SanError, match="does not fit: 0 layers have weights, not 16"):
        load_vggface(path)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "is empty: download it again"),
        (b"\xef\xbb\xbf\r\n<!DOCTYPE HTML><title>Quota exceeded", "is a web page, not weights"),
        (b"<html>404", "is a web page, not weights: open it in a browser"),
        (
            b"\x1f\x8b a gzip archive",
            "has no known format: give one of rcmalli_vggface_tf_vgg16.h5",
        ),
        (b"PK\x03\x04 an archive", "is cut short or damaged"),
        (b"\x80\x02garbage", "is damaged, or holds code, which is not run"),
    ],
)
def test_other_files_are_refused(content: bytes, words: str, tmp_path: Path):
    path = tmp_path / "vgg_face_dag.pth"
    path.write_bytes(content)
    with pytest.raises(SanError, match=words) as refused:
        load_vggface(path)
    assert "\n" not in str(refused.value)


def test_safetensors_whose_header_begins_like_a_pickle_are_read(weights: Weights, tmp_path: Path):
    path = tmp_path / "weights"
    for padding in range(256):
        save_file(weights, path, metadata={"padding": "x" * padding})
        if path.read_bytes()[:1] == b"\x80":
            break
    assert path.read_bytes()[:1] == b"\x80"
    read = read_weights(path)
    assert read.keys() == weights.keys()


def test_a_missing_file_names_the_setting(tmp_path: Path):
    with pytest.raises(SanError, match=r"x\.pth is missing: set train_matcher\.vgg_face to"):
        load_vggface(tmp_path / "x.pth")


def test_a_pickle_with_code_is_not_run(tmp_path: Path):
    path = tmp_path / "vgg_face_dag.pth"
    torch.save(Creates(tmp_path / "proof"), path)
    with pytest.raises(SanError, match="holds code, which is not run"):
        load_vggface(path)
    assert not (tmp_path / "proof").exists()


class Creates:
    """Makes a file when it is unpickled by a reader that runs what it reads."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self):
        return open, (str(self.path), "w")


def test_a_file_without_names_is_refused(tmp_path: Path):
    torch.save(torch.zeros(3), tmp_path / "x")
    with pytest.raises(SanError, match="it holds a Tensor, not named tensors"):
        load_vggface(tmp_path / "x")
