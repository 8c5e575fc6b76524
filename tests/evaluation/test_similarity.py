import numpy as np
import pytest

from sanmodel.evaluation.similarity import MAX_PSNR, psnr, ssim

GREY = np.random.default_rng(0).integers(20, 200, (64, 64)).astype(np.uint8)


def test_psnr_of_a_shift_by_one_grey_level():
    assert psnr(GREY, GREY + np.uint8(1)) == pytest.approx(20 * np.log10(255))


def test_equal_images_have_the_highest_values():
    assert psnr(GREY, GREY.copy()) == MAX_PSNR
    assert ssim(GREY, GREY.copy()) == pytest.approx(1)


def test_a_shuffled_image_is_no_longer_similar():
    shuffled = np.random.default_rng(1).permutation(GREY.ravel()).reshape(GREY.shape)
    assert abs(ssim(GREY, shuffled)) < 0.1
    assert ssim(GREY, GREY + np.uint8(5)) > 0.9
