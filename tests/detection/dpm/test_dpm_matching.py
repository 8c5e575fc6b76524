import numpy as np
from scipy.signal import correlate
from small_mixtures import mixture, photo

from sanmodel.detection.dpm.deformation import transform
from sanmodel.detection.dpm.hog import FEATURES, hog, pad
from sanmodel.detection.dpm.matching import (
    PADDING,
    part_boxes,
    placement,
    predict_box,
    respond,
    score_level,
)
from sanmodel.detection.dpm.pyramid import Pyramid


def two_levels() -> Pyramid:
    return Pyramid(photo(), finest=2.0, coarsest=1.0, per_octave=1)


def test_a_response_is_the_correlation_with_the_filter() -> None:
    generator = np.random.default_rng(0)
    features = generator.normal(0, 1, (9, 8, FEATURES)).astype(np.float32)
    filters = [generator.normal(0, 1, (3, 4, FEATURES)).astype(np.float32) for _ in range(2)]
    expected = [correlate(features, kernel, mode="valid")[..., 0] for kernel in filters]
    assert np.allclose(respond(features, filters), expected, atol=1e-3)


def test_a_map_smaller_than_the_filter_has_no_place() -> None:
    features = np.zeros((2, 8, FEATURES), np.float32)
    assert respond(features, [np.zeros((3, 4, FEATURES), np.float32)]).size == 0


def test_a_score_is_root_plus_bias_plus_moved_parts() -> None:
    model, pyramid = mixture(), two_levels()
    component = model.components[0]
    found = score_level(model, pyramid, 1)[0]
    expected = respond(pad(pyramid.features(1), PADDING), [component.root])[0] + component.bias
    for part in component.parts:
        best, _, _ = transform(
            respond(pad(pyramid.features(0), 2 * PADDING), [part.filter])[0],
            part.deformation,
            (slice(None), slice(None)),
        )
        x, y = part.anchor
        for i in range(expected.shape[0]):
            for j in range(expected.shape[1]):
                at = 2 * i + y, 2 * j + x
                inside = at[0] < best.shape[0] and at[1] < best.shape[1]
                expected[i, j] += best[at] if inside else -np.inf
    assert np.allclose(found.scores, expected, atol=1e-4)
    assert np.isfinite(found.scores).any()


def test_the_mirrored_component_finds_the_mirrored_photo() -> None:
    model = mixture()
    picture = photo(96, 96)
    plain = Pyramid(picture, 2.0, 1.0, 1)
    turned = Pyramid(np.ascontiguousarray(picture[:, ::-1]), 2.0, 1.0, 1)
    here, there = score_level(model, plain, 1)[0], score_level(model, turned, 1)[1]
    assert np.allclose(here.scores, there.scores[:, ::-1], atol=1e-3)
    row, column = np.unravel_index(here.scores.argmax(), here.scores.shape)
    mirrored_column = here.scores.shape[1] - 1 - int(column)
    box = predict_box(model.components[0], placement(here, int(row), int(column)), plain)
    other = predict_box(model.components[1], placement(there, int(row), mirrored_column), turned)
    assert np.allclose(box, [96 - other[2], other[1], 96 - other[0], other[3]], atol=1e-3)


def test_parts_stand_where_their_score_comes_from() -> None:
    model, pyramid = mixture(), two_levels()
    found = score_level(model, pyramid, 1)[0]
    row, column = (int(i) for i in np.unravel_index(found.scores.argmax(), found.scores.shape))
    place, component = placement(found, row, column), model.components[0]
    fine, coarse = (pad(pyramid.features(level), 20) for level in (0, 1))

    def product(features: np.ndarray, corner: tuple[int, int], kernel: np.ndarray) -> float:
        y, x = corner[0] + 20, corner[1] + 20
        return float((features[y : y + kernel.shape[0], x : x + kernel.shape[1]] * kernel).sum())

    total = component.bias + product(coarse, place.root, component.root)
    for part, corner in zip(component.parts, place.parts, strict=True):
        dx = corner[1] - 2 * place.root[1] - part.anchor[0]
        dy = corner[0] - 2 * place.root[0] - part.anchor[1]
        a_x, b_x, a_y, b_y = part.deformation
        total += product(fine, corner, part.filter)
        total -= a_x * dx**2 + b_x * dx + a_y * dy**2 + b_y * dy
    assert abs(total - place.score) < 1e-3
    boxes = part_boxes(component, place, pyramid)
    assert np.allclose(boxes[0][2:] - boxes[0][:2], np.array([3, 2]) * 8 / 2.0)


def test_an_octave_down_has_half_the_scale() -> None:
    pyramid = Pyramid(photo(160, 128), finest=1.0, coarsest=0.25, per_octave=3)
    assert pyramid.levels == 7
    assert pyramid.scale(3) == 0.5
    assert pyramid.features(3).shape[:2] == (10, 8)
    assert np.allclose(pyramid.features(0), hog(photo(160, 128)))
