from pathlib import Path

import pytest
import torch
from small import POINTS
from torch import Tensor

from sanmodel.errors import SanError
from sanmodel.models.weights import save_weights
from sanmodel.prototypes import Prototypes

P_0, P_1 = torch.rand(2, 3, 224, 224, generator=torch.Generator().manual_seed(0))
PROTOTYPES = Prototypes(P_0, P_1, a_1=0.25)
FACE = torch.tensor(POINTS)
# Shrunk, turned by a quarter and moved.
TURNED = 0.8 * FACE.flip(1) * torch.tensor([-1.0, 1.0]) + torch.tensor([200.0, 20.0])


def spots(channel: int) -> Tensor:
    """A black picture with a spot of a colour at each landmark of FACE."""
    picture = torch.zeros(3, 224, 224)
    for x, y in FACE.int().tolist():
        picture[channel, y - 3 : y + 4, x - 3 : x + 4] = 1
    return picture


def colours(picture: Tensor, landmarks: Tensor) -> Tensor:
    """What a picture shows at the landmarks, (5, 3)."""
    x, y = landmarks.round().int().unbind(1)
    return picture[:, y, x].T


def test_same_opposite_and_neutral_follow_the_papers_definitions():
    y = torch.tensor([1.0, 0.0])
    faces = PROTOTYPES.for_faces(y)
    assert torch.equal(faces.same, torch.stack([P_1, P_0]))
    assert torch.equal(faces.opposite, torch.stack([P_0, P_1]))
    assert faces.neutral.shape == (2, 3, 224, 224)
    torch.testing.assert_close(faces.neutral[1], 0.75 * P_0 + 0.25 * P_1)


def test_prototypes_that_are_not_aligned_do_not_look_at_landmarks():
    nowhere = torch.full((2, 5, 2), torch.nan)
    faces = PROTOTYPES.for_faces(torch.tensor([1, 0]), nowhere)
    assert torch.equal(faces.same, torch.stack([P_1, P_0]))


def test_aligned_prototypes_are_laid_over_each_face():
    aligned = Prototypes(spots(0), spots(1), 0.25, FACE)
    faces = aligned.for_faces(torch.tensor([1, 0]), torch.stack([FACE, TURNED]))
    red, green = torch.eye(3)[:2]
    for pictures, colour, colour_of_turned in (
        (faces.same, green, red),
        (faces.opposite, red, green),
        (faces.neutral, 0.75 * red + 0.25 * green, 0.75 * red + 0.25 * green),
    ):
        assert pictures.shape == (2, 3, 224, 224)
        assert torch.allclose(colours(pictures[0], FACE), colour, atol=1e-3)
        assert torch.allclose(colours(pictures[1], TURNED), colour_of_turned, atol=1e-3)


def test_aligned_prototypes_stay_in_place_on_the_mean_face():
    faces = Prototypes(P_0, P_1, 0.25, FACE).for_faces(torch.tensor([1]), FACE[None])
    torch.testing.assert_close(faces.same[0], P_1, rtol=0, atol=1e-4)


def test_aligned_prototypes_need_landmarks():
    with pytest.raises(SanError, match="are aligned: give the landmarks"):
        Prototypes(P_0, P_1, 0.25, FACE).for_faces(torch.tensor([1]))


def test_they_come_back_from_disk_for_the_same_attribute_only(tmp_path: Path):
    path = tmp_path / "prototypes.safetensors"
    PROTOTYPES.save(path, "Male")
    loaded = Prototypes.load(path, "Male")
    assert torch.equal(loaded.P_1, P_1)
    assert loaded.a_1 == 0.25
    assert loaded.align == "none"
    with pytest.raises(SanError, match="attribute='Male', needed is 'Smiling'"):
        Prototypes.load(path, "Smiling")


@pytest.mark.parametrize(
    ("tensors", "problem"),
    [
        ({"P_0": P_0, "a_1": torch.tensor(0.5)}, "P_1 is missing"),
        ({"P_0": P_0, "P_1": P_1[:, :9], "a_1": torch.tensor(0.5)}, r"P_1 has shape \(3, 9, "),
        ({"P_0": P_0, "P_1": P_1}, "a_1 is missing"),
        ({"P_0": P_0, "P_1": P_1, "a_1": torch.tensor(torch.nan)}, "a_1 holds values that are not"),
        (
            {"P_0": P_0, "P_1": P_1, "a_1": torch.tensor(0.5), "landmarks": FACE[:4]},
            r"landmarks has shape \(4, 2\)",
        ),
    ],
)
def test_what_are_no_prototypes_is_said(tmp_path: Path, tensors, problem: str):
    path = tmp_path / "prototypes.safetensors"
    save_weights(path, tensors, kind="prototypes", attribute="Male")
    with pytest.raises(SanError, match=rf"does not fit the prototypes of two classes \({problem}"):
        Prototypes.load(path, "Male")


def test_landmarks_come_back_from_disk(tmp_path: Path):
    path = tmp_path / "prototypes.safetensors"
    Prototypes(P_0, P_1, 0.25, FACE).save(path, "Male")
    loaded = Prototypes.load(path, "Male")
    assert loaded.align == "landmarks"
    assert loaded.landmarks is not None
    assert torch.equal(loaded.landmarks, FACE)
