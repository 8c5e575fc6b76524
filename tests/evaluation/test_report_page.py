"""The evaluation's page and the files beside it, as they are written."""

import hashlib
import json
import re

import numpy as np
import pandas as pd
import pytest
from example_report import GAP, VARIANTS, example_metrics, example_report
from PIL import Image
from report_reader import Page

from sanmodel.evaluation.page import MOST_PICTURES, SHOWN, SHOWN_OF_OTHERS, Person, write_report
from sanmodel.evaluation.published import PAPER
from sanmodel.evaluation.report_tables import report_tables


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("report")
    write_report(folder, example_report())
    return folder


@pytest.fixture(scope="module")
def page(folder):
    return Page(folder / "index.html")


def test_it_opens_with_what_was_protected_how_well_and_at_what_price(page):
    assert "952 face images of 1,048 people (378 with it, 574 without), the set test." in page.text
    assert (
        "gender-net, which training never saw, misreads it in 17.0% (95% interval 15.0 to 20.0%) of"
        " the perturbed images, in 5.0% (95% interval 3.0 to 8.0%) of the originals." in page.text
    )
    assert (
        "face-net still matches 90.00% (95% interval 88.00 to 93.00%) of the pairs of one person,"
        " 93.00% (95% interval 91.00 to 96.00%) before (true match rate at 1% FMR); the images keep"
        " a PSNR of 37.0 dB and an SSIM of 0.970 to the originals." in page.text
    )
    assert page.text.index("What was protected") < page.text.index("Table 1")


def test_the_rules_come_next_in_words_and_signs(page):
    rules = page.text[page.text.index("good enough") : page.text.index("Table 1")]
    assert re.search(r"✓ met The error after OP", rules)
    assert re.search(r"✗ not met The true match rate", rules)
    assert re.search(r"\? not judged Ranks stay", rules)
    assert re.search(r"≈ met, not certain The PSNR", rules)
    assert re.search(r"≈ not met, not certain The SSIM", rules)
    assert "Not certain: with other test people" in rules


def test_table_1_has_the_paper_s_sizes_of_the_same_set(page):
    assert ["test", "1,048", "952", "574", "378", "940", "21,662", "883,690"] in page.rows
    unknown = ["not reported"] * 3
    assert [
        *["CelebA-test (paper)", "not reported", "39,411", "23,093", "16,318"],
        *unknown,
    ] in page.rows
    assert ["LFW (paper)", "5,653", "12,969", *["not reported"] * 2, *unknown] in page.rows


def test_images_by_class_that_the_paper_reports_add_up():
    by_class = [of for of in PAPER.sizes.values() if "images_class_0" in of]
    assert by_class
    for of in by_class:
        assert of["images_class_0"] + of["images_class_1"] == of["images"]


def test_table_2_has_face_mixing_and_the_paper_s_figures_of_the_same_set(page):
    assert ["test", "gender-net", "5.0% (3.0 to 8.0%)", "17.0% (15.0 to 20.0%)"] in [
        row[:4] for row in page.rows
    ]
    assert ["CelebA-test", "G-COTS (paper)", "2.2%", "13.6%", "42.4%"] in page.rows
    assert ["LFW", "IntraFace (paper)", "33.4%", "72.5%", "70.9%"] in page.rows
    assert "MUCT" not in {row[0] for row in page.rows}


def test_table_3_has_the_paper_s_rates_where_it_has_some(page):
    assert ["LFW", "M-COTS (paper)", "90.29%", "90.02%", "88.47%", "83.45%"] in page.rows
    assert [row for row in page.rows if row[1:2] == ["M-COTS (paper)"]] == [
        ["LFW", "M-COTS (paper)", "90.29%", "90.02%", "88.47%", "83.45%"]
    ]


def test_another_attribute_is_not_set_beside_the_paper_s():
    metrics = example_metrics() | {"attribute": "Young"}
    tables = report_tables(metrics, {}, PAPER, {"test": "celeba"})
    assert not any(row.published for table in tables for row in table.rows)


def without_mixing(of_set):
    """The metrics of a set without the baseline that mixes faces."""
    kinds = ("classifiers", "matchers")
    networks = {
        kind: {
            n: {v: f for v, f in own.items() if v != "mixing"} for n, own in of_set[kind].items()
        }
        for kind in kinds
    }
    quality = {v: f for v, f in of_set["quality"].items() if v != "mixing"}
    return of_set | networks | {"quality": quality}


