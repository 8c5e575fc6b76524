import pytest

from sanmodel.errors import SanError
from sanmodel.photos.deciding import Decision, decide, label_of, mode_of, words_for


def test_a_class_that_was_told_is_taken_for_every_face() -> None:
    assert decide(1, [0.1, 0.9], 0.7, 0.8) == [Decision(1, None, 0.7)] * 2


def test_a_class_that_is_certain_is_taken_and_another_gets_neutral_at_most() -> None:
    found = decide(None, [0.95, 0.1, 0.75, 0.3], 1.0, 0.8)
    assert [one.label for one in found] == [1, 0, 1, 0]
    assert [one.mode for one in found] == [1.0, 1.0, 0.5, 0.5]
    assert [one.confidence for one in found] == pytest.approx([0.95, 0.9, 0.75, 0.7])
    (mild,) = decide(None, [0.6], 0.2, 0.8)
    assert mild.mode == 0.2  # between same and neutral it stays


def test_words_are_those_of_the_attribute() -> None:
    assert words_for("Male") == ("female", "male")
    assert words_for("Young") == ("no", "yes")
    assert [label_of(word, "Male") for word in ("auto", "female", "male", "no", "yes")] == [
        None, 0, 1, 0, 1
    ]  # fmt: skip
    with pytest.raises(SanError, match="'male' is no class of Young: choose one of auto, no, yes"):
        label_of("male", "Young")


def test_a_mode_is_a_name_or_a_place() -> None:
    names = ("same", "neutral", "opposite", "0.25", "1")
    assert [mode_of(text) for text in names] == [0, 0.5, 1, 0.25, 1]
    for text in ("other", "1.5", "-1", "nan", ""):
        with pytest.raises(SanError, match="choose one of same, neutral, opposite, or a number"):
            mode_of(text)
