"""Closed programs: what they made of exported test images joins what ours read."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from sanmodel.evaluation.examination import Examination
from sanmodel.evaluation.exchange import (
    Exchange,
    read_attribute_scores,
    read_exchange,
    read_match_scores,
    require_current,
)
from sanmodel.evaluation.measure import Arrays
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


def with_closed(examined: Examination, closed: Closed | None) -> Examination:
    """Add what closed programs said of a set to what was read from it.

    Raises:
        SanError: If they were shown other images.
    """
    if closed is None:
        return examined
    require_current(closed.exchange, examined.faces.image_ids, examined.variants)
    scores = {**examined.measured.scores, **closed.scores}
    measured = replace(examined.measured, scores=scores)
    people = examined.faces.people[closed.exchange.pairs]
    pair_scores = {key: PairScores(own, people) for key, own in closed.pair_scores.items()}
    return replace(examined, measured=measured, closed=pair_scores)


def _read(exchange: Exchange, programs: Sequence[ScoresSettings], root: Path) -> Closed:
    scores: Arrays = {}
    pair_scores: Arrays = {}
    for program in programs:
        path = root / program.file
        if program.kind == "attribute":
            for variant, values in read_attribute_scores(path, exchange).items():
                # Moved so that the program's threshold is that of all others.
                scores[program.name, variant] = values - program.threshold + THRESHOLD
        else:
            for variant, values in read_match_scores(path, exchange).items():
                pair_scores[program.name, variant] = values
    return Closed(exchange, scores, pair_scores)
