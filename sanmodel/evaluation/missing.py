"""Why a figure is missing, where no sentence among the gaps of an evaluation says it."""

import re
from collections.abc import Iterable, Mapping
from typing import Any

from sanmodel.evaluation.measures import false_match_rate
from sanmodel.evaluation.probes.who_pays import LEAST

_READS_ANOTHER = re.compile(r" reads .* left out$")
"""What is said of a classifier of another attribute."""

_PROBES = {
    "who-pays": f"figures of fewer than {LEAST} images or pairs of one person are not given, nor"
    " an AUC within one class",
    "identification": "no person has two matched images, or the rank takes in all who are sought",
    "retrained": "the faces to learn from or to be tested on are not of both classes",
    "recovery": "there is no face to learn from, or those to be tested on are of one class",
    "detectability": "there is no face to learn from",
}
"""Why a probe leaves a cell of its table empty."""

_ASKED = {
    "who-pays": ("classifiers", "matchers"),
    "identification": ("matchers",),
    "ensembles": ("classifiers",),
    "recovery": ("classifiers",),
}
"""The networks without which a probe has no answer at all."""


def without_networks(kind: str, gaps: Iterable[str]) -> str:
    """Say why a set has no network of a kind, "classifiers" or "matchers".

    Args:
        kind: Which.
        gaps: Sentences that say what could not be measured, of all sets.
    """
    others = [gap for gap in gaps if _READS_ANOTHER.search(gap)] if kind == "classifiers" else []
    return "; ".join(others) or f"evaluate.{kind} names none"


def without_figure(name: str, figures: Mapping[str, Any]) -> str:
    """Say why a network has no figure of a variant; nothing where that is not known.

    Args:
        name: Of the metric.
        figures: All of that network and variant; empty if it was not shown the variant.
    """
    rate = false_match_rate(name)
    if not figures:
        return "these images were not shown to it"
    if rate is None:
        return ""
    if name not in figures:
        return f"{rate:g} is not among evaluate.false_match_rates"
    return f"too few pairs were compared for a false match rate of {rate:g}"


def without_answer(probe: str, answer: Mapping[str, Any], gaps: Iterable[str]) -> str:
    """Say why a probe leaves cells empty; nothing of a probe that nothing is known of.

    Args:
        probe: Its name.
        answer: Its rows.
        gaps: As of :func:`without_networks`.
    """
    if probe in _PROBES and any(answer.values()):
        return _PROBES[probe]
    gaps = list(gaps)
    return "; ".join(without_networks(kind, gaps) for kind in _ASKED.get(probe, ()))