def test_without_face_mixing_table_2_has_no_column_of_it():
    metrics = without_mixing(example_metrics())
    tables = report_tables(metrics | {"sets": {}}, {}, PAPER, {"test": "celeba"})
    assert tables[1].columns == ("before (original)", "after (OP)")
    assert {len(row.cells) for row in tables[1].rows} == {2}
    mixed = report_tables(metrics, {}, PAPER, {"test": "celeba"})[1]
    assert mixed.columns[2] == "face mixing"
    assert mixed.rows[0].cells[2].reason == "these images were not shown to it"


def test_table_3_says_which_rate_was_not_asked_for():
    other = {v: {"tmr_at_fmr_0.5": 0.9} for v in VARIANTS}
    metrics = example_metrics() | {"matchers": {"face-net": other}, "sets": {}}
    table_3 = report_tables(metrics, {}, PAPER, {})[2]
    assert table_3.reasons == ["0.01 is not among evaluate.false_match_rates"]


def test_every_variant_has_a_row_and_a_missing_figure_its_reason(page):
    rows = [row for row in page.rows if row[0] in VARIANTS]
    assert [row[0] for row in rows] == [*VARIANTS] * 2
    heads = next(row for row in page.rows if row[0] == "variant")
    place = heads.index("true match rate at 0.1% FMR, face-net")
    assert {row[place] for row in rows} == {"not measured (1)"}
    assert f"(1) {GAP}." in page.text
    assert not any("rank" in head for head in heads)
    assert rows[0][heads.index("PSNR, dB")] == "does not apply"
    assert rows[4][:2] == ["mixing", "face mixing (Othman and Ross, 2014)"]


def test_a_probe_is_a_table_under_its_question(page):
    assert "Does an attacker who trains on outputs read them? Attack, set test" in page.text
    assert ["of", "attribute error", "AUC", "guesses"] in page.rows
    assert ["trained on OP", "12.5%", "not measured", "3"] in page.rows
    assert ["of", "rank-1 rate", "rank-5 rate"] in page.rows
    assert ["face-net OP", "90.00%", "91.00%"] in page.rows
    heads = next(row for row in page.rows if row[1:2] == ["images"] and row[0] == "of")
    assert heads[2:4] == ["attribute error, original", "attribute error, OP"]
    assert heads[5] == "true match rate at 1% FMR, OP"
    other = "does not apply"
    assert ["gender-net all", "12,952", "5.0%", "17.0%", other, other] in page.rows
    assert ["face-net all", "12,940", other, other, "93.00%", "90.00%"] in page.rows
    small = ["gender-net Young=0", "12", "not measured (1)", "not measured (1)", other, other]
    assert small in page.rows
    assert (
        "(1) figures of fewer than 30 images or pairs of one person are not given, nor an AUC"
        in page.text
    )


def test_how_it_was_measured_is_said(page):
    method = page.text[page.text.index("How it was measured All") :]
    assert "21,662 and 883,690 in the set test, 21,662 and 883,690 in the set lfw" in method
    assert "seed of every random choice is 7" in method
    assert "learned in 60 steps from 400 faces of the training side" in method
    assert "Faces that nobody has." in page.text


def test_the_page_loads_nothing_and_its_links_lead_somewhere(folder, page):
    assert page.loads
    assert all(source.startswith("data:image/") for source in page.loads)
    assert len(page.ids) == len(set(page.ids))
    for link in page.links:
        assert link[1:] in page.ids if link.startswith("#") else (folder / link).is_file(), link
    written = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    assert written - {"index.html"} == {link for link in page.links if not link.startswith("#")}


def test_figures_are_there_in_both_formats(folder):
    figures = ("3-prototypes", "5-faces", "5-faces-lfw", "6-attribute-roc", "7-matching-roc")
    for name in figures:
        with Image.open(folder / f"figures/figure-{name}.png") as picture:
            assert picture.width > 250
        assert "<svg" in (folder / f"figures/figure-{name}.svg").read_text(encoding="utf-8")


def test_csv_files_have_plain_numbers_and_intervals(folder):
    table = pd.read_csv(folder / "tables/table-2.csv")
    ours = table[table["classifier"] == "gender-net"].iloc[0]
    assert ours["after (OP)"] == pytest.approx(0.17)
    ends = ours[["after (OP), low", "after (OP), high"]]
    assert ends.to_list() == pytest.approx([0.15, 0.2])
    variants = pd.read_csv(folder / "tables/variants-test.csv")
    assert variants["true match rate at 0.1% FMR, face-net"].isna().all()
    assert len(pd.read_csv(folder / "tables/attribute-roc.csv")) == 3 * len(VARIANTS)


def test_metrics_are_kept_as_they_are(folder):
    assert json.loads((folder / "metrics.json").read_text()) == example_metrics()


