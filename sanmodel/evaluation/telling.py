"""From the findings of all sets to what the report tells."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from sanmodel.evaluation.examination import Examination, Findings
from sanmodel.evaluation.page import Person, Report
from sanmodel.evaluation.probes import Probe
from sanmodel.evaluation.verdicts import Verdict, verdicts
from sanmodel.images import Picture
from sanmodel.observer import Metrics
from sanmodel.paths import Paths
from sanmodel.prototypes import Prototypes, as_picture
from sanmodel.rules import load_rules
from sanmodel.settings import TEST_SIDE, Settings

SCHEMA = 1
"""Version of the form of the metrics, docs/evaluation.md."""


@dataclass(frozen=True)
class Told:
    """What is kept of a set once it has been examined.

    Attributes:
        findings: Its figures and curves.
        people: Some of its faces.
    """

    findings: Findings
    people: Sequence[Person]


def metrics_of(
    told: Sequence[Told], gaps: Sequence[str], attribute: str, attackers: Mapping[str, int]
) -> Metrics:
    """Put the metrics of all sets together, see docs/evaluation.md.

    Args:
        told: Of every set, the main one first.
        gaps: A sentence for whatever is missing from all of them.
        attribute: The protected attribute.
        attackers: Training ``steps`` of each attacker, and the number of ``faces`` it learned from.
    """
    main, *others = (one.findings.metrics for one in told)
    return {
        "schema": SCHEMA,
        "attribute": attribute,
        "attackers": dict(attackers),
        **main,
        "gaps": [*gaps, *main["gaps"]],
        "sets": {one["set"]: {**one, "gaps": [*gaps, *one["gaps"]]} for one in others},
    }


def report_of(
    told: Sequence[Told],
    metrics: Metrics,
    probes: Mapping[str, Probe],
    settings: Settings,
    paths: Paths,
) -> Report:
    """Return all that the report tells.

    Args:
        told: Of every set, the main one first.
        metrics: Of all sets, as :func:`metrics_of` puts them together.
        probes: By name.
        settings: All settings.
        paths: The work tree.
    """
    sources = {name: one.source for name, one in settings.sets.items()}
    return Report(
        metrics=metrics,
        questions={name: (one.title, one.question) for name, one in probes.items()},
        attribute_roc=pd.concat([one.findings.attribute_roc for one in told]),
        matching_roc=pd.concat([one.findings.matching_roc for one in told]),
        people={one.findings.metrics["set"]: one.people for one in told},
        prototypes=_prototypes(settings, paths),
        rules=_verdicts(metrics, paths.promotion_rules),
        seed=settings.seed,
        sources={TEST_SIDE: settings.fetch.source, **sources},
        notes=[note for one in told for note in one.findings.notes],
    )


def _verdicts(metrics: Metrics, rules: Path) -> Sequence[Verdict]:
    """Judge by the floors of a file of rules, if there is one."""
    return verdicts(metrics, load_rules(rules).floors) if rules.exists() else ()


def people_of(examined: Examination, settings: Settings) -> list[Person]:
    """Return the faces of some people of a set, half of each class."""
    chosen = examined.faces.choose(settings.evaluate.faces_shown, settings.seed)
    return [
        Person(
            f"{settings.attribute} = {examined.faces.labels[place]}",
            {name: np.array(images[place]) for name, images in examined.variants.items()},
        )
        for place in chosen
    ]


def _prototypes(settings: Settings, paths: Paths) -> list[tuple[str, Picture]]:
    """Return the prototypes of class 1, neutral and of class 0, with captions (figure 3)."""
    P = Prototypes.load(paths.prototypes, settings.attribute)
    captioned = {
        f"{settings.attribute} = 1": P.P_1,
        "neutral": P.P_NT,
        f"{settings.attribute} = 0": P.P_0,
    }
    return [(caption, as_picture(image)) for caption, image in captioned.items()]
