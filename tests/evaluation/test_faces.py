from pathlib import Path

import numpy as np
import pytest
from made_faces import faces

from sanmodel.errors import SanError
from sanmodel.evaluation.faces import UNKNOWN, load_faces
from sanmodel.images import encode_png
from sanmodel.tables import CROP_COLUMNS, TableWriter


def test_only_one_side_is_read(crops: Path, tmp_path: Path):
    loaded = load_faces(crops, "test", "Male", tmp_path / "cache")
    assert loaded.image_ids.tolist() == [f"{p}-{i}" for p in range(3) for i in (1, 2, 3)]
    assert loaded.people.tolist() == [0, 0, 0, 1, 1, 1, 2, 2, 2]
    assert loaded.labels.tolist() == [1] * 6 + [0] * 3
    assert loaded.images.shape == (9, 224, 224)
    np.testing.assert_array_equal(loaded.boxes[0], [46, 59, 178, 191])
    assert loaded.groups == {}


def test_an_unknown_attribute_is_refused(crops: Path, tmp_path: Path):
    with pytest.raises(SanError, match="Smiling"):
        load_faces(crops, "test", "Smiling", tmp_path)


def test_hidden_faces_do_not_match_and_unknown_attributes_are_told(tmp_path: Path):
    image = encode_png(np.zeros((224, 224, 3), np.uint8))
    with TableWriter(tmp_path, CROP_COLUMNS, ["Male", "Young"]) as writer:
        for image_id, occluded, young in (("a", False, 1), ("b", True, 0), ("c", None, None)):
            row = {"image_id": image_id, "identity": "a", "split": "test", "Male": 1}
            writer.add({**row, "image": image, "occluded": occluded, "Young": young})
    loaded = load_faces(tmp_path, "test", "Male", tmp_path / "cache")
    assert loaded.matched.tolist() == [True, False, True]
    assert loaded.groups["Young"].tolist() == [1, 0, UNKNOWN]


def test_faces_are_taken_with_all_that_is_known_of_them():
    some = faces([0, 0, 1, 1], [0, 0, 1, 1]).take(np.array([3, 0]))
    assert len(some) == 2
    assert some.image_ids.tolist() == ["image 3", "image 0"]
    assert some.groups["Young"].tolist() == [1, 0]


def test_chosen_people_are_different_and_half_of_each_class():
    people = np.repeat(np.arange(20), 3)
    side = faces(people, people % 2)
    chosen = side.choose(6, seed=1)
    assert side.labels[chosen].tolist() == [1, 1, 1, 0, 0, 0]
    assert len(set(people[chosen])) == 6
    assert (side.choose(6, seed=1) == chosen).all()
    assert (side.choose(6, seed=2) != chosen).any()


@pytest.mark.parametrize(("count", "zeros", "ones"), [(6, 2, 4), (7, 2, 5), (99, 2, 5), (1, 0, 1)])
def test_a_rare_class_is_filled_up_with_the_other(count: int, zeros: int, ones: int):
    side = faces(np.arange(7), [0, 0, 1, 1, 1, 1, 1])
    assert sorted(side.labels[side.choose(count, seed=0)]) == [0] * zeros + [1] * ones


def test_some_people_of_each_class_come_with_all_their_images():
    people = np.repeat(np.arange(20), 3)
    side = faces(people, people < 4)
    some = side.of_people(14, seed=0)
    numbers, counts = np.unique(some.people, return_counts=True)
    assert (numbers < 4).tolist() == [True] * 3 + [False] * 3
    assert counts.tolist() == [3] * 6
    assert len(side.of_people(1000, seed=0)) == 60
    assert set(side.of_people(14, seed=1).people) != set(some.people)


@pytest.mark.parametrize("count", [0, 6])
def test_of_one_class_or_nobody_there_are_only_these(count: int):
    side = faces(np.arange(count), [0] * count)
    assert len(side.of_people(4, seed=0)) == min(count, 2)