def test_the_same_contents_give_the_same_bytes(folder, tmp_path):
    write_report(tmp_path, example_report())
    for path in (path for path in tmp_path.rglob("*") if path.is_file()):
        again = folder / path.relative_to(tmp_path)
        assert (
            hashlib.sha256(path.read_bytes()).digest()
            == hashlib.sha256(again.read_bytes()).digest()
        ), path


def test_what_was_not_measured_is_said_and_never_zero(tmp_path):
    gaps = ["gender-net reads Male, not Smiling, and is left out"]
    gaps += ["no person has two matched images: there is no genuine pair to match"]
    nothing = {"tmr_at_fmr_0.01": None}
    metrics = {
        **example_metrics(),
        "classifiers": {},
        "matchers": {"face-net": {v: nothing for v in ("original", "SM", "NT", "OP")}},
        "probes": {},
        "gaps": gaps,
        "sets": {},
    }
    empty = example_report().attribute_roc.iloc[:0]
    contents = example_report({}, metrics=metrics, attribute_roc=empty, prototypes=[], rules=[])
    write_report(tmp_path, contents)
    page = Page(tmp_path / "index.html")
    assert f"How well it is hidden was not measured: {gaps[0]}." in page.text
    assert (
        f"the true match rate at 1% FMR of face-net was not measured: {gaps[1]}; the images keep"
        in page.text
    )
    assert ["test", "face-net", *["not measured (1)"] * 4] in page.rows
    assert ["test", "none", *["not measured (1)"] * 3] in page.rows
    assert f"(1) {gaps[0]}." in page.text
    assert "No rule was set." in page.text
    assert "0.0" not in " ".join(cell for row in page.rows for cell in row)


def test_names_are_no_markup(tmp_path, page):
    person = Person("<script>alert(1)</script>", example_report().people["test"][0].images)
    write_report(tmp_path, example_report({"test": [person]}, notes=["<b><img src=x>"]))
    hostile = Page(tmp_path / "index.html")
    assert hostile.tags["script"] == page.tags["script"]
    assert "<script>alert(1)</script>" in hostile.text
    assert "<b><img src=x>" in hostile.text


def test_the_page_stays_under_5_megabytes_with_four_further_sets(folder, tmp_path):
    """Even if all faces had noise of 27 dB PSNR, which does not compress."""
    rng = np.random.default_rng(0)
    blocks = rng.integers(50, 200, (len(VARIANTS), 28, 28)).repeat(8, axis=1).repeat(8, axis=2)
    noisy = np.clip(blocks + rng.normal(0, 11, blocks.shape), 0, 255).astype(np.uint8)
    person = [Person("a", dict(zip(VARIANTS, noisy, strict=True)))]
    sizes = [(folder / "index.html").stat().st_size]
    for name, people in (("one", {"test": person}), ("two", {"test": person, "lfw": person})):
        write_report(tmp_path / name, example_report(people))
        sizes.append((tmp_path / name / "index.html").stat().st_size)
    flat, one, two = sizes
    assert flat + 2e5 < one < two - 5e4
    assert flat + SHOWN * (one - flat) + 4 * SHOWN_OF_OTHERS * (two - one) < 5e6


def test_of_each_set_no_more_faces_are_shown_than_fit(tmp_path):
    images = {variant: np.zeros((224, 224), np.uint8) for variant in ("original", "OP")}
    people = {
        "test": [Person("one of test", images)] * (SHOWN + 1),
        "lfw": [Person("one of lfw", images)] * (SHOWN_OF_OTHERS + 1),
    }
    write_report(tmp_path, example_report(people))
    page = Page(tmp_path / "index.html")
    assert page.text.count("one of test") == SHOWN
    assert page.text.count("one of lfw") == SHOWN_OF_OTHERS
    places = [
        page.text.index(words) for words in ("Set test", "one of test", "Set lfw", "one of l")
    ]
    assert places == sorted(places)


def test_with_many_sets_and_variants_fewer_faces_are_shown(tmp_path):
    variants = ("original", *(f"OP{n}" for n in range(31)))
    image = np.zeros((224, 224), np.uint8)
    people = [Person("one", dict.fromkeys(variants, image))] * SHOWN
    assert len(variants) * (SHOWN + SHOWN_OF_OTHERS) > MOST_PICTURES
    write_report(tmp_path, example_report({"test": people, "lfw": people}))
    page = (tmp_path / "index.html").read_text(encoding="utf-8")
    pictures = len(re.findall(r'<img class="(?:original|output)"', page))
    assert MOST_PICTURES / 2 < pictures <= MOST_PICTURES
