"""Closed programs: what they made of the exported test images joins what ours read."""

from dataclasses import replace
from pathlib import Path

from sanmodel.evaluation.examination import Examination
from sanmodel.evaluation.exchange import (
    Exchange,
    read_attribute_scores,
    read_exchange,
    read_match_scores,
    require_current,
    verify_pairs,
)
from sanmodel.evaluation.measure import Arrays
from sanmodel.evaluation.protocol import THRESHOLD
from sanmodel.paths import Paths
from sanmodel.settings import ScoresSettings, Settings


def with_scores(examined: Examination, settings: Settings, paths: Paths) -> Examination:
    """Add the scores of closed programs to what was read from the test side.

    Raises:
        SanError: If the exported images are not those that are evaluated, or a file of scores is
            missing or damaged.
    """
    chosen = settings.evaluate
    if not chosen.scores or chosen.exchange is None:
        return examined
    exchange = read_exchange(paths.root / chosen.exchange)
    require_current(exchange, examined.faces.image_ids, examined.variants)
    attribute, match = (
        [one for one in chosen.scores if one.kind == kind] for kind in ("attribute", "match")
    )
    scores = {key: v for one in attribute for key, v in _scores(one, paths.root, exchange).items()}
    measured = replace(examined.measured, scores={**examined.measured.scores, **scores})
    closed = {
        (one.name, variant): verify_pairs(of_pairs[exchange.genuine], of_pairs[~exchange.genuine])
        for one in match
        for variant, of_pairs in read_match_scores(paths.root / one.file, exchange).items()
    }
    return replace(examined, measured=measured, closed=closed)


def _scores(program: ScoresSettings, root: Path, exchange: Exchange) -> Arrays:
    """Return a classifier's scores, moved so that its threshold is that of all others."""
    by_variant = read_attribute_scores(root / program.file, exchange)
    return {
        (program.name, variant): scores - program.threshold + THRESHOLD
        for variant, scores in by_variant.items()
    }
