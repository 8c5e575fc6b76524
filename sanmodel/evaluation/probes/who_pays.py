"""Whom protection fails and whose matching suffers, by groups of people and of photos.

A true match rate within a group counts the genuine pairs of which both images are of the group. Its
threshold is the one of all faces, set by all impostor pairs of the same kind of probe: a system
has one threshold for everybody, and a group pays where that one does not suit it.
"""

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from sanmodel.evaluation.faces import Faces
from sanmodel.evaluation.intervals import (
    Intervals,
    attribute_intervals,
    mean_interval,
    with_intervals,
)
from sanmodel.evaluation.match_intervals import group_match_intervals
from sanmodel.evaluation.measures import LIKENESS
from sanmodel.evaluation.pairs import genuine_places
from sanmodel.evaluation.probes import PROBES, Answer, Study
from sanmodel.evaluation.protocol import THRESHOLD, attribute_metrics, true_match_name, verify
from sanmodel.evaluation.variants import HIDING

LEAST = 30
"""Fewest images, and genuine pairs, of a group whose figures are given."""

VARIANTS = ("original", HIDING)
"""Compared: the photo as it was, and the output that is to hide the attribute."""

READ = ("error_rate", "auc")
ALIKE = ("psnr", "ssim")

Figures = dict[str, float | None]
Flags = NDArray[np.bool_]


@PROBES.register("who-pays")
class WhoPaysProbe:
    """Figures of each group: how its attribute is read, its faces matched, and its images changed.

    The groups are all faces, the faces of each class of the protected attribute (the error of
    class 1 is made where class 1 turns into class 0, and the other way round), and those with and
    without each other attribute.
    """

    title = "Who pays"
    question = (
        "Is anybody protected worse, or matched worse for being protected, than the average tells:"
        " men or women, the old or the young, people with glasses? Groups of fewer than"
        f" {LEAST} images, or pairs of one person, have no figures."
    )
    missing = (
        f"figures of fewer than {LEAST} images or pairs of one person are not given, nor an AUC"
        " within one class"
    )
    needs: tuple[str, ...] = ("classifiers", "matchers")

    def answer(self, study: Study) -> Answer:
        """See :meth:`sanmodel.evaluation.probes.Probe.answer`.

        Rows are "<classifier or matcher> <group>" and "likeness <group>", a group being "all" or
        like "Male=1"; and "<classifier, matcher or likeness> worst: <group>", which repeats the
        figures of the group with the lowest error, true match rate (at the first false match rate)
        or PSNR on OP, or plain "worst" if no group is measured. Columns are ``images``; each for
        the original and OP ``error_rate_<variant>`` and ``auc_<variant>`` of classifiers and
        ``tmr_at_fmr_<rate>_<variant>`` of matchers; ``psnr_OP`` and ``ssim_OP``. Figures of fewer
        than ``LEAST`` images or genuine pairs and those of the other rows are None.
        """
        tables = _tables(study)
        measures = [*READ, *map(true_match_name, study.false_match_rates)]
        columns = [column for measure in measures for column in _columns(measure)]
        columns = ["images", *columns, *(f"{measure}_{HIDING}" for measure in ALIKE)]
        return {
            f"{name} {row}": dict.fromkeys(columns) | figures
            for (name, measure), table in tables.items()
            for row, figures in [*table.items(), _worst(table, f"{measure}_{HIDING}")]
        }


def _tables(study: Study) -> dict[tuple[str, str], dict[str, Figures]]:
    """Return the figures by group: of each network, and of the likeness to the originals.

    They are found by the name of the network, and by the measure that tells the worst group.
    """
    groups, rates = _groups(study.test.faces, study.attribute), study.false_match_rates
    tables = {(name, "error_rate"): _read(study, name, groups) for name in _names(study.scores)}
    for name in _names(study.descriptors) if rates else []:
        tables[name, true_match_name(rates[0])] = _matched(study, name, groups)
    if study.quality:
        tables[LIKENESS, ALIKE[0]] = _alike(study, groups)
    return tables


def _groups(faces: Faces, attribute: str) -> dict[str, Flags]:
    """Return which faces belong to each group, (N,)."""
    attributes = {attribute: faces.labels, **faces.groups}
    halves = {f"{name}={v}": values == v for name, values in attributes.items() for v in (1, 0)}
    return {"all": np.ones(len(faces), dtype=bool), **halves}


