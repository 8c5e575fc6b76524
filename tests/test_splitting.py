import pandas as pd
import pytest

from sanmodel.errors import SanError
from sanmodel.settings import PreprocessSettings
from sanmodel.splitting import assign_split


def people(count: int, images: int = 5) -> pd.DataFrame:
    """``count`` people with ``images`` each; every second one has the attribute."""
    rows = [
        {"image_id": f"{p}-{i}", "identity": f"p{p}", "partition": None, "Male": p % 2}
        for p in range(count)
        for i in range(images)
    ]
    return pd.DataFrame(rows)


def test_no_person_is_on_both_sides_and_classes_keep_their_share():
    images = people(40)
    split = assign_split(images, "Male", PreprocessSettings(test_share=0.2), seed=1)
    sides = images.assign(split=split).groupby("identity")["split"].nunique()
    assert (sides == 1).all()
    tested = images[split == "test"]
    assert tested["identity"].nunique() == 8
    assert tested["Male"].mean() == 0.5


def test_random_splits_by_image_as_in_the_paper():
    images = people(40)
    settings = PreprocessSettings(split="random", test_share=0.2)
    split = assign_split(images, "Male", settings, seed=1)
    assert (split == "test").sum() == 40
    assert (images.assign(split=split).groupby("identity")["split"].nunique() == 2).any()


def test_the_split_depends_on_the_seed_and_not_on_the_order():
    images = people(40)
    settings = PreprocessSettings()
    split = assign_split(images, "Male", settings, seed=1)
    shuffled = images.sample(frac=1, random_state=0)
    again = assign_split(shuffled, "Male", settings, seed=1)
    assert again.sort_index().equals(split)
    assert not assign_split(images, "Male", settings, seed=2).equals(split)


def test_the_sources_own_partition():
    images = people(4).assign(partition=[0] * 10 + [1] * 5 + [2] * 5)
    settings = PreprocessSettings(split="partition")
    split = assign_split(images, "Male", settings, seed=1)
    assert (split == "test").tolist() == [False] * 15 + [True] * 5
    with pytest.raises(SanError, match="set preprocess.split to identity or random"):
        assign_split(people(4), "Male", settings, seed=1)


def test_an_empty_side_is_refused():
    with pytest.raises(SanError, match="leaves the test side empty"):
        assign_split(people(2), "Male", PreprocessSettings(test_share=0.1), seed=1)
