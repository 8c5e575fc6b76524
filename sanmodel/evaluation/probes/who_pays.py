"""Whom protection fails and whose matching suffers, by groups of people and of photos.

A true match rate within a group counts the genuine pairs of which both images are of the group. Its
threshold is the one of all faces, set by all impostor pairs of the same kind of probe: a system
has one threshold for everybody, and a group pays where that one does not suit it.
"""

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from sanmodel.evaluation.faces import Faces
from sanmodel.evaluation.intervals import mean_interval, with_intervals
from sanmodel.evaluation.match_intervals import group_match_intervals
from sanmodel.evaluation.pairs import genuine_places
from sanmodel.evaluation.probes import PROBES, Answer, Study
from sanmodel.evaluation.protocol import THRESHOLD, true_match_name, verify

LEAST = 30
"""Fewest images, and genuine pairs, of a group whose figures are given."""

VARIANTS = ("original", "OP")
"""Compared: the photo as it was, and the output that is to hide the attribute."""

Figures = dict[str, float | None]
Flags = NDArray[np.bool_]


@PROBES.register("who-pays")
class WhoPaysProbe:
    """Attribute error by classifier and group, true match rate by matcher and group.

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

    def answer(self, study: Study) -> Answer:
        """See :meth:`sanmodel.evaluation.probes.Probe.answer`.

        Rows are "<classifier or matcher> <group>", a group being "all" or like "Male=1"; and
        "<classifier or matcher> worst: <group>", which repeats the figures of the group with the
        lowest error, or true match rate, on OP, or plain "worst" if no group is measured. Columns
        are ``images`` and, each for the original and OP, ``error_rate_<variant>`` of classifiers
        and ``tmr_at_fmr_<rate>_<variant>`` of matchers at the first false match rate. Figures of
        fewer than ``LEAST`` images or genuine pairs and those of the other kind of network are
        None.
        """
        groups = _groups(study.test.faces, study.attribute)
        tables = {
            (name, "error_rate"): _errors(study, name, groups) for name in _names(study.scores)
        }
        for rate in study.false_match_rates[:1]:
            for name in _names(study.descriptors):
                table = _true_match_rates(study, name, groups, rate)
                tables[name, true_match_name(rate)] = table
        measures = ["error_rate", *map(true_match_name, study.false_match_rates[:1])]
        columns = ["images", *(column for measure in measures for column in _columns(measure))]
        return {
            f"{name} {row}": dict.fromkeys(columns) | figures
            for (name, measure), table in tables.items()
            for row, figures in [*table.items(), _worst(table, _columns(measure)[-1])]
        }


def _groups(faces: Faces, attribute: str) -> dict[str, Flags]:
    """Return which faces belong to each group, (N,)."""
    attributes = {attribute: faces.labels, **faces.groups}
    halves = {f"{name}={v}": values == v for name, values in attributes.items() for v in (1, 0)}
    return {"all": np.ones(len(faces), dtype=bool), **halves}


def _errors(study: Study, classifier: str, groups: dict[str, Flags]) -> dict[str, Figures]:
    """Return a classifier's share of wrong answers by group and variant."""
    read = [study.scores[classifier, variant] > THRESHOLD for variant in VARIANTS]
    wrong = [answers != study.test.faces.labels for answers in read]
    table: dict[str, Figures] = {}
    for group, inside in groups.items():
        figures: Figures = {"images": float(inside.sum())}
        for column, flags in zip(_columns("error_rate"), wrong, strict=True):
            share = {column: _share(flags[inside])}
            own = np.where(inside, flags, np.nan)  # the same people are drawn for every group
            interval = mean_interval(own, study.test.faces.people, study.seed)
            figures |= share if share[column] is None else with_intervals(share, {column: interval})
        table[group] = figures
    return table


def _true_match_rates(
    study: Study, matcher: str, groups: dict[str, Flags], rate: float
) -> dict[str, Figures]:
    """Return a matcher's true match rates by group and variant, of the faces that are matched."""
    matched = study.test.faces.matched
    people = study.test.faces.people[matched]
    gallery = study.descriptors[matcher, "original"][matched]
    table: dict[str, Figures] = {g: {"images": float(f[matched].sum())} for g, f in groups.items()}
    pairs = _pairs({group: inside[matched] for group, inside in groups.items()}, people)
    for variant, column in zip(VARIANTS, _columns(true_match_name(rate)), strict=True):
        probes = study.descriptors[matcher, variant][matched]
        matches = verify(probes, gallery, people, study.seed).matches(rate)
        own = pairs if matches is not None else {}
        intervals = group_match_intervals(probes, gallery, people, rate, own, study.seed)
        for group, figures in table.items():
            figures[column] = None
            if group in own and matches is not None:
                share, interval = float(matches[own[group]].mean()), intervals[group]
                figures |= with_intervals({column: share}, {column: interval})
    return table


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


def _share(flags: Flags) -> float | None:
    return float(flags.mean()) if len(flags) >= LEAST else None


def _columns(measure: str) -> list[str]:
    return [f"{measure}_{variant}" for variant in VARIANTS]


def _names(keys: Iterable[tuple[str, str]]) -> list[str]:
    """Return the classifiers or matchers in their order."""
    return list(dict.fromkeys(name for name, _ in keys))
