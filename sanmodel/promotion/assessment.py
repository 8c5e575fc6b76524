"""Registered models, shown again to independent networks on the faces that are there now."""

import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from sanmodel.evaluation.bench import Bench, open_bench
from sanmodel.evaluation.examination import Examination, examine, find, probe
from sanmodel.evaluation.intervals import (
    REPLICATES,
    Interval,
    draw_people,
    error_change_interval,
    mean_interval,
)
from sanmodel.evaluation.match_intervals import rate_intervals, true_match_replicates
from sanmodel.evaluation.pairs import measured_impostors
from sanmodel.evaluation.probes import PROBES, Side
from sanmodel.evaluation.protocol import THRESHOLD, true_match_name, verify
from sanmodel.evaluation.sides import Sides, load_sides
from sanmodel.evaluation.variants import HIDING
from sanmodel.exported import ExportedModel
from sanmodel.files import sha256_folder
from sanmodel.observer import Observer
from sanmodel.paths import Paths
from sanmodel.rules import Floors
from sanmodel.settings import Settings

CHALLENGER, CHAMPION = "challenger", "champion"

PROBE_OF = {"max_undetected": "detection", "max_attacker_auc": "retrained"}
"""Rules that need a probe."""


@dataclass(frozen=True)
class Difference:
    """How much more the challenger has of something than the champion, on the same faces.

    Attributes:
        number: The difference; None if it cannot be measured.
        low: Lower end of its 95 % interval: the same people are drawn for both.
        high: Upper end.
        judge: The network that the figures are of; nothing where there is none.
    """

    number: float | None
    low: float | None
    high: float | None
    judge: str = ""


@dataclass(frozen=True)
class Assessment:
    """What was found of one or two models.

    Attributes:
        data: SHA-256 of the ``crops`` table, and the ``judges``.
        models: By role the metrics of each set, the main one's as in docs/evaluation.md with the
            others under ``sets``.
        differences: Of challenger and champion on the main set, by ``error``, ``match`` and
            ``psnr``; nothing unless both are there.
    """

    data: Mapping[str, Any]
    models: Mapping[str, Mapping[str, Any]]
    differences: Mapping[str, Difference]

    def as_json(self) -> dict[str, Any]:
        """Return all of it as JSON takes it."""
        return asdict(self)


def assess(
    settings: Settings,
    paths: Paths,
    models: Mapping[str, Path],
    floors: Floors,
    observer: Observer,
) -> Assessment:
    """Evaluate exported models on the work tree's test faces; nothing is trained but attackers.

    Args:
        settings: All settings; their networks judge.
        paths: The work tree.
        models: Export folders by role, ``CHALLENGER`` or ``CHAMPION`` or both.
        floors: Say which probes are needed.
        observer: Hears about progress.

    Raises:
        SanError: If an input is missing, damaged or of another attribute, or a network is unknown.
    """
    settings = _without_company(settings)
    sides = load_sides(settings, paths)
    found: dict[str, dict[str, Any]] = {}
    main: dict[str, Examination] = {}
    with _benches(settings, paths, models, sides) as benches:
        for role, bench in benches.items():
            sets = {name: examine(bench, one, name, observer) for name, one in sides.sets.items()}
            main[role] = next(iter(sets.values()))
            found[role] = _metrics(sets, settings)
            probes = {name: PROBES.get(name)() for name in _needed(floors)}
            outside = _outside(bench, sides, settings, probes, observer)
            answers = probe(probes, main[role], outside, bench, settings, observer)
            found[role]["probes"] = answers
        differences = _differences(main, settings)
    data = {
        "crops": sha256_folder(paths.crops),
        "classifiers": list(settings.evaluate.classifiers),
        "matchers": list(settings.evaluate.matchers),
    }
    return Assessment(data, found, differences)


def _without_company(settings: Settings) -> Settings:
    """Leave out what is no model of the registry, and programs that cannot be asked here."""
    alone: dict[str, Any] = {"baselines": [], "members": {}, "authors": None, "scores": []}
    return settings.model_copy(update={"evaluate": settings.evaluate.model_copy(update=alone)})


