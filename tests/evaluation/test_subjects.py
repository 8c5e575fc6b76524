import numpy as np
import pytest

from sanmodel.errors import SanError
from sanmodel.evaluation.subjects import Subjects, load_subjects
from sanmodel.tables import CROP_COLUMNS, TableWriter


def subjects(people, labels):
    names = np.array([f"image {i}" for i in range(len(people))], dtype=object)
    everyone = np.ones(len(people), bool)
    return Subjects(names, np.array(people), np.array(labels), everyone)


def test_only_the_test_side_is_read(crops):
    loaded = load_subjects(crops, "Male")
    assert loaded.image_ids.tolist() == [f"{p}-{i}" for p in range(3) for i in (1, 2, 3)]
    assert loaded.people.tolist() == [0, 0, 0, 1, 1, 1, 2, 2, 2]
    assert loaded.labels.tolist() == [1] * 6 + [0] * 3


def test_an_unknown_attribute_is_refused(crops):
    with pytest.raises(SanError, match="Smiling"):
        load_subjects(crops, "Smiling")


def test_a_table_without_test_images_is_refused(tmp_path):
    with TableWriter(tmp_path, CROP_COLUMNS, ["Male"]) as writer:
        writer.add({"image_id": "a", "identity": "b", "split": "train", "image": b"", "Male": 1})
    with pytest.raises(SanError, match="no test image"):
        load_subjects(tmp_path, "Male")


def test_chosen_people_are_different_and_half_of_each_class():
    people = np.repeat(np.arange(20), 3)
    side = subjects(people, people % 2)
    chosen = side.choose(6, seed=1)
    assert sorted(chosen.values()) == [0, 0, 0, 1, 1, 1]
    shown = {int(people[int(name.split()[1])]) for name in chosen}
    assert len(shown) == 6
    assert side.choose(6, seed=1) == chosen
    assert side.choose(6, seed=2) != chosen


@pytest.mark.parametrize(("count", "zeros", "ones"), [(6, 2, 4), (7, 2, 5), (99, 2, 5), (1, 0, 1)])
def test_a_rare_class_is_filled_up_with_the_other(count, zeros, ones):
    chosen = subjects(np.arange(7), [0, 0, 1, 1, 1, 1, 1]).choose(count, seed=0)
    assert sorted(chosen.values()) == [0] * zeros + [1] * ones


def test_one_class_alone_fills_the_picture():
    chosen = subjects(np.arange(4), [0, 0, 0, 0]).choose(3, seed=0)
    assert list(chosen.values()) == [0, 0, 0]


def test_hidden_faces_take_no_part_in_matching(tmp_path):
    with TableWriter(tmp_path, CROP_COLUMNS, ["Male"]) as writer:
        for image_id, occluded in (("open", False), ("scarf", True), ("unknown", None)):
            row = {"image_id": image_id, "identity": "a", "split": "test", "Male": 1}
            writer.add({**row, "image": b"", "occluded": occluded})
    assert load_subjects(tmp_path, "Male").matched.tolist() == [True, False, True]
