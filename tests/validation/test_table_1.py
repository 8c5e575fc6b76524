"""The counts of table 1, on made-up tables of the right sizes: no images, so that it is fast."""

import numpy as np
import pandas as pd
import pytest

from sanmodel.settings import Settings, parse_settings
from sanmodel.validation.profiles import Profile, profile
from sanmodel.validation.table_1 import Table1, table_1

CELEBA_MALE, CELEBA_FEMALE = 84_434, 118_165
PARTITIONS = [162_770, 19_867, 19_962]


def people_table(men: int, women: int, images: int) -> pd.DataFrame:
    """Rows of that many people with at least one image each."""
    person = np.arange(images) % (men + women)
    return pd.DataFrame(
        {
            "image_id": np.arange(images).astype(str),
            "identity": person.astype(str),
            "partition": None,
            "Male": (person < men).astype(np.int8),
        }
    )


@pytest.fixture(scope="module")
def celeba() -> pd.DataFrame:
    """A raw table as long as CelebA's, with its totals of each gender, person and partition."""
    images = CELEBA_MALE + CELEBA_FEMALE
    frame = pd.DataFrame(
        {
            "image_id": [f"{number:06d}" for number in range(1, images + 1)],
            "identity": (np.arange(images) % 10_177).astype(str),
            "partition": np.repeat([0.0, 1.0, 2.0], PARTITIONS),
            "Male": np.repeat(np.array([1, 0], dtype=np.int8), [CELEBA_MALE, CELEBA_FEMALE]),
        }
    )
    others = {f"attribute_{number}": np.int8(0) for number in range(39)}
    return frame.assign(**others)


def settings_of(source: str, split: str = "random", **fetch: object) -> Settings:
    return parse_settings({"fetch": {"source": source, **fetch}, "preprocess": {"split": split}})


def compared(raw: pd.DataFrame, crops: pd.DataFrame, settings: Settings) -> Table1:
    return table_1(raw, crops, profile(settings.fetch.source), settings)


def ours(table: Table1) -> dict[tuple[str, str], tuple[int | None, int | None]]:
    return {(line.row, line.count): (line.ours, line.difference) for line in table.comparisons}


def test_all_of_celeba_split_at_random_has_the_papers_sides(celeba: pd.DataFrame) -> None:
    test = np.random.default_rng(0).random(len(celeba)) < 0.2
    crops = celeba.assign(split=np.where(test, "test", "train")).iloc[:-5_838]  # 196,761 are left

    table = compared(celeba, crops, settings_of("celeba"))

    assert table.complete
    assert {name: table.found[name] for name in table.required} == table.required
    assert table.required == {
        "images": 202_599,
        "people": 10_177,
        "attributes": 40,
        "male_images": CELEBA_MALE,
        "female_images": CELEBA_FEMALE,
        "partition_0": 162_770,
        "partition_1": 19_867,
        "partition_2": 19_962,
        "raw_train_images": 162_079,
        "raw_test_images": 40_520,
    }
    counts = ours(table)
    assert counts["CelebA-train before cropping", "images"] == (162_079, 0)
    assert counts["CelebA-test before cropping", "images"] == (40_520, 0)
    train, test_side = (counts[f"CelebA-{side}", "images"] for side in ("train", "test"))
    assert (train[0] or 0) + (test_side[0] or 0) == 196_761
    assert train[1] == (train[0] or 0) - 157_350


def test_the_papers_own_crops_differ_by_nothing(celeba: pd.DataFrame) -> None:
    sides = {"train": (65_160, 92_190), "test": (16_318, 23_093)}
    crops = pd.concat(
        pd.DataFrame({"identity": "p", "split": side, "Male": [1] * men + [0] * women})
        for side, (men, women) in sides.items()
    )

    table = compared(celeba, crops, settings_of("celeba"))

    assert {line.difference for line in table.comparisons} == {0}
    assert [line.paper for line in table.comparisons if line.row == "CelebA-test"] == [
        39_411,
        16_318,
        23_093,
    ]


def test_a_split_by_identity_need_not_have_the_papers_sides(celeba: pd.DataFrame) -> None:
    table = compared(celeba, celeba.assign(split="train"), settings_of("celeba", "identity"))

    assert table.complete
    assert not any(name.startswith("raw_") for name in table.required)
    assert ours(table)["CelebA-train before cropping", "images"][1] != 0


def test_nearly_all_of_celeba_is_held_to_the_counts_and_a_part_is_not(
    celeba: pd.DataFrame,
) -> None:
    nearly = celeba.iloc[: 19 * len(celeba) // 20]
    table = compared(nearly, nearly.assign(split="train"), settings_of("celeba"))
    assert table.complete
    assert table.found["images"] < table.required["images"]

    part = celeba.iloc[:5_071]
    assert not compared(part, part.assign(split="train"), settings_of("celeba")).complete
    chosen = settings_of("celeba", people=10_000)
    assert not compared(nearly, nearly.assign(split="train"), chosen).complete


def test_a_partition_that_the_source_does_not_give_is_not_required(celeba: pd.DataFrame) -> None:
    without = celeba.assign(partition=None)

    table = compared(without, without.assign(split="train"), settings_of("celeba"))

    assert set(table.required) == {
        "images", "people", "attributes", "male_images", "female_images",
        "raw_train_images", "raw_test_images",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("source", "men", "women", "images", "row", "required"),
    [
        ("muct", 131, 145, 3_755, "MUCT", {"images": 3_755, "people": 276}),
        ("lfw", 4_279, 1_470, 13_233, "LFW", {"images": 13_233, "people": 5_749}),
        ("arface", 76, 60, 3_286, "AR-face", {}),
    ],
)
def test_evaluation_sets_are_counted_by_people(
    source: str, men: int, women: int, images: int, row: str, required: dict[str, int]
) -> None:
    raw = people_table(men, women, images)
    crops = raw.iloc[1:].assign(split="test")

    table = compared(raw, crops, settings_of(source))

    counts = ours(table)
    assert counts[row, "images"][0] == images - 1
    assert counts[row, "male_people"][0] == men
    assert counts[row, "female_people"][0] == women
    assert required.items() <= table.required.items()
    assert all(table.found[name] == count for name, count in table.required.items())
    assert table.complete == bool(required)


def test_the_paper_has_nothing_to_say_of_other_sources_or_without_gender() -> None:
    raw = people_table(3, 3, 12)
    crops = raw.assign(split="train")
    assert profile("sample") == Profile()
    other = compared(raw, crops, settings_of("sample"))
    assert (other.comparisons, other.complete, other.required) == ([], False, {})

    ungendered = compared(raw.drop(columns="Male"), crops.drop(columns="Male"), settings_of("muct"))
    assert ours(ungendered)["MUCT", "male_people"] == (None, None)
