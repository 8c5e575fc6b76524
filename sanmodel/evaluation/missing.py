"""Why a figure is missing, where no sentence among the gaps of an evaluation says it."""

import re
from collections.abc import Iterable, Mapping
from typing import Any

from sanmodel.evaluation.measures import false_match_rate
from sanmodel.evaluation.probes import PROBES

_READS_ANOTHER = re.compile(r" reads .* left out$")
"""What is said of a classifier of another attribute."""


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
    if probe not in PROBES.names():
        return ""
    known, gaps = PROBES.get(probe), list(gaps)
    if known.missing and any(answer.values()):
        return known.missing
    return "; ".join(without_networks(kind, gaps) for kind in known.needs)
