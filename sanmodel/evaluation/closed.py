"""Closed programs: what they made of exported test images joins what ours read."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from sanmodel.evaluation.examination import Examination
from sanmodel.evaluation.exchange import (
    Exchange,
    read_attribute_scores,
    read_exchange,
    read_match_scores,
    require_current,
)
from sanmodel.evaluation.measure import Arrays
from sanmodel.evaluation.pairs import Floats
from sanmodel.evaluation.protocol import THRESHOLD, PairScores
from sanmodel.paths import Paths
from sanmodel.settings import ScoresSettings, Settings


@dataclass(frozen=True)
class Closed:
    """What closed programs made of one set.

    Attributes:
        exchange: The images that they were shown.
        scores: For each classifier and variant the scores, (N,), above one half for class 1.
        pair_scores: For each matcher and variant of the probes the scores of the exchange's
            pairs, (P,).
    """

    exchange: Exchange
    scores: Arrays
    pair_scores: Arrays


def read_closed(settings: Settings, paths: Paths) -> dict[str, Closed]:
    """Read all scores of closed programs, by set; cheap, so that bad ones are known at once.

    Raises:
        SanError: If the exported images or a file of scores are missing or damaged.
    """
    folder, programs = settings.evaluate.exchange, settings.evaluate.scores
    if folder is None:
        return {}
    sets = dict.fromkeys(program.set for program in programs)
    return {
        name: _read(
            read_exchange(paths.root / folder / name),
            [program for program in programs if program.set == name],
            paths.root,
        )
        for name in sets
    }


def with_closed(examined: Examination, closed: Closed | None, seed: int) -> Examination:
    """Add what closed programs said of a set to what was read from it.

    Args:
        examined: The set.
        closed: What they said, if they did.
        seed: With which their impostor pairs are drawn.

    Raises:
        SanError: If they were shown other images.
    """
    if closed is None:
        return examined
    faces = examined.faces
    shown = faces.image_ids, faces.people, faces.matched
    require_current(closed.exchange, *shown, examined.variants, seed)
    scores = {**examined.measured.scores, **closed.scores}
    measured = replace(examined.measured, scores=scores)
    people = faces.people[closed.exchange.pairs]
    pair_scores = {key: PairScores(own, people) for key, own in closed.pair_scores.items()}
    return replace(examined, measured=measured, closed=pair_scores, gaps=_gaps(closed))


def _gaps(closed: Closed) -> list[str]:
    """Say what cannot be asked of programs that answered once for all."""
    readers = dict.fromkeys(name for name, _ in closed.scores)
    matchers = dict.fromkeys(name for name, _ in closed.pair_scores)
    return [
        *(f"{name} cannot be shown cleaned images: recovery is without it" for name in readers),
        *(
            f"{name} gave scores of pairs only: identification and who pays are without it"
            for name in matchers
        ),
    ]


def _as_probabilities(values: Floats, threshold: float) -> Floats:
    """Put scores, (N,), between 0 and 1: in the same order, and ``threshold`` at ``THRESHOLD``.

    By their ranks, since figures depend on nothing else, and arithmetic would round the smallest
    differences away.
    """
    _, ranks = np.unique(values, return_inverse=True)
    highest = max(1, int(ranks.max(initial=0)))
    upper = THRESHOLD + (1 - THRESHOLD) * (ranks + 1) / (highest + 1)
    return np.where(values > threshold, upper, THRESHOLD * ranks / highest)


def _read(exchange: Exchange, programs: Sequence[ScoresSettings], root: Path) -> Closed:
    scores: Arrays = {}
    pair_scores: Arrays = {}
    for program in programs:
        path = root / program.file
        if program.kind == "attribute":
            for variant, values in read_attribute_scores(path, exchange).items():
                scores[program.name, variant] = _as_probabilities(values, program.threshold)
        else:
            for variant, values in read_match_scores(path, exchange).items():
                pair_scores[program.name, variant] = values
    return Closed(exchange, scores, pair_scores)
