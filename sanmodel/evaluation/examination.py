"""One set of faces under examination: its images, what was read from them, and the figures."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from sanmodel.evaluation.bench import Bench
from sanmodel.evaluation.faces import Faces
from sanmodel.evaluation.measure import Key, Measurements, measure
from sanmodel.evaluation.outputs import Images
from sanmodel.evaluation.pairs import are_sampled, count_impostors, measured_impostors
from sanmodel.evaluation.probes import Probe, Side, Study
from sanmodel.evaluation.protocol import PairScores, explain_gaps
from sanmodel.evaluation.report import (
    counts,
    match,
    match_closed,
    report_attribute,
    report_matching,
    report_quality,
)
from sanmodel.evaluation.variants import HIDING
from sanmodel.observer import Observer, observed
from sanmodel.settings import Settings


@dataclass(frozen=True)
class Examination:
    """A set of faces and what independent networks read from it.

    Attributes:
        name: Of the set.
        faces: N faces.
        variants: Their images by variant.
        measured: What was read.
        closed: For each closed matcher and variant the scores of exported pairs.
        gaps: A sentence for whatever closed programs could not be asked.
    """

    name: str
    faces: Faces
    variants: Mapping[str, Images]
    measured: Measurements
    closed: Mapping[Key, PairScores] = field(default_factory=dict)
    gaps: Sequence[str] = ()


@dataclass(frozen=True)
class Findings:
    """The figures of a set.

    Attributes:
        metrics: See docs/evaluation.md.
        attribute_roc: Columns set, classifier, variant, fpr, tpr.
        matching_roc: Columns set, matcher, variant, fmr, tmr.
        notes: What a reader must know besides, a sentence each.
    """

    metrics: dict[str, Any]
    attribute_roc: pd.DataFrame
    matching_roc: pd.DataFrame
    notes: Sequence[str]


def examine(bench: Bench, faces: Faces, name: str, observer: Observer) -> Examination:
    """Perturb the faces of a set and show every variant to every network."""
    variants = bench.variants(faces, name, observer)
    measured = measure(faces, variants, bench.judges, bench.batch_size, observer)
    return Examination(name, faces, variants, measured)


def find(examined: Examination, settings: Settings) -> Findings:
    """Turn what was read from a set into figures and curves."""
    faces, measured, seed = examined.faces, examined.measured, settings.seed
    rates = settings.evaluate.false_match_rates
    matched, people = faces.matched, faces.people[faces.matched]
    descriptors = {key: values[matched] for key, values in measured.descriptors.items()}
    classifiers, attribute_roc = report_attribute(measured.scores, faces.labels, faces.people, seed)
    matching = match(descriptors, people, rates, seed)
    matching |= match_closed(examined.closed, people, rates, seed)
    matchers, matching_roc = report_matching(matching)
    for curves in (attribute_roc, matching_roc):
        curves.insert(0, "set", examined.name)
    metrics = {
        "set": examined.name,
        **counts(faces),
        "classifiers": classifiers,
        "matchers": matchers,
        "quality": report_quality(measured.quality, faces.people, seed),
        "gaps": [*explain_gaps(faces.labels, people, rates), *examined.gaps],
    }
    return Findings(metrics, attribute_roc, matching_roc, _notes(examined, seed))


def _notes(examined: Examination, seed: int) -> list[str]:
    """Say which pairs were drawn from all."""
    people = examined.faces.people[examined.faces.matched]
    drawn = f"of the set {examined.name} were drawn from all"
    notes = []
    if examined.measured.descriptors and are_sampled(people):
        pairs = measured_impostors(people)
        notes.append(f"{pairs:,} impostor pairs {drawn} with the seed {seed}")
    for name, pairs in {
        name: scored.impostors for (name, _), scored in examined.closed.items()
    }.items():
        if pairs < count_impostors(people):
            compared = f"{pairs:,} impostor pairs that {name} compared"
            notes.append(f"{compared} {drawn} with the seed {seed}")
    return notes


def probe(
    probes: Mapping[str, Probe],
    examined: Examination,
    outside: Side,
    bench: Bench,
    settings: Settings,
    observer: Observer,
) -> dict[str, Any]:
    """Let every probe answer for a set.

    Args:
        probes: By name.
        examined: The set.
        outside: Faces that attackers learn from.
        bench: What the set was examined with.
        settings: All settings.
        observer: Hears about progress.

    Returns:
        The answers by the probes' names.
    """
    measured, rates = examined.measured, settings.evaluate.false_match_rates
    study = Study(
        attribute=settings.attribute,
        test=Side(examined.faces, examined.variants),
        outside=outside,
        members=(HIDING, *bench.members),
        classifiers=bench.judges.classifiers,
        scores=measured.scores,
        descriptors=measured.descriptors,
        quality=measured.quality,
        false_match_rates=tuple(rates),
        steps=settings.evaluate.probe_steps,
        seed=settings.seed,
    )
    asked = observed(probes.items(), "probes", len(probes), observer)
    return {name: one.answer(study) for name, one in asked}
