"""Stage 9: protection and utility, by networks that training never saw (paper, section 3)."""

import shutil
from pathlib import Path

from sanmodel.evaluation.bench import open_bench
from sanmodel.evaluation.closed import read_closed, with_closed
from sanmodel.evaluation.examination import examine, find, probe
from sanmodel.evaluation.exchange import export_images
from sanmodel.evaluation.page import write_report
from sanmodel.evaluation.probes import PROBES, Side
from sanmodel.evaluation.sides import load_sides
from sanmodel.evaluation.telling import Told, metrics_of, people_of, report_of
from sanmodel.files import atomic_folder, write_json
from sanmodel.observer import SILENT, Metrics, Observer
from sanmodel.paths import Paths
from sanmodel.settings import Settings


def run(settings: Settings, paths: Paths, observer: Observer = SILENT) -> Metrics:
    """Write the report, ``paths.evaluation``.

    Returns:
        The metrics of docs/evaluation.md: rates are fractions, and what cannot be measured is
        None and explained in ``gaps``.

    Raises:
        SanError: If an input is missing or damaged, a network, baseline or probe is unknown, or
            there is no test image.
    """
    chosen = settings.evaluate
    probes = {name: PROBES.get(name)() for name in chosen.probes}
    closed = read_closed(settings, paths)
    sides = load_sides(settings, paths)
    bench = open_bench(settings, paths, sides.outside)
    learned = sides.outside.of_people(chosen.outside_images, settings.seed)
    outside = Side(learned, bench.outputs(learned, "outside", observer) if probes else {})
    told = []
    for name, faces in sides.sets.items():
        examined = with_closed(
            examine(bench, faces, name, observer), closed.get(name), settings.seed
        )
        findings = find(examined, settings)
        answers = probe(probes, examined, outside, bench, settings, observer)
        findings.metrics["probes"] = answers
        told.append(Told(findings, people_of(examined, settings)))
    attackers = {"steps": chosen.probe_steps, "faces": len(learned)} if probes else {}
    metrics = metrics_of(told, [*sides.gaps, *bench.gaps], settings.attribute, attackers)
    with atomic_folder(paths.evaluation) as folder:
        write_report(folder, report_of(told, metrics, probes, settings, paths))
    write_json(paths.metrics("evaluate"), metrics)
    shutil.rmtree(bench.folder)  # pictures of people
    return metrics


def export(settings: Settings, paths: Paths, folder: Path, observer: Observer = SILENT) -> None:
    """Write the faces of all sets and their variants for programs that cannot run in here.

    Args:
        settings: All settings.
        paths: The work tree.
        folder: Where to, a folder for each set; see :mod:`sanmodel.evaluation.exchange`.
        observer: Hears about progress.

    Raises:
        SanError: As :func:`run`, and if a set's folder holds something else than an earlier
            export.
    """
    unjudged = settings.evaluate.model_copy(update={"classifiers": [], "matchers": []})
    sides = load_sides(settings, paths)
    bench = open_bench(settings.model_copy(update={"evaluate": unjudged}), paths, sides.outside)
    for name, faces in sides.sets.items():
        variants = bench.variants(faces, name, observer)
        ids, people, matched = faces.image_ids, faces.people, faces.matched
        export_images(folder / name, ids, people, matched, variants, settings.seed)
    shutil.rmtree(bench.folder)
