"""Blur, noise and pixelation do as much harm as ours, whatever batch an image is in."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from sanmodel.evaluation.baselines import BASELINES
from sanmodel.evaluation.baselines.blur import GaussianBlur
from sanmodel.evaluation.baselines.pixelation import Blocks
from sanmodel.evaluation.similarity import psnr
from sanmodel.images import Picture

NAIVE = ["blur", "noise", "pixelation"]


@pytest.fixture(scope="module")
def test_faces(sample):
    return sample.take(np.array([0, 4, 9, 13]))


@pytest.fixture(scope="module")
def ours(test_faces):
    """Outputs from 36 to 20 dB away."""
    change = np.array([4, 8, 16, 25], np.uint8)[:, None, None]
    return np.where(test_faces.images < 128, test_faces.images + change, test_faces.images - change)


def psnrs(originals, outputs) -> np.ndarray:
    return np.array([psnr(*pair) for pair in zip(originals, outputs, strict=True)])


@pytest.mark.parametrize("name", ["blur", "noise"])
def test_the_psnr_is_that_of_ours(name, context, test_faces, ours):
    outputs = BASELINES.get(name)(context()).perturb(test_faces, ours)
    assert (outputs.shape, outputs.dtype) == (test_faces.images.shape, np.uint8)
    wanted = psnrs(test_faces.images, ours)
    assert wanted.max() - wanted.min() > 15
    np.testing.assert_allclose(psnrs(test_faces.images, outputs), wanted, rtol=0, atol=0.02)


def test_no_other_block_size_is_nearer(context, test_faces, ours):
    small, ours = replace(test_faces, images=test_faces.images[:, ::4, ::4]), ours[:, ::4, ::4]
    outputs = BASELINES.get("pixelation")(context()).perturb(small, ours)
    wanted = psnrs(small.images, ours)
    gaps = np.abs(psnrs(small.images, outputs) - wanted)
    for original, psnr_of_ours, gap in zip(small.images, wanted, gaps, strict=True):
        others = [psnr(original, slowly_pixelated(original, side)) for side in range(1, 57)]
        assert gap <= np.abs(np.array(others) - psnr_of_ours).min() + 1e-9


@pytest.mark.parametrize("name", NAIVE)
def test_batches_do_not_matter(name, context, test_faces, ours):
    baseline = BASELINES.get(name)(context())
    together = baseline.perturb(test_faces, ours)
    one = baseline.perturb(test_faces.take(slice(2, 3)), ours[2:3])
    np.testing.assert_array_equal(one[0], together[2])


@pytest.mark.parametrize("name", NAIVE)
def test_an_image_that_ours_leaves_alone_stays_nearly_as_it_is(name, context, test_faces):
    outputs = BASELINES.get(name)(context()).perturb(test_faces, test_faces.images)
    assert psnrs(test_faces.images, outputs).min() > 59.5


@pytest.mark.parametrize("name", ["blur", "pixelation"])
def test_a_flat_image_is_the_strongest(name, context, test_faces):
    outputs = BASELINES.get(name)(context()).perturb(test_faces, 255 - test_faces.images)
    for original, output in zip(test_faces.images, outputs, strict=True):
        assert np.abs(output - original.mean()).max() < 1


def test_the_noise_comes_from_the_seed(context, test_faces, ours):
    outputs = [
        BASELINES.get("noise")(context(seed=seed)).perturb(test_faces, ours).astype(np.float64)
        for seed in (1, 1, 2)
    ]
    np.testing.assert_array_equal(outputs[0], outputs[1])
    one, other = (output[3] - test_faces.images[3] for output in outputs[1:])
    assert abs(np.corrcoef(one.ravel(), other.ravel())[0, 1]) < 0.05


@pytest.mark.parametrize("sigma", [1.0, 3.5, 12.0])
def test_the_blur_is_scipys(sigma, test_faces):
    image = test_faces.images[1]
    expected = gaussian_filter(image.astype(np.float64), sigma, mode="reflect", truncate=8)
    assert np.abs(GaussianBlur(image)(sigma) - expected).max() < 0.55


@pytest.mark.parametrize("side", [1, 2, 7, 50, 90])
def test_blocks_have_their_mean_grey(side):
    image = np.random.default_rng(0).integers(0, 256, (60, 90), dtype=np.uint8)
    blocks = Blocks(image)
    expected = slowly_pixelated(image, side)
    np.testing.assert_array_equal(blocks.pixelated(side), expected)
    assert list(blocks.psnrs())[side - 1] == pytest.approx(psnr(image, expected))


def slowly_pixelated(image: Picture, side: int) -> Picture:
    result = image.copy()
    for top in range(0, image.shape[0], side):
        for left in range(0, image.shape[1], side):
            block = np.s_[top : top + side, left : left + side]
            result[block] = np.floor(image[block].mean() + 0.5)
    return result