@contextmanager
def _benches(
    settings: Settings, paths: Paths, models: Mapping[str, Path], sides: Sides
) -> Iterator[dict[str, Bench]]:
    """Yield a bench for each model; their images of people are gone afterwards."""
    folder = paths.scratch / "promotion"
    benches = {}
    for role, export in models.items():
        model = ExportedModel(export, settings.attribute)
        bench = open_bench(settings, paths, sides.outside, model)
        benches[role] = replace(bench, folder=folder / role)
    try:
        yield benches
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _needed(floors: Floors) -> list[str]:
    limits = floors.model_dump()
    return [name for rule, name in PROBE_OF.items() if limits[rule] is not None]


def _outside(
    bench: Bench,
    sides: Sides,
    settings: Settings,
    probes: Mapping[str, object],
    observer: Observer,
) -> Side:
    """Return the faces that attackers learn from, and what the model makes of them."""
    learned = sides.outside.of_people(settings.evaluate.outside_images, settings.seed)
    attacked = "retrained" in probes
    return Side(learned, bench.outputs(learned, "outside", observer) if attacked else {})


def _metrics(sets: Mapping[str, Examination], settings: Settings) -> dict[str, Any]:
    """Return the figures of all sets, the main one's with the others' in it."""
    main, *others = (find(one, settings).metrics for one in sets.values())
    return {**main, "sets": {one["set"]: one for one in others}}


def _differences(main: Mapping[str, Examination], settings: Settings) -> dict[str, Difference]:
    if set(main) != {CHALLENGER, CHAMPION}:
        return {}
    both = main[CHALLENGER], main[CHAMPION]
    return {
        "error": _error(*both, settings),
        "match": _match(*both, settings),
        "psnr": _likeness("psnr", *both, settings.seed),
    }


def _error(ours: Examination, theirs: Examination, settings: Settings) -> Difference:
    """Compare how often the first classifier misreads the attribute in X'_OP."""
    name = next((one for one, variant in ours.measured.scores if variant == HIDING), None)
    if name is None:
        return Difference(None, None, None)
    labels, people = ours.faces.labels, ours.faces.people
    before, after = (one.measured.scores[name, HIDING] for one in (theirs, ours))
    wrong = [float(((scores > THRESHOLD) != labels).mean()) for scores in (before, after)]
    interval = error_change_interval(labels, before, after, people, settings.seed)
    return _difference(wrong[1] - wrong[0], interval, name)


def _match(ours: Examination, theirs: Examination, settings: Settings) -> Difference:
    """Compare the first matcher's true match rate on X'_OP at the highest false match rate."""
    name = next((one for one, variant in ours.measured.descriptors if variant == HIDING), None)
    if name is None:
        return Difference(None, None, None)
    rate, seed = max(settings.evaluate.false_match_rates), settings.seed
    matched = ours.faces.matched
    people = ours.faces.people[matched]
    gallery = ours.measured.descriptors[name, "original"][matched]
    draws = draw_people(people, REPLICATES, seed)
    found, replicates = [], []
    for one in (theirs, ours):
        probes = one.measured.descriptors[name, HIDING][matched]
        found.append(verify(probes, gallery, people, seed).true_match_rate(rate))
        replicates.append(true_match_replicates(probes, gallery, people, (rate,), draws, seed))
    before, after = found
    moved = None if before is None or after is None else after - before
    impostors = measured_impostors(people)
    intervals = rate_intervals(replicates[1] - replicates[0], (rate,), impostors, draws)
    return _difference(moved, intervals[true_match_name(rate)], name)


def _likeness(name: str, ours: Examination, theirs: Examination, seed: int) -> Difference:
    """Compare how like their originals the images of X'_OP are."""
    values = [one.measured.quality[name, HIDING] for one in (ours, theirs)]
    moved = np.asarray(values[0] - values[1])
    return _difference(float(moved.mean()), mean_interval(moved, ours.faces.people, seed))


def _difference(number: float | None, interval: Interval | None, judge: str = "") -> Difference:
    if number is None or interval is None:
        return Difference(number, None, None, judge)
    return Difference(number, interval.low, interval.high, judge)
