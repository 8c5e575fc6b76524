"""dlib's network is read from dlib's file and computes what dlib computes."""

from pathlib import Path

import dlib
import face_recognition_models
import numpy as np
import pytest

from sanmodel.errors import SanError
from sanmodel.evaluation.dlib_network import load_dlib_network, parameters

FILE = Path(face_recognition_models.face_recognition_model_location())


def test_colours_and_any_content_are_described_as_by_dlib():
    chips = np.random.default_rng(0).integers(0, 256, (3, 150, 150, 3), dtype=np.uint8)
    chips[2] = 255
    expected = dlib.face_recognition_model_v1(str(FILE)).compute_face_descriptor(list(chips))
    found = load_dlib_network(FILE).describe(chips)
    np.testing.assert_allclose(found, np.array(expected), rtol=0, atol=1e-5)


def test_parameters_of_dlibs_layers_are_read_one_after_the_other():
    def tensor(*values: float) -> bytes:
        shape = bytes([1, len(values), 1, 1, 1, 1, 1, 1])
        return b"\x01\x02" + shape + np.array(values, "<f4").tobytes()

    content = b"\x01\x01\x01\x05con_4" + tensor(1, -2.5) + b"\x01\x01\x01\x03\x01\x07affine_"
    content += tensor(0.5) + b"\x01\x04fc_2\x01\x80\x02\x00\x01" + tensor(3, 4, 5) + b"\x010"
    assert [found.tolist() for found in parameters(content)] == [[1, -2.5], [0.5], [3, 4, 5]]


@pytest.mark.parametrize(
    "damage",
    [
        lambda content: content[:-100_000],
        lambda content: content + content[:100_000],
        lambda content: content.replace(b"fc_2", b"fc_9"),
        lambda content: b"",
    ],
)
def test_another_file_is_refused(damage, tmp_path: Path):
    path = tmp_path / "network.dat"
    path.write_bytes(damage(FILE.read_bytes()))
    with pytest.raises(SanError, match="network.dat is not dlib's face descriptor network: run"):
        load_dlib_network(path)


def test_a_missing_file_is_told(tmp_path: Path):
    with pytest.raises(SanError, match="is not dlib's face descriptor network"):
        load_dlib_network(tmp_path / "network.dat")
