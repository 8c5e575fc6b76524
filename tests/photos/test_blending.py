import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from sanmodel.detection.crop import Square, cut
from sanmodel.images import to_grey
from sanmodel.photos.blending import SEAM, blend


def photo(side: int = 600) -> NDArray[np.uint8]:
    """A colourful picture with detail of single pixels, away from black and white."""
    random = np.random.default_rng(1)
    coarse = random.integers(80, 170, (side // 50, side // 50, 3), dtype=np.uint8)
    smooth = np.asarray(Image.fromarray(coarse).resize((side, side), Image.Resampling.BICUBIC))
    return np.clip(smooth + random.integers(-10, 10, (side, side, 1)), 0, 255).astype(np.uint8)


def chroma(rgb: NDArray[np.uint8]) -> NDArray[np.float64]:
    values = rgb.astype(float)
    return values - values.mean(axis=-1, keepdims=True)


def perturbed(grey: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """A crop that is lighter above and darker below."""
    change = np.linspace(20, -20, 224)[:, None]
    return np.rint(grey + change).clip(0, 255).astype(np.uint8)


def test_the_middle_changes_as_the_model_says_and_colour_does_not() -> None:
    before, square = photo(), Square(100.3, 120.7, 350.5)
    grey = to_grey(cut(before, square))
    after = before.copy()
    blend(after, square, grey, perturbed(grey))
    again = to_grey(cut(after, square)).astype(float)
    inner = slice(int(224 * SEAM) + 2, -int(224 * SEAM) - 2)
    difference = again - perturbed(grey)
    assert np.abs(difference[inner, inner]).max() <= 2
    # Three times the same step, but for rounding.
    assert np.abs(chroma(after) - chroma(before)).max() <= 1


def test_nothing_changes_outside_the_square_or_at_its_seam() -> None:
    before, square = photo(), Square(100, 120, 350)
    grey = to_grey(cut(before, square))
    after = before.copy()
    blend(after, square, grey, perturbed(grey))
    changed = (after != before).any(axis=2)
    assert changed[200:420, 180:370].mean() > 0.9
    changed[120:470, 100:450] = False
    assert not changed.any()
    edge = np.abs(after.astype(int) - before)[122, 100:450]
    assert edge.max() <= 1


def test_detail_that_is_finer_than_the_crop_stays() -> None:
    before, square = photo(1200), Square(0, 0, 1200)
    grey = to_grey(cut(before, square))
    after = before.copy()
    blend(after, square, grey, perturbed(grey))
    fine = [np.diff(one.astype(int)[..., 0], axis=1)[400:800, 400:800] for one in (before, after)]
    assert np.abs(fine[0] - fine[1]).max() <= 1


@pytest.mark.parametrize(
    "square",
    [Square(-150, -80, 400), Square(400, 420, 380), Square(-100, -100, 900), Square(0, 0, 20)],
)
def test_a_square_may_reach_over_the_border(square: Square) -> None:
    before = photo()
    grey = to_grey(cut(before, square))
    after = before.copy()
    blend(after, square, grey, perturbed(grey))
    assert after.shape == before.shape
    assert (after != before).any()


def test_a_square_beyond_the_photo_changes_nothing() -> None:
    before = photo()
    after = before.copy()
    black, grey = (np.full((224, 224), level, np.uint8) for level in (0, 9))
    blend(after, Square(700, 0, 100), black, grey)
    np.testing.assert_array_equal(after, before)
