"""The page for the owner of the data: whole without a network, true to the findings."""

from html.parser import HTMLParser
from pathlib import Path

import pandas as pd

from sanmodel.settings import Settings
from sanmodel.tables import Reason
from sanmodel.validation.checks import Outcome
from sanmodel.validation.near_duplicates import COLUMNS, NearDuplicates
from sanmodel.validation.page import SHOWN, Findings, write_site
from sanmodel.validation.table_1 import Comparison, Table1

MET = Outcome("raw", "expect_x(a)", "Each image has an id.", True)
UNMET = Outcome("crops", "expect_y(b)", "No crop is <plain>.", False, "found 0, needs > 1")


class Page(HTMLParser):
    """What a browser would read: the text, where links lead, and what is open."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.text, self.tags, self.loads = "", set[str](), list[str]()
        self.links, self.ids, self.rows = list[str](), set[str](), 0
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        told = {name: value or "" for name, value in attrs}
        self.tags.add(tag)
        self.rows += tag == "tr"
        self.ids |= {told["id"]} if "id" in told else set()
        self.links += [told["href"]] if tag == "a" else []
        self.loads += [told[name] for name in ("src", "srcset", "data") if name in told]

    def handle_data(self, data: str) -> None:
        if data.strip():
            self.text += " ".join(data.split()) + " "


def aside(number: int, reason: str = Reason.NO_FACE) -> pd.DataFrame:
    names = [f"{index:05d}" for index in range(number)]
    return pd.DataFrame(
        {
            "image_id": names,
            "identity": "Ada",
            "source_path": [f"photos/{name}.jpg" for name in names],
            "reason": reason,
            "detail": [f"nobody in {name}" for name in names],
        }
    )


def pairs(number: int) -> NearDuplicates:
    rows = [(2, f"a{index}", "p", f"b{index}", "p", True) for index in range(number)]
    return NearDuplicates(pd.DataFrame(rows, columns=list(COLUMNS)), number)


def findings(
    outcomes: list[Outcome],
    quarantine: pd.DataFrame,
    look_alikes: NearDuplicates,
    comparisons: list[Comparison],
) -> Findings:
    figures: dict[str, int | float] = {
        "raw_images": 1_234,
        "crops": 1_200,
        "quarantined": 34,
        "detection_rate": 0.975,
        **{
            f"{side}_{count}": 5
            for side in ("train", "test")
            for count in ("images", "people", "class_0", "class_1")
        },
    }
    return Findings(
        settings=Settings(),
        outcomes=outcomes,
        notes={"raw": "As fetched.", "crops": "Faces."},
        figures=figures,
        quarantine=quarantine,
        near_duplicates=look_alikes,
        table_1=Table1(comparisons, bool(comparisons), {}, {}),
    )


def written(site: Path, told: Findings) -> Page:
    (site / "suites").mkdir()
    for name in ("raw", "crops"):
        (site / f"suites/{name}.html").touch()
    write_site(told, site)
    return Page(site / "index.html")


def test_the_page_tells_the_verdict_the_figures_and_every_image(tmp_path: Path) -> None:
    line = Comparison("CelebA-test", "male_images", 16_318, 16_300)

    page = written(tmp_path, findings([MET], aside(3), pairs(2), [line]))

    assert "All 1 expectations are met." in page.text
    assert "1,234" in page.text
    assert "97.50%" in page.text
    assert "CelebA-test male images 16,318 16,300 -18" in page.text
    assert "photos/00002.jpg 00002 Ada nobody in 00002" in page.text
    assert "2 pairs of a training and a test crop look alike" in page.text
    assert "a1 p b1 p same person" in page.text


def test_the_page_loads_nothing_and_its_links_lead_somewhere(tmp_path: Path) -> None:
    page = written(tmp_path, findings([MET, UNMET], aside(3), pairs(2), []))

    assert page.loads == []
    assert not page.tags & {"script", "link", "img", "iframe"}
    assert "http" not in (tmp_path / "index.html").read_text().replace("http-equiv", "")
    for link in page.links:
        if link.startswith("#"):
            assert link[1:] in page.ids
        else:
            assert (tmp_path / link).is_file(), link
    assert {"quarantine.csv", "near_duplicates.csv", "suites/crops.html"} <= set(page.links)


def test_what_is_not_met_comes_first(tmp_path: Path) -> None:
    page = written(tmp_path, findings([MET, UNMET], aside(0), pairs(0), []))

    assert "1 of 2 expectations are not met." in page.text
    assert page.text.index("No crop is <plain>. found 0, needs > 1") < page.text.index("1,234")
    assert "table 1" not in page.text


def test_long_lists_are_cut_on_the_page_and_whole_beside_it(tmp_path: Path) -> None:
    many = SHOWN + 50
    quarantine = pd.concat([aside(many), aside(2, Reason.UNREADABLE)])

    page = written(tmp_path, findings([MET], quarantine, pairs(many), []))

    assert page.rows < 2 * SHOWN + 40
    assert f"no face : {many}, of which the first {SHOWN} are here" in page.text
    assert len(pd.read_csv(tmp_path / "quarantine.csv")) == many + 2
    assert len(pd.read_csv(tmp_path / "near_duplicates.csv")) == many


def test_a_file_name_is_no_markup(tmp_path: Path) -> None:
    quarantine = aside(1).assign(source_path="<script>alert(1)</script>.jpg", detail="<img src=x>")

    page = written(tmp_path, findings([MET], quarantine, pairs(0), []))

    assert not page.tags & {"script", "img"}
    assert "<script>alert(1)</script>.jpg" in page.text


def test_a_reason_that_nobody_knows_is_shown_too(tmp_path: Path) -> None:
    page = written(tmp_path, findings([MET], aside(2, "too beautiful"), pairs(0), []))

    assert "too beautiful 2" in page.text
