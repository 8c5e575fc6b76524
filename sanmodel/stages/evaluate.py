"""Stage 9: protection and utility, by networks that training never saw (paper, section 3)."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from sanmodel.evaluation.bench import Bench, open_bench
from sanmodel.evaluation.closed import with_scores
from sanmodel.evaluation.examination import Examination, Findings, examine, find, probe
from sanmodel.evaluation.exchange import export_images
from sanmodel.evaluation.faces import Faces, load_faces
from sanmodel.evaluation.page import Person, Report, write_report
from sanmodel.evaluation.probes import PROBES, Probe, Side
from sanmodel.evaluation.verdicts import verdicts
from sanmodel.files import atomic_folder, write_json
from sanmodel.images import Picture
from sanmodel.observer import SILENT, Metrics, Observer
from sanmodel.paths import Paths
from sanmodel.prototypes import Prototypes, as_picture
from sanmodel.settings import TEST_SIDE, Settings

SCHEMA = 1
"""Version of the form of the metrics, docs/evaluation.md."""


def run(settings: Settings, paths: Paths, observer: Observer = SILENT) -> Metrics:
    """Write the report, ``paths.evaluation``.

    Returns:
        The metrics of docs/evaluation.md: rates are fractions, and what cannot be measured is
        None and explained in ``gaps``.

    Raises:
        SanError: If an input is missing or damaged, a network, baseline or probe is unknown, or
            there is no test image.
    """
    probes = {name: PROBES.get(name)() for name in settings.evaluate.probes}
    sets = _sets(settings, paths)
    pool = _pool(settings, paths)
    bench = open_bench(settings, paths, pool)
    main, *others = (examine(bench, faces, name, observer) for name, faces in sets.items())
    examined = [with_scores(main, settings, paths), *others]
    findings = [find(one, settings) for one in examined]
    outside = Side(pool, bench.outputs(pool, "outside", observer))
    for one, found in zip(examined, findings, strict=True):
        found.metrics["probes"] = probe(probes, one, outside, bench, settings, observer)
    metrics = _metrics(settings, bench, findings)
    with atomic_folder(paths.evaluation) as folder:
        write_report(folder, _report(settings, paths, metrics, probes, examined, findings))
    write_json(paths.metrics("evaluate"), metrics)
    return metrics


def export(settings: Settings, paths: Paths, folder: Path, observer: Observer = SILENT) -> None:
    """Write the test images and their variants for programs that cannot run in here.

    Args:
        settings: All settings.
        paths: The work tree.
        folder: Where to; see :mod:`sanmodel.evaluation.exchange`.
        observer: Hears about progress.

    Raises:
        SanError: As :func:`run`, and if the folder holds something else than an earlier export.
    """
    faces = load_faces(paths.crops, "test", settings.attribute, paths.decoded)
    bench = open_bench(settings, paths, _pool(settings, paths))
    variants = bench.variants(faces, TEST_SIDE, observer)
    seed = settings.seed
    export_images(folder, faces.image_ids, faces.people, faces.matched, variants, seed)


def _pool(settings: Settings, paths: Paths) -> Faces:
    """Load some people of the training side."""
    everyone = load_faces(paths.crops, "train", settings.attribute, paths.decoded)
    return everyone.of_people(settings.evaluate.outside_images, settings.seed)


def _sets(settings: Settings, paths: Paths) -> dict[str, Faces]:
    """Load the test side and every further set, all of whose faces are for tests."""
    trees = {TEST_SIDE: paths, **{name: paths.of_set(name) for name in settings.sets}}
    return {
        name: load_faces(tree.crops, "test", settings.attribute, tree.decoded)
        for name, tree in trees.items()
    }


def _metrics(settings: Settings, bench: Bench, findings: Sequence[Findings]) -> Metrics:
    main, *others = (found.metrics for found in findings)
    return {
        "schema": SCHEMA,
        "attribute": settings.attribute,
        **main,
        "gaps": [*bench.gaps, *main["gaps"]],
        "sets": {metrics["set"]: metrics for metrics in others},
    }


def _report(
    settings: Settings,
    paths: Paths,
    metrics: Metrics,
    probes: Mapping[str, Probe],
    examined: Sequence[Examination],
    findings: Sequence[Findings],
) -> Report:
    """Put together what the report tells."""
    return Report(
        metrics=metrics,
        questions={name: (one.title, one.question) for name, one in probes.items()},
        attribute_roc=pd.concat([found.attribute_roc for found in findings]),
        matching_roc=pd.concat([found.matching_roc for found in findings]),
        people={one.name: _people(one, settings) for one in examined},
        prototypes=_prototypes(settings, paths),
        rules=verdicts(metrics, settings.promotion),
        seed=settings.seed,
        sources={
            TEST_SIDE: settings.fetch.source,
            **{n: s.source for n, s in settings.sets.items()},
        },
    )


def _people(examined: Examination, settings: Settings) -> list[Person]:
    """Return the faces of some people of the set, half of each class."""
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


def _sources(settings: Settings) -> dict[str, str]:
    """Return the data source of every set: the paper's figures are known by it."""
    further = {name: one.source for name, one in settings.sets.items()}
    return {TEST_SIDE: settings.fetch.source, **further}
