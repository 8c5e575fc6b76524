import numpy as np
import pytest

from sanmodel.detection.dpm.hog import CELL, FEATURES, TRUNCATION, hog, mirror, pad
from sanmodel.images import Picture


def noise(height: int, width: int) -> Picture:
    return np.random.default_rng(0).integers(0, 256, (height, width, 3), dtype=np.uint8)


def ramp(direction: float, size: int = 80) -> Picture:
    """A picture whose brightness rises towards ``direction``, in degrees from x to y."""
    y, x = np.mgrid[:size, :size]
    turn = np.deg2rad(direction)
    grey = 128 + 1.2 * ((x - size / 2) * np.cos(turn) + (y - size / 2) * np.sin(turn))
    return np.repeat(grey.clip(0, 255).astype(np.uint8)[..., None], 3, axis=2)


def test_a_cell_is_eight_pixels_and_a_half_cell_counts() -> None:
    assert hog(noise(80, 64)).shape == (10, 8, FEATURES)
    assert hog(noise(84, 67)).shape == (11, 8, FEATURES)


def test_a_flat_picture_has_no_gradient() -> None:
    assert not hog(np.full((40, 40, 3), 90, np.uint8)).any()


@pytest.mark.parametrize(("direction", "bin_"), [(0, 0), (90, 4.5), (180, 9), (270, 13.5)])
def test_the_direction_of_the_gradient_is_the_feature_that_is_large(
    direction: float, bin_: float
) -> None:
    inner = hog(ramp(direction))[3:-3, 3:-3].mean(axis=(0, 1))
    strongest = set(np.argsort(inner[:18])[-2:]) if bin_ % 1 else {int(inner[:18].argmax())}
    assert strongest == ({int(bin_), int(bin_) + 1} if bin_ % 1 else {int(bin_)})
    # The contrast-insensitive half does not tell a direction from its opposite.
    opposite = hog(ramp(direction + 180))[3:-3, 3:-3].mean(axis=(0, 1))
    assert np.allclose(inner[18:27], opposite[18:27], atol=0.02)


def test_contrast_plays_no_part_within_the_picture() -> None:
    strong = noise(80, 80)
    weak = (strong // 2).astype(np.uint8)
    assert np.abs(hog(strong) - hog(weak)).mean() < 0.003


def test_entries_are_clipped_and_not_negative() -> None:
    features = hog(noise(80, 80))
    assert features.min() >= 0
    assert features[..., :27].max() <= 4 * 0.2 * 0.5 + 1e-6


def test_a_mirror_shows_the_mirrored_features() -> None:
    picture = noise(6 * CELL, 9 * CELL)
    assert np.allclose(mirror(hog(picture)), hog(picture[:, ::-1]), atol=1e-5)


def test_cells_outside_of_the_picture_say_so_and_nothing_else() -> None:
    padded = pad(hog(noise(40, 40)), 2)
    assert padded.shape == (9, 9, FEATURES)
    outside = np.ones((9, 9), bool)
    outside[2:7, 2:7] = False
    assert (padded[outside, TRUNCATION] == 1).all()
    assert not padded[outside, :TRUNCATION].any()
    assert not padded[~outside, TRUNCATION].any()
