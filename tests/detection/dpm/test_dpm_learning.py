from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from small_mixtures import mixture, photo

from sanmodel.detection.dpm.detect import detect, find_placements, pyramid_for
from sanmodel.detection.dpm.learning.examples import parameters, see, with_parameters
from sanmodel.detection.dpm.learning.start import empty_component, warped, with_parts
from sanmodel.detection.dpm.learning.svm import solve
from sanmodel.detection.dpm.learning.training import Recipe, TrainingPhoto, train
from sanmodel.detection.dpm.matching import moves
from sanmodel.errors import SanError
from sanmodel.images import encode_png


def test_the_score_of_a_placement_is_weights_times_what_is_seen() -> None:
    model = mixture()
    pyramid = pyramid_for(model, photo(), smallest=24, per_octave=2)
    places = find_placements(model, pyramid, least=-np.inf)
    assert len(places) > 50
    assert any(moves(model.components[p.component], p).any() for p in places)
    for place in places:
        component = model.components[place.component]
        score = see(component, place, pyramid) @ parameters(component)
        assert score == pytest.approx(place.score, abs=1e-3)


def test_parameters_go_there_and_back() -> None:
    component = mixture().components[0]
    vector = parameters(component)
    assert (parameters(with_parameters(component, vector)) == vector).all()


def test_an_svm_separates_and_keeps_its_bounds() -> None:
    generator = np.random.default_rng(0)
    faces = generator.normal(0.5, 0.3, (60, 5)).astype(np.float32)
    others = generator.normal(-0.5, 0.3, (300, 5)).astype(np.float32)
    least = np.array([-np.inf, -np.inf, -np.inf, 0.01, -np.inf])
    # Feature 3 speaks against faces, but its weight must not say so.
    faces[:, 3], others[:, 3] = -faces[:, 3], -others[:, 3]
    w = solve(faces, others, np.zeros(5, np.float32), least, C=1.0)
    assert w[3] == pytest.approx(0.01)
    assert (faces @ w > 0).mean() > 0.98
    assert (others @ w < 0).mean() > 0.98


def test_an_svm_finds_the_minimum() -> None:
    # |w|^2 / 2 + 2 C (1 - w)^2, one example of each class at +-1, is least at 4 C / (1 + 4 C).
    faces, others = np.ones((1, 1), np.float32), -np.ones((1, 1), np.float32)
    w = solve(faces, others, np.zeros(1, np.float32), np.full(1, -np.inf), C=0.5)
    assert w[0] == pytest.approx(2 / 3, abs=1e-3)


def test_parts_begin_at_the_strong_places_of_the_root() -> None:
    component = empty_component(root=6, margin=1)
    component.root[1:3, 3:5, 4] = 1
    part = with_parts(component, count=1, size=4).parts[0]
    assert part.anchor == (6, 2)
    assert part.filter[..., 4].mean() > 0.7


def bullseye(generator: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """A photo of noise with a dark disc and two pale ones in it, and its box."""
    picture = photo(160, 160, int(generator.integers(1 << 30)))
    side = generator.uniform(50, 70)
    left, top = generator.uniform(10, 150 - side, 2)
    y, x = np.mgrid[:160, :160]
    for dx, dy, radius, grey in ((0.5, 0.5, 0.5, 30), (0.3, 0.4, 0.12, 230), (0.7, 0.4, 0.12, 230)):
        disc = np.hypot(x - left - dx * side, y - top - dy * side) < radius * side
        picture[disc] = grey
    return picture, np.array([[left, top, left + side, top + side]])


def test_a_trained_mixture_finds_new_objects() -> None:
    generator = np.random.default_rng(0)
    drawn = [bullseye(generator) for _ in range(24)]
    photos = [
        TrainingPhoto(encode_png(picture), box, turn)
        for (picture, box), turn in zip(drawn, [0.0, 0.3, -0.3] * 8, strict=True)
    ]
    recipe = Recipe(parts=3, part_rounds=1, mined_photos=24, smallest=0.25, most_negatives=600)
    with ThreadPoolExecutor(1) as pool:
        model = train(photos, recipe, pool)
        again = train(photos, recipe, pool)
    assert [len(component.parts) for component in model.components] == [3, 3, 3]
    assert (parameters(model.components[1]) == parameters(again.components[1])).all()
    for picture, box in (bullseye(generator) for _ in range(5)):
        best = detect(model, picture, smallest=40, threshold=-1)[0]
        assert np.abs(best.box - box[0]).max() < 0.2 * (box[0, 2] - box[0, 0])
        assert best.parts.shape == (3, 4)


def test_a_stretched_crop_sees_the_object_at_the_size_of_the_root() -> None:
    component = empty_component(root=6, margin=1)
    picture, box = bullseye(np.random.default_rng(3))
    seen = warped(component, picture, box[0])
    assert seen.shape == (6 * 6 * 32 + 1,)
    assert seen[-1] == 1
    energy = seen[:-1].reshape(6, 6, 32)[..., :18].sum(axis=2)
    assert energy[1:5, 1:5].any()


def test_a_view_without_faces_is_told() -> None:
    generator = np.random.default_rng(0)
    photos = [TrainingPhoto(encode_png(p), box, 0.0) for p, box in map(bullseye, [generator] * 4)]
    with ThreadPoolExecutor(1) as pool, pytest.raises(SanError, match="8 faces are frontal and 0"):
        train(photos, Recipe(mined_photos=4), pool)
