import re

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from sanmodel.evaluation.figures import (
    OTHER_STYLES,
    STYLES,
    draw_attribute_roc,
    draw_faces,
    draw_matching_roc,
    draw_prototypes,
)
from sanmodel.evaluation.outputs import VARIANTS
from sanmodel.evaluation.report import ATTRIBUTE_COLUMNS, MATCHING_COLUMNS
from sanmodel.evaluation.variants import meaning


def person(level):
    """A person whose variants are flat images of four grey levels."""
    return {v: np.full((224, 224), level + 10 * i, np.uint8) for i, v in enumerate(VARIANTS)}


def areas(path):
    """How many pixels of each grey level a picture has."""
    return np.bincount(np.asarray(Image.open(path).convert("L")).ravel(), minlength=256)


@pytest.mark.parametrize("count", [1, 3])
def test_every_face_and_variant_is_shown(tmp_path, count):
    path = tmp_path / "faces.png"
    people = [person(60 + 42 * i) for i in range(count)]
    draw_faces(people, ["Male = 1"] * count, path)
    pixels = areas(path)
    for faces in people:
        for face in faces.values():
            level = int(face[0, 0])
            # A colour map may round to the neighbouring level.
            assert pixels[level - 1 : level + 2].sum() == pytest.approx(224**2, rel=0.03)


@pytest.mark.parametrize(
    ("draw", "columns"),
    [(draw_attribute_roc, ATTRIBUTE_COLUMNS), (draw_matching_roc, MATCHING_COLUMNS)],
)
def test_curves_get_a_panel_per_network(tmp_path, draw, columns):
    one = pd.DataFrame([("a", v, x, x) for v in VARIANTS for x in (0.01, 0.5, 1)], columns=columns)
    two = pd.concat([one, one.replace({columns[0]: {"a": "b"}})])
    widths = []
    for curves in (one.iloc[:0], one, two):
        draw(curves, tmp_path / "roc.png")
        widths.append(Image.open(tmp_path / "roc.png").width)
    assert widths[0] == widths[1] == widths[2] / 2


def test_baselines_get_a_row_of_faces_each(tmp_path):
    faces = person(60) | {"blur": np.full((224, 224), 150, np.uint8)}
    draw_faces([faces], ["a"], tmp_path / "faces")
    pixels = areas(tmp_path / "faces.png")
    for level in (60, 150):  # the letters' edges have a few pixels of any grey
        assert 224**2 <= pixels[level] < 224**2 + 50


def test_prototypes_are_shown_pixel_for_pixel_in_colour(tmp_path):
    image = np.random.default_rng(0).integers(0, 200, (224, 224, 3), dtype=np.uint8)
    draw_prototypes([("P_0", image), ("P_1", 50 + image)], tmp_path / "prototypes")
    sheet = np.asarray(Image.open(tmp_path / "prototypes.png").convert("RGB"))
    for shown in (image, 50 + image):
        rows, columns = np.nonzero((sheet == shown[0, 0]).all(axis=-1))
        crops = [sheet[y : y + 224, x : x + 224] for y, x in zip(rows, columns, strict=True)]
        assert any(np.array_equal(crop, shown) for crop in crops)


@pytest.mark.parametrize("ending", [".png", ".svg"])
def test_a_figure_is_written_in_both_formats_always_the_same(tmp_path, ending):
    curves = pd.DataFrame([("a", "OP", x, x) for x in (0.1, 1)], columns=ATTRIBUTE_COLUMNS)
    for name in ("one", "two"):
        draw_attribute_roc(curves, tmp_path / name)
    written = (tmp_path / f"one{ending}").read_bytes()
    assert len(written) > 5_000
    assert written == (tmp_path / f"two{ending}").read_bytes()


def test_each_set_gets_a_row_of_panels_and_an_unknown_baseline_a_line(tmp_path):
    rows = [(s, "a", v, x, x) for s in ("test", "lfw") for v in ("OP", "new") for x in (0.1, 1)]
    curves = pd.DataFrame(rows, columns=["set", *MATCHING_COLUMNS])
    sizes = []
    for name, some in (("both", curves), ("one", curves[curves["set"] == "lfw"])):
        draw_matching_roc(some, tmp_path / name)
        sizes.append(Image.open(tmp_path / f"{name}.png").size)
    assert sizes == [(sizes[1][0], 2 * sizes[1][1]), sizes[1]]


def titles_of(path):
    """Where each panel's title begins in a figure, (across, down), in points."""
    place = r"<!-- ([\w, ]+) -->\s*<g transform=\"translate\(([\d.]+) ([\d.]+)\) scale\(0.12"
    found = re.findall(place, path.read_text(encoding="utf-8"))
    return {title: (float(across), float(down)) for title, across, down in found}


@pytest.mark.parametrize("poor", ["AAAA", "BBBB"])
def test_a_panel_is_in_the_row_of_its_set_and_the_column_of_its_network(tmp_path, poor):
    networks = {"AAAA": ["111", "222", "333"], "BBBB": ["111", "222", "333"]}
    networks[poor] = ["222"]
    keys = [(of_set, network) for of_set, own in networks.items() for network in own]
    rows = [(*key, "OP", x, x) for key in keys for x in (0.1, 1)]
    draw_attribute_roc(pd.DataFrame(rows, columns=["set", *ATTRIBUTE_COLUMNS]), tmp_path / "roc")
    titles = titles_of(tmp_path / "roc.svg")
    places = {key: titles[f"{key[1]}, {key[0]}"] for key in keys}
    rich = "BBBB" if poor == "AAAA" else "AAAA"
    assert places[poor, "222"][0] == pytest.approx(places[rich, "222"][0], abs=2)
    assert places[poor, "222"][0] != pytest.approx(places[rich, "111"][0], abs=50)
    assert len({round(places[rich, network][1]) for network in networks[rich]}) == 1
    assert (places[poor, "222"][1] < places[rich, "222"][1] - 50) == (poor == "AAAA")


def test_the_outputs_of_several_models_are_told_apart(tmp_path):
    variants = ["OP", "OP2", "OP3", "OPx"]
    curves = pd.DataFrame(
        [("net", v, x, x) for v in variants for x in (0.0, 1.0)],
        columns=["classifier", "variant", "fpr", "tpr"],
    )
    draw_attribute_roc(curves, tmp_path / "roc")
    svg = (tmp_path / "roc.svg").read_text()
    colours = {colour for colour, _ in (STYLES["OP"], *OTHER_STYLES[:3])}
    assert all(colour in svg for colour in colours)
    assert meaning("OP2") == "opposite-class prototype, model 2"
    assert meaning("OP") == "opposite-class prototype"
