"""The report of an evaluation that anyone can read: one page, its tables and its figures."""

import base64
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import floor
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined
from numpy.typing import NDArray
from PIL import Image

from sanmodel.evaluation.figures import (
    draw_attribute_roc,
    draw_faces,
    draw_matching_roc,
    draw_prototypes,
)
from sanmodel.evaluation.opening import opening
from sanmodel.evaluation.published import PAPER, Published
from sanmodel.evaluation.report_tables import (
    Metrics,
    Questions,
    Table,
    all_sets,
    file_name,
    report_tables,
    write_tables,
)
from sanmodel.evaluation.variants import in_order, meaning
from sanmodel.evaluation.verdicts import Verdict
from sanmodel.files import write_json
from sanmodel.images import Picture

INDEX = "index.html"
METRICS = "metrics.json"
TABLES = "tables"
FIGURES = "figures"

SHOWN = 6
"""People of the main set whose faces the page shows; figure 5 has all that it is given."""

SHOWN_OF_OTHERS = 3
"""Likewise of each further set."""


@dataclass(frozen=True)
class Grade:
    """How good photos are on the page; the files beside it have all pixels.

    Attributes:
        side: Most pixels of a side of a photographic figure.
        quality: Of the WebP images, 0 to 100.
    """

    side: int
    quality: int


FINE = Grade(side=1600, quality=90)
"""Of the main set and the prototypes."""

COARSE = Grade(side=800, quality=70)
"""Of further sets."""

MOST_PICTURES = 9 * (SHOWN + 4 * SHOWN_OF_OTHERS)
"""Faces on the page, each variant of a person being one: those of our four variants and of five
baselines, of four further sets as the paper has them. With so many the page stays under 5 MB."""


@dataclass(frozen=True)
class Person:
    """A face to show.

    Attributes:
        caption: What stands under it.
        images: By variant, "original" among them, the grey images, (224, 224).
    """

    caption: str
    images: dict[str, NDArray[np.uint8]]


@dataclass(frozen=True)
class Report:
    """All that a report tells.

    Attributes:
        metrics: Of an evaluation, see docs/evaluation.md.
        questions: Title and question of each probe by its name.
        attribute_roc: Columns classifier, variant, fpr, tpr; before them, with several sets, set.
        matching_roc: Columns matcher, variant, fmr, tmr; likewise.
        people: Faces to show by set, the main one first, all with the same variants.
        prototypes: Caption and RGB image, (224, 224, 3), of each.
        rules: What came of the rules that a model must meet to be promoted.
        seed: Of every random choice.
        sources: By the name of a set the data source that it is of, where the names differ:
            {"test": "celeba"} sets the main set beside the paper's CelebA-test.
        notes: What else a reader must know, a sentence each.
        published: The figures to set beside ours.
    """

    metrics: Metrics
    questions: Questions
    attribute_roc: pd.DataFrame
    matching_roc: pd.DataFrame
    people: Mapping[str, Sequence[Person]]
    prototypes: Sequence[tuple[str, Picture]]
    rules: Sequence[Verdict]
    seed: int
    sources: Mapping[str, str] = field(default_factory=dict)
    notes: Sequence[str] = ()
    published: Published = PAPER


@dataclass(frozen=True)
class Shown:
    """A figure on the page.

    Attributes:
        number: Of the paper's figure.
        title: What it shows, for those who do not see it too.
        name: Of its files, without the ending.
        source: The picture itself as a data URL.
    """

    number: int
    title: str
    name: str
    source: str


def write_report(folder: Path, contents: Report) -> None:
    """Write ``index.html``, ``metrics.json``, ``tables/`` and ``figures/``.

    The page holds all that it shows in itself. The same contents give the same bytes.

    Args:
        folder: Where to; made if it is missing. For a report that is whole or not there, one of
            :func:`sanmodel.files.atomic_folder`.
        contents: What to tell.
    """
    for part in (TABLES, FIGURES):
        (folder / part).mkdir(parents=True, exist_ok=True)
    write_json(folder / METRICS, contents.metrics)
    tables = report_tables(
        contents.metrics, contents.questions, contents.published, contents.sources
    )
    write_tables(tables, folder / TABLES)
    for name, curves in _curves(contents).items():
        curves.to_csv(folder / TABLES / f"{name}.csv", index=False, float_format="%.6g")
    figures = _draw(contents, folder / FIGURES)
    (folder / INDEX).write_text(_page(contents, tables, figures), encoding="utf-8")


def _curves(contents: Report) -> dict[str, pd.DataFrame]:
    return {"attribute-roc": contents.attribute_roc, "matching-roc": contents.matching_roc}


