from pathlib import Path

import great_expectations.expectations as gxe
import pandas as pd
import pytest

from sanmodel.validation.checks import Outcome, Suite, check


def test_every_failure_is_told_and_every_suite_has_a_page(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    people = Suite(
        "people",
        "Who is shown.",
        pd.DataFrame({"image_id": list("abcde"), "age": [7, 41, 42, 43, 44]}),
        [
            gxe.ExpectColumnValuesToBeBetween(
                column="age", max_value=18, description="Nobody is of age."
            ),
            gxe.ExpectTableRowCountToBeBetween(min_value=9, description="There are nine or more."),
            gxe.ExpectColumnValuesToNotBeNull(column="name", description="Everybody has a name."),
            gxe.ExpectColumnValuesToNotBeNull(column="age", description="Every age is known."),
        ],
    )
    totals = Suite(
        "totals",
        "In one row.",
        pd.DataFrame({"rate": [0.123456]}),
        [gxe.ExpectColumnValuesToBeBetween(column="rate", min_value=0.5, description="Half.")],
    )

    outcomes = check([people, totals], tmp_path)

    assert [str(outcome) for outcome in outcomes if not outcome.passed] == [
        "people: expect_column_values_to_be_between(age) found 41, 42, 43 in 4 of 5 rows"
        " (image_id b, c, d), needs <= 18",
        "people: expect_column_values_to_not_be_null(name) could not be checked",
        "people: expect_table_row_count_to_be_between() found 5, needs >= 9",
        "totals: expect_column_values_to_be_between(rate) found 0.1235, needs >= 0.5",
    ]
    assert [outcome.images for outcome in outcomes] == [tuple("bcde"), (), (), (), ()]
    assert [outcome.sentence for outcome in outcomes if outcome.passed] == ["Every age is known."]
    assert {path.name for path in tmp_path.iterdir()} == {"people.html", "totals.html"}
    assert "Nobody is of age." in (tmp_path / "people.html").read_text(encoding="utf-8")
    assert capfd.readouterr() == ("", "")  # no progress bars, no chatter


def test_nothing_fails_on_a_frame_that_is_as_expected(tmp_path: Path) -> None:
    suite = Suite(
        "people",
        "Who is shown.",
        pd.DataFrame({"name": ["Ada", "Grace"]}),
        [gxe.ExpectColumnValuesToBeUnique(column="name", description="Names are unique.")],
    )

    (outcome,) = check([suite], tmp_path)

    assert outcome == Outcome(
        "people", "expect_column_values_to_be_unique(name)", "Names are unique.", True
    )


def test_a_page_of_a_suite_needs_no_network_and_shows_values_as_they_are(tmp_path: Path) -> None:
    suite = Suite(
        "files",
        "What <files> are called.",
        pd.DataFrame({"file": ["<script>alert(1)</script>", "a.jpg"]}),
        [gxe.ExpectColumnValuesToBeInSet(column="file", value_set=["a"], description="All a.")],
    )

    check([suite], tmp_path)

    text = (tmp_path / "files.html").read_text(encoding="utf-8")
    assert "http" not in text.replace("http-equiv", "")
    assert "<script" not in text
    assert "&lt;script&gt;alert(1)" in text
    assert "What &lt;files&gt; are called." in text
    assert "default-src 'none'" in text