def _read(study: Study, classifier: str, groups: dict[str, Flags]) -> dict[str, Figures]:
    """Return how a classifier reads each group, by variant."""
    faces = study.test.faces
    table: dict[str, Figures] = {}
    for group, inside in groups.items():
        figures = table[group] = {"images": float(inside.sum())}
        for variant in VARIANTS:
            names = {measure: f"{measure}_{variant}" for measure in READ}
            figures |= dict.fromkeys(names.values())
            if inside.sum() >= LEAST:
                scores = study.scores[classifier, variant]
                found = attribute_metrics(faces.labels[inside], scores[inside])
                intervals = _read_intervals(study, scores, inside)
                figures |= with_intervals(
                    {name: found[measure] for measure, name in names.items()},
                    {name: intervals[measure] for measure, name in names.items()},
                )
    return table


def _read_intervals(study: Study, scores: NDArray[np.float64], inside: Flags) -> Intervals:
    """Return the intervals of ``READ``; the same people are drawn for every group's error."""
    labels, people = study.test.faces.labels, study.test.faces.people
    wrong = np.where(inside, (scores > THRESHOLD) != labels, np.nan)
    of_group = attribute_intervals(labels[inside], scores[inside], people[inside], study.seed)
    return {"error_rate": mean_interval(wrong, people, study.seed), "auc": of_group["auc"]}


def _alike(study: Study, groups: dict[str, Flags]) -> dict[str, Figures]:
    """Return how like their originals the hiding outputs of each group are."""
    table: dict[str, Figures] = {}
    for group, inside in groups.items():
        figures = table[group] = {"images": float(inside.sum())}
        for measure in ALIKE:
            values, name = study.quality[measure, HIDING], f"{measure}_{HIDING}"
            figures[name] = None
            if inside.sum() >= LEAST:
                own = np.where(inside, values, np.nan)
                interval = mean_interval(own, study.test.faces.people, study.seed)
                figures |= with_intervals({name: float(values[inside].mean())}, {name: interval})
    return table


def _matched(study: Study, matcher: str, groups: dict[str, Flags]) -> dict[str, Figures]:
    """Return a matcher's true match rates by group and variant, of the faces that are matched."""
    matched = study.test.faces.matched
    people = study.test.faces.people[matched]
    pairs = _pairs({group: inside[matched] for group, inside in groups.items()}, people)
    table: dict[str, Figures] = {g: {"images": float(f[matched].sum())} for g, f in groups.items()}
    for rate in study.false_match_rates:
        for variant in VARIANTS:
            column = f"{true_match_name(rate)}_{variant}"
            found = _rates(study, (matcher, variant), rate, pairs, column)
            for group, figures in table.items():
                figures |= found.get(group, {column: None})
    return table


def _rates(
    study: Study, key: tuple[str, str], rate: float, pairs: dict[str, Flags], column: str
) -> dict[str, Figures]:
    """Return a true match rate, called ``column``, of each group that has one."""
    matched = study.test.faces.matched
    people = study.test.faces.people[matched]
    probes, gallery = (study.descriptors[key[0], v][matched] for v in (key[1], "original"))
    matches = verify(probes, gallery, people, study.seed).matches(rate)
    if matches is None:
        return {}
    intervals = group_match_intervals(probes, gallery, people, rate, pairs, study.seed)
    return {
        group: with_intervals({column: float(matches[within].mean())}, {column: intervals[group]})
        for group, within in pairs.items()
    }


def _pairs(groups: dict[str, Flags], people: NDArray[np.int64]) -> dict[str, Flags]:
    """Return which genuine pairs are within each group that has enough images and pairs."""
    probes, gallery = genuine_places(people)
    pairs = {
        group: inside[probes] & inside[gallery]
        for group, inside in groups.items()
        if inside.sum() >= LEAST
    }
    return {group: within for group, within in pairs.items() if within.sum() >= LEAST}


def _worst(table: dict[str, Figures], column: str) -> tuple[str, Figures]:
    """Return the name of the row of the group whose figure in a column is lowest, and the row."""
    found = {group: figures[column] for group, figures in table.items() if group != "all"}
    known = {group: value for group, value in found.items() if value is not None}
    if not known:
        return "worst", {}
    group = min(known, key=lambda group: known[group])
    return f"worst: {group}", table[group]


def _columns(measure: str) -> list[str]:
    return [f"{measure}_{variant}" for variant in VARIANTS]


def _names(keys: Iterable[tuple[str, str]]) -> list[str]:
    """Return the classifiers or matchers in their order."""
    return list(dict.fromkeys(name for name, _ in keys))