def _draw(contents: Report, folder: Path) -> list[Shown]:
    """Draw all figures that there is something for, and return them for the page."""
    shown = []
    if contents.prototypes:
        draw_prototypes(contents.prototypes, folder / "figure-3-prototypes")
        shown.append(_photographic(3, "The prototypes", folder / "figure-3-prototypes", FINE))
    shown += [_drawn_faces(contents, name, folder) for name in contents.people]
    draw_attribute_roc(contents.attribute_roc, folder / "figure-6-attribute-roc")
    title = f"ROC curves of reading {contents.metrics['attribute']}; the diagonal is guessing"
    shown.append(_drawn(6, title, folder / "figure-6-attribute-roc"))
    draw_matching_roc(contents.matching_roc, folder / "figure-7-matching-roc")
    title = "ROC curves of matching faces, the false match rate on a log axis"
    return [*shown, _drawn(7, title, folder / "figure-7-matching-roc")]


def _drawn_faces(contents: Report, name: str, folder: Path) -> Shown:
    """Draw figure 5 of one set; the main set's file has no set in its name."""
    people = contents.people[name]
    main = name == contents.metrics["set"]
    path = folder / ("figure-5-faces" if main else f"figure-5-faces-{file_name(name)}")
    draw_faces([person.images for person in people], [person.caption for person in people], path)
    title = f"Faces of the set {name}, a column per person and a row per variant"
    return _photographic(5, title, path, FINE if main else COARSE)


def _photographic(number: int, title: str, path: Path, grade: Grade) -> Shown:
    """Return a figure of photos, made small enough for the page."""
    with Image.open(path.with_suffix(".png")) as picture:
        small = picture.convert("RGB")
    small.thumbnail((grade.side, grade.side))
    return Shown(number, title, path.name, _webp(small, grade))


def _drawn(number: int, title: str, path: Path) -> Shown:
    """Return a figure of lines, sharp at any size."""
    content = path.with_suffix(".svg").read_bytes()
    return Shown(number, title, path.name, _data_url("image/svg+xml", content))


def _webp(picture: Image.Image, grade: Grade) -> str:
    stream = io.BytesIO()
    picture.save(stream, "WEBP", quality=grade.quality)
    return _data_url("image/webp", stream.getvalue())


def _data_url(kind: str, content: bytes) -> str:
    return f"data:{kind};base64,{base64.b64encode(content).decode('ascii')}"


def _page(contents: Report, tables: Sequence[Table], figures: Sequence[Shown]) -> str:
    sets = all_sets(contents.metrics)
    files = [*(table.name for table in tables), *_curves(contents)]
    return (
        _environment()
        .get_template("report.html.j2")
        .render(
            report=contents,
            metrics=contents.metrics,
            opening=opening(contents.metrics),
            tables=[table for table in tables if table.name.startswith("table-")],
            variants=[table for table in tables if table.name.startswith("variants-")],
            probes=[table for table in tables if table.name.startswith("probe-")],
            figures=figures,
            faces=_faces(contents),
            gaps={name: of_set["gaps"] for name, of_set in sets.items()},
            sets=sets,
            files=[f"{TABLES}/{name}.csv" for name in files],
        )
    )


def _faces(contents: Report) -> dict[str, list[dict[str, Any]]]:
    """Return some faces of each set for the page, fewer where there are many sets or variants."""
    chosen: dict[str, tuple[Sequence[Person], Grade]] = {}
    for name, people in contents.people.items():
        main = name == contents.metrics["set"]
        most, grade = (SHOWN, FINE) if main else (SHOWN_OF_OTHERS, COARSE)
        chosen[name] = (people[:most], grade)
    pictures = sum(len(person.images) for people, _ in chosen.values() for person in people)
    share = min(1, MOST_PICTURES / max(1, pictures))
    return {
        name: [_face(person, grade) for person in people[: max(1, floor(share * len(people)))]]
        for name, (people, grade) in chosen.items()
    }


def _face(person: Person, grade: Grade) -> dict[str, Any]:
    """Return a face with its images as data URLs, the outputs in the order of the tables."""
    images = {
        variant: _webp(Image.fromarray(person.images[variant]), grade)
        for variant in in_order(person.images)
    }
    return {"caption": person.caption, "images": images}


def _environment() -> Environment:
    """Return the templates of this package, and the style that validation's page shares."""
    packages = ("sanmodel.evaluation", "sanmodel.validation")
    environment = Environment(
        loader=ChoiceLoader([PackageLoader(package, "templates") for package in packages]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["meaning"] = meaning
    return environment
