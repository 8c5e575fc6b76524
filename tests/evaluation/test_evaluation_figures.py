import numpy as np
import pandas as pd
import pytest
from PIL import Image

from sanmodel.evaluation.figures import draw_attribute_roc, draw_faces, draw_matching_roc
from sanmodel.evaluation.outputs import VARIANTS
from sanmodel.evaluation.report import ATTRIBUTE_COLUMNS, MATCHING_COLUMNS


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
