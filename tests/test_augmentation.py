"""Random looks: what they keep, how far they go, and that gradients pass."""

from dataclasses import replace

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from scipy.fft import dctn

from sanmodel.augmentation import Augmentation, _cosines, patches, resized

NONE = Augmentation(0, 0, 0, 0, 0, 0, 0, 0)
WHOLE = torch.tensor([[[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]]])
TURNED = torch.tensor([[[0.5, -0.2, 0.1], [0.2, 0.5, -0.2]]])
"""A part somewhat right of the middle and above it."""


@pytest.fixture
def X() -> torch.Tensor:
    torch.manual_seed(0)
    return F.interpolate(torch.rand(4, 1, 9, 9), (64, 64), mode="bicubic")


def test_without_strength_a_look_is_the_image_or_its_mirror_image(X):
    for look, image in zip(NONE(X, 64), X, strict=True):
        distance = min((look - image).abs().max(), (look - image.flip(2)).abs().max())
        assert distance < 1e-5


@pytest.mark.parametrize("size", [32, 40, 48, 64, 96, 224])
def test_a_reduced_look_is_in_the_middle_of_the_image(size):
    ramp = torch.arange(224.0).expand(1, 1, 224, 224)
    places = (torch.arange(size) + 0.5) * 224 / size - 0.5  # of the look's pixels, in the image's
    (look,) = NONE(ramp, size)[0]
    found = min(look, look.flip(1), key=lambda columns: columns[0, 0])  # it may be the mirror image
    inner = slice(size // 10, -size // 10)
    torch.testing.assert_close(found[0, inner], places[inner], rtol=0, atol=0.5)
    assert found.mean().item() == pytest.approx(111.5, abs=0.01)


def test_without_strength_a_look_at_a_part_is_that_patch_or_its_mirror_image(X):
    base = TURNED.expand(4, -1, -1)
    for look, patch in zip(NONE(X, 24, base), patches(X, base, 24), strict=True):
        distance = min((look - patch).abs().max(), (look - patch.flip(2)).abs().max())
        assert distance < 1e-5


def test_the_shift_of_a_look_is_a_share_of_its_part():
    ramp = (torch.arange(64) + 0.5).expand(200, 1, 64, 64) / 64  # from 0 to 1 along x
    half = (0.5 * WHOLE).expand(200, -1, -1)
    looks = replace(NONE, shift=0.1)(ramp, 32, half)
    found = looks.mean(dim=(1, 2, 3)) - 0.5
    assert 0.04 < found.abs().max() <= 0.05 + 1e-4  # a tenth of half of the image


def test_a_patch_shows_what_lies_at_its_places():
    picture = torch.rand(1, 2, 64, 64, generator=torch.Generator().manual_seed(1))
    torch.testing.assert_close(
        patches(picture, 0.5 * WHOLE, 16), F.avg_pool2d(picture[..., 16:48, 16:48], 2)
    )
    quarter = torch.tensor([[[0.0, -1.0, 0.0], [1.0, 0.0, 0.0]]])
    torch.testing.assert_close(
        patches(picture, 0.5 * quarter, 16).rot90(-1, (2, 3)), patches(picture, 0.5 * WHOLE, 16)
    )


def test_patches_do_not_alias():
    board = (torch.arange(224) + torch.arange(224)[:, None]).remainder(2).float()[None, None]
    assert patches(board, 0.66 * WHOLE, 96).std() < 0.03


def test_looks_differ_from_image_to_image_and_from_time_to_time(X):
    same = X[:1].expand(4, -1, -1, -1)
    first, second = Augmentation()(same, 64), Augmentation()(same, 64)
    assert (first[0] - first[1]).abs().mean() > 0.01
    assert (first - second).abs().mean() > 0.01


def test_images_of_one_face_get_the_same_look(X):
    of_one_face = torch.cat([X, 1 - X], dim=1)
    for strengths in (Augmentation(erase=1.0), replace(NONE, light=0.2)):
        for base in (None, TURNED.expand(4, -1, -1)):
            torch.manual_seed(3)
            both = strengths(of_one_face, 64, base)
            torch.manual_seed(3)
            torch.testing.assert_close(both[:, :1], strengths(X, 64, base))
            torch.manual_seed(3)
            torch.testing.assert_close(both[:, 1:], strengths(1 - X, 64, base))


def test_one_seed_gives_the_same_looks(X):
    looks = []
    for _ in range(2):
        torch.manual_seed(5)
        looks.append(Augmentation()(X, 32))
    torch.testing.assert_close(*looks, rtol=0, atol=0)


@pytest.mark.parametrize(
    "strength", ["shift", "scale", "turn", "contrast", "light", "blur", "noise", "compression"]
)
def test_each_strength_does_something(X, strength):
    only = {name: 0.0 for name in vars(NONE)} | {strength: 1.0 if strength == "blur" else 0.2}
    torch.manual_seed(1)
    look = Augmentation(**only)(X, 64)
    torch.manual_seed(1)
    assert (look - NONE(X, 64)).abs().max() > 0.01


def test_an_erased_square_is_as_large_as_it_may_be_and_of_one_grey_value(X):
    same = X[:1].expand(200, -1, -1, -1)
    torch.manual_seed(2)
    looks = replace(NONE, erase=0.4)(same, 64)
    torch.manual_seed(2)
    changed = (looks - NONE(same, 64)).abs() > 1e-6
    erased = changed.any(dim=(1, 2, 3))
    assert 0.3 < erased.float().mean() < 0.5
    sides = []
    for look, where in zip(looks[erased, 0], changed[erased, 0], strict=True):
        rows, columns = (where.any(dim=axis).nonzero() for axis in (1, 0))
        square = look[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1]
        assert (square == square[0, 0]).all()
        assert abs(square.shape[0] - square.shape[1]) <= 1
        sides.append(square.shape[0])
    assert min(sides) >= 64 // 8
    assert max(sides) <= 64 // 3 + 1
    assert len(set(sides)) > 5


def test_gradients_reach_the_image(X):
    X.requires_grad_()
    Augmentation()(X, 32).square().sum().backward()
    assert X.grad is not None
    assert (X.grad.abs().sum(dim=(1, 2, 3)) > 0).all()


def test_the_basis_is_the_discrete_cosine_transform():
    block = np.random.default_rng(0).random((8, 8))
    ours = torch.einsum("kcyx,yx->k", _cosines().double(), torch.from_numpy(block))
    np.testing.assert_allclose(ours.reshape(8, 8), dctn(block, norm="ortho"), atol=1e-6)


def test_resizing_keeps_the_mean_and_the_size_asked_for(X):
    assert resized(X, 20).shape == (4, 1, 20, 20)
    assert resized(X, 20).mean().item() == pytest.approx(X.mean().item(), abs=0.01)
    assert resized(X, 64) is X
