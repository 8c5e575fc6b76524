"""Similarities by hand-made cases and beside scikit-image's; pictures that are moved by them."""

import numpy as np
import pytest
import torch
from skimage.transform import SimilarityTransform, rotate
from small import POINTS
from torch import Tensor

from sanmodel.alignment import Straighten, composed, inverse, mirrored, similarity, warp

FACE = torch.tensor(POINTS)
IDENTITY = torch.tensor([[[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]]])
# Clockwise, as y points down: (x, y) to (223 - y, x), which turns a 224x224 picture in itself.
QUARTER = torch.tensor([[[0.0, -1.0, 223.0], [1.0, 0.0, 0.0]]])
PICTURE = torch.rand(1, 3, 224, 224, generator=torch.Generator().manual_seed(0))


def applied(transform: Tensor, points: Tensor) -> Tensor:
    return points @ transform[:, :, :2].transpose(1, 2) + transform[:, None, :, 2]


def random_points(count: int) -> Tensor:
    return 200 * torch.rand(count, 5, 2, generator=torch.Generator().manual_seed(1))


@pytest.mark.parametrize(
    "transform",
    [IDENTITY, IDENTITY + torch.tensor([[0, 0, 30.0], [0, 0, -7.5]]), QUARTER, 0.5 * QUARTER],
)
def test_an_exact_similarity_is_found(transform: Tensor):
    found = similarity(FACE[None], applied(transform, FACE[None]))
    torch.testing.assert_close(found, transform, rtol=0, atol=1e-4)


def test_it_is_the_least_squares_estimate_of_scikit_image():
    source, target = random_points(8).split(4)
    for found, one, other in zip(similarity(source, target), source, target, strict=True):
        expected = SimilarityTransform.from_estimate(one.numpy(), other.numpy())
        np.testing.assert_allclose(found, expected.params[:2], rtol=1e-4, atol=1e-3)


def test_there_are_no_reflections():
    (found,) = similarity(FACE[None], FACE[None] * torch.tensor([-1.0, 1.0]))
    assert torch.linalg.det(found[:, :2]) > 0


def test_one_face_goes_with_many():
    many = random_points(3)
    for result in (similarity(FACE[None], many), similarity(many, FACE[None])):
        assert result.shape == (3, 2, 3)
    torch.testing.assert_close(similarity(FACE[None], many)[1:2], similarity(FACE[None], many[1:2]))


def test_the_inverse_leads_back():
    transform = similarity(FACE[None], random_points(3))
    there = applied(transform, FACE.expand(3, -1, -1))
    back = applied(inverse(transform), there)
    torch.testing.assert_close(back, FACE.expand(3, -1, -1), rtol=0, atol=1e-2)


def test_composed_transforms_are_one_after_the_other():
    maps = torch.randn(2, 3, 2, 3, generator=torch.Generator().manual_seed(2))
    one_after_the_other = applied(maps[0], applied(maps[1], FACE.expand(3, -1, -1)))
    both = applied(composed(maps[0], maps[1]), FACE.expand(3, -1, -1))
    torch.testing.assert_close(both, one_after_the_other, rtol=1e-5, atol=1e-3)


def test_pictures_are_moved():
    assert torch.allclose(warp(PICTURE, IDENTITY), PICTURE, atol=1e-4)
    quarter = warp(PICTURE, QUARTER)
    # At (x, y) it shows what was at (223 - y, x): a turn to the left.
    assert torch.allclose(quarter, torch.rot90(PICTURE, 1, (2, 3)), atol=1e-4)
    half = warp(PICTURE, IDENTITY + torch.tensor([[0, 0, 0.5], [0, 0, 0.0]]))
    between = (PICTURE[..., :-1] + PICTURE[..., 1:]) / 2
    assert torch.allclose(half[..., :-1], between, atol=1e-4)


def test_beyond_the_border_the_edge_is_repeated():
    moved = warp(PICTURE, IDENTITY + torch.tensor([[0, 0, -60.0], [0, 0, 200.0]]))
    corner = PICTURE[0, :, 223, 0, None, None]
    assert torch.allclose(moved[0, :, 24:, :60], corner, atol=1e-4)


def test_moving_agrees_with_scikit_image_where_both_see_the_picture():
    picture = PICTURE[0].permute(1, 2, 0).numpy()
    middle, angle = 111.5, 10.0
    turn = SimilarityTransform(rotation=np.deg2rad(-angle))
    about_middle = (
        SimilarityTransform(translation=(-middle, -middle))
        + turn
        + SimilarityTransform(translation=(middle, middle))
    )
    matrix = torch.tensor(about_middle.inverse.params[:2], dtype=torch.float32)
    expected = rotate(picture, angle, order=1)
    found = warp(PICTURE, matrix[None])[0].permute(1, 2, 0).numpy()
    np.testing.assert_allclose(found[50:174, 50:174], expected[50:174, 50:174], atol=1e-3)


def test_a_mirror_swaps_the_eyes():
    landmarks = FACE.numpy()[None]
    turned = mirrored(landmarks, 224)
    left_outer, right_outer, nose = landmarks[0, 0], landmarks[0, 2], landmarks[0, 4]
    assert turned[0, 0].tolist() == [223 - right_outer[0], right_outer[1]]
    assert turned[0, 2].tolist() == [223 - left_outer[0], left_outer[1]]
    assert turned[0, 4].tolist() == [223 - nose[0], nose[1]]
    np.testing.assert_array_equal(mirrored(turned, 224), landmarks)
    assert landmarks[0].tolist() == FACE.tolist()  # what went in is left alone


def test_a_face_is_straightened():
    # A dot at each landmark of a turned, shrunk face comes to the landmarks of a straight one.
    turned = applied(torch.tensor([[[0.6, -0.3, 70.0], [0.3, 0.6, 10.0]]]), FACE[None])[0].round()
    picture = np.zeros((224, 224, 3), dtype=np.uint8)
    for x, y in turned.int().tolist():
        picture[y - 1 : y + 2, x - 1 : x + 2] = 255
    straight = Straighten(POINTS)(picture, turned.numpy())
    assert (straight.shape, straight.dtype) == ((224, 224, 3), np.uint8)
    for x, y in POINTS:
        assert straight[round(y), round(x)].min() > 200
    assert (straight > 0).mean() < 0.01


def test_a_straight_face_is_left_as_it_is():
    picture = (255 * PICTURE[0]).permute(1, 2, 0).to(torch.uint8).numpy()
    np.testing.assert_array_equal(Straighten(POINTS)(picture, FACE.numpy()), picture)
