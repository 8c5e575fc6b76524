from dataclasses import replace

import numpy as np
import pytest
from attacked_study import (
    SIDE,
    Brightness,
    classes,
    of_one_class,
    side,
    study,
    taken,
    textures,
    without_outside,
)
from scipy.ndimage import gaussian_filter

from sanmodel.errors import SanError
from sanmodel.evaluation.probes import PROBES
from sanmodel.evaluation.probes.recovery import halved, jpeg, median, taught_denoiser

ERROR, AUC = "error_rate (brightness)", "auc (brightness)"


def salted(count, seed):
    """Patches of 80 or 150; OP has grains of salt in the darker, which read as bright."""
    labels = classes(count)
    plain = np.full((count, SIDE, SIDE), 80, dtype=np.uint8)
    plain[labels == 1] = 150
    grains = np.random.default_rng(seed).random(plain.shape) < 0.25
    salty = np.where(grains & (labels == 0)[:, None, None], 255, plain).astype(np.uint8)
    return side(labels, original=plain, OP=salty)


def waved(count, seed):
    """OP adds a wave to textures."""
    plain = textures(count, seed)
    wave = (24 + 24 * np.sin(np.arange(SIDE) / 6)).astype(np.uint8)
    return side(classes(count), original=plain, OP=plain + wave)


def squared_error(images, originals):
    return np.square(images.astype(float) - originals).mean()


@pytest.fixture(scope="module")
def asked():
    return study(salted(6, 1), salted(6, 2), steps=1)


@pytest.fixture(scope="module")
def answer(asked):
    return PROBES.get("recovery")().answer(asked)


def test_rows_are_recoveries_and_columns_say_whose_measure(answer):
    assert list(answer) == [
        "none",
        "JPEG of quality 75",
        "JPEG of quality 50",
        "half the size and back",
        "median of 3x3 pixels",
        "trained denoiser",
    ]
    ends = [name + end for name in (ERROR, AUC) for end in ("_low", "_high")]
    assert all(list(figures) == [ERROR, AUC, *ends] for figures in answer.values())
    # Of each person one image is misread, so that it does not matter who is drawn.
    assert answer["none"][f"{ERROR}_low"] == answer["none"][f"{ERROR}_high"] == 0.5


def test_a_median_takes_salt_away_and_what_keeps_the_mean_does_not(answer):
    assert answer["none"][ERROR] == 0.5
    for kept in ("JPEG of quality 75", "JPEG of quality 50", "half the size and back"):
        assert answer[kept][ERROR] == 0.5
    cleaned = answer["median of 3x3 pixels"]
    assert (cleaned[ERROR], cleaned[AUC]) == (0, 1)


def test_the_denoiser_comes_nearer_to_unseen_originals():
    test, outside = waved(8, 1), waved(48, 2)
    cleaned = taught_denoiser(study(test, outside, steps=12))(test.variants["OP"])
    before, after = (
        squared_error(images, test.variants["original"])
        for images in (test.variants["OP"], cleaned)
    )
    assert cleaned.dtype == np.uint8
    assert after < 0.7 * before


def test_the_median_is_that_of_each_image_alone():
    images = np.random.default_rng(0).integers(0, 256, (2, 8, 8)).astype(np.uint8)
    filtered = median(images)
    for i, row, column in np.ndindex(2, 6, 6):
        window = images[i, row : row + 3, column : column + 3]
        assert filtered[i, row + 1, column + 1] == np.median(window)


def test_compression_loses_more_the_lower_the_quality():
    images = np.random.default_rng(0).normal(128, 30, (2, 64, 64)).clip(0, 255).astype(np.uint8)
    fine, coarse = (squared_error(jpeg(images, quality), images) for quality in (75, 50))
    assert 0 < fine < 0.5 * coarse < 0.2 * images.var()


def test_half_the_size_keeps_coarse_detail_and_loses_fine():
    noise = np.random.default_rng(0).normal(size=(1, 64, 64))
    smooth = gaussian_filter(noise, (0, 4, 4))
    coarse, fine = (
        (128 + 30 * values / values.std()).clip(0, 255).astype(np.uint8)
        for values in (smooth, noise)
    )
    assert squared_error(halved(coarse), coarse) < 0.01 * coarse.var()
    assert squared_error(halved(fine), fine) > 0.5 * fine.var()


def test_without_classifiers_nothing_is_trained_and_there_is_no_row(asked):
    # An outside without the variants would break the training of a denoiser.
    untaught = replace(asked.outside, variants={})
    blind = replace(asked, classifiers={}, scores={}, outside=untaught)
    assert PROBES.get("recovery")().answer(blind) == {}


def test_gaps_are_told_not_raised(asked):
    probe = PROBES.get("recovery")()
    assert probe.answer(without_outside(asked))["trained denoiser"] == {ERROR: None, AUC: None}
    one_class = study(of_one_class(asked.test), asked.outside, steps=1)
    assert {figures[AUC] for figures in probe.answer(one_class).values()} == {None}
    nobody = replace(
        asked,
        test=taken(asked.test, slice(0)),
        scores={key: values[:0] for key, values in asked.scores.items()},
    )
    assert all(set(row.values()) == {None} for row in probe.answer(nobody).values())


def test_a_classifier_that_fails_on_cleaned_faces_is_named(asked):
    class Blind(Brightness):
        def scores(self, images, boxes):
            return np.full(len(images), np.nan)

    with pytest.raises(SanError, match="^brightness answers with something that is no finite"):
        PROBES.get("recovery")().answer(
            replace(asked, classifiers={"brightness": Blind()}, steps=1)
        )
