"""A version that is not there is named, with what is there instead."""

from pathlib import Path

import pytest

from sanmodel.errors import SanError
from sanmodel.tracking import register
from sanmodel.tracking.shelf import open_shelf


@pytest.mark.parametrize(
    ("which", "told"),
    [
        ("champion", "^the alias champion of san-young points nowhere .there is challenger.: cho"),
        ("7", "^san-young has no version 7 .there is 1.: choose another$"),
        ("models:/san-male@champion", "^there is no registered model san-male .there is san-young"),
        ("models:/san-young", "^models:/san-young names no version: write models:/san-male@cham"),
    ],
)
def test_what_is_not_there_is_named(project: Path, which: str, told: str) -> None:
    register(project)
    with open_shelf(project) as shelf, pytest.raises(SanError, match=told):
        shelf.version(which)


def test_numbers_aliases_and_uris_find_it(project: Path) -> None:
    number = register(project)
    with open_shelf(project) as shelf:
        for which in (number, "challenger", f"models:/san-young/{number}"):
            assert str(shelf.version(which).version) == number
