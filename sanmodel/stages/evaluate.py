"""Stage 9: protection and utility, by networks that training never saw (paper, section 3)."""

from collections.abc import Iterable, Iterator

from sanmodel.evaluation.classifiers import CLASSIFIERS, AttributeClassifier
from sanmodel.evaluation.figures import draw_attribute_roc, draw_faces, draw_matching_roc
from sanmodel.evaluation.matchers import MATCHERS
from sanmodel.evaluation.measure import Measurements, measure
from sanmodel.evaluation.outputs import Batch, perturbed_batches
from sanmodel.evaluation.protocol import count_pairs, explain_gaps
from sanmodel.evaluation.report import report_attribute, report_matching, report_quality
from sanmodel.evaluation.subjects import Subjects, load_subjects
from sanmodel.files import atomic_folder, write_json
from sanmodel.observer import SILENT, Metrics, Observer
from sanmodel.paths import Paths
from sanmodel.perturber import ModelFiles, Perturber
from sanmodel.settings import Settings


def run(settings: Settings, paths: Paths, observer: Observer = SILENT) -> Metrics:
    """Write the curves and pictures of ``paths.evaluation``.

    Returns:
        Numbers of test images and pairs; attribute error and AUC, true match rates and image
        quality of each variant, as fractions (PSNR in dB), None where they cannot be measured;
        and ``gaps``, a sentence for each reason.

    Raises:
        SanError: If an input is missing or damaged, a classifier or matcher is unknown, or there
            is no test image.
    """
    subjects = load_subjects(paths.crops, settings.attribute)
    classifiers, gaps = _classifiers(settings)
    matchers = {name: MATCHERS.get(name)() for name in settings.evaluate.matchers}
    chosen = subjects.choose(settings.evaluate.faces_shown, settings.seed)
    files = ModelFiles(paths.autoencoder, paths.prototypes)
    perturber = Perturber(files, settings.attribute)
    size = settings.evaluate.batch_size
    batches = perturbed_batches(paths.crops, settings.attribute, perturber, size)
    observer.start("evaluate", len(subjects.labels))
    measured = measure(_told(batches, observer), classifiers, matchers, chosen)
    return _write(measured, subjects, chosen, gaps, settings, paths)


def _write(
    measured: Measurements,
    subjects: Subjects,
    chosen: dict[str, int],
    gaps: list[str],
    settings: Settings,
    paths: Paths,
) -> Metrics:
    """Write the folder of curves and pictures, then the metrics."""
    rates = settings.evaluate.false_match_rates
    classifiers, attribute_roc = report_attribute(measured.scores, subjects.labels)
    people = subjects.people[subjects.matched]
    matched = {key: values[subjects.matched] for key, values in measured.descriptors.items()}
    matchers, matching_roc = report_matching(matched, people, rates)
    faces = [measured.shown[image_id] for image_id in chosen]
    captions = [f"{settings.attribute} = {label}" for label in chosen.values()]
    with atomic_folder(paths.evaluation) as folder:
        attribute_roc.to_csv(folder / "attribute_roc.csv", index=False, float_format="%.6g")
        matching_roc.to_csv(folder / "matching_roc.csv", index=False, float_format="%.6g")
        draw_attribute_roc(attribute_roc, folder / "attribute_roc.png")
        draw_matching_roc(matching_roc, folder / "matching_roc.png")
        draw_faces(faces, captions, folder / "faces.png")
    metrics: Metrics = {
        **_counts(subjects),
        "classifiers": classifiers,
        "matchers": matchers,
        "quality": report_quality(measured.quality),
        "gaps": gaps + explain_gaps(subjects.labels, people, rates),
    }
    write_json(paths.metrics("evaluate"), metrics)
    return metrics


def _counts(subjects: Subjects) -> dict[str, int]:
    pairs = count_pairs(subjects.people[subjects.matched])
    return {
        "people": int(subjects.people.max()) + 1,
        "images": len(subjects.people),
        "matched_images": int(subjects.matched.sum()),
        "genuine_pairs": pairs.genuine,
        "impostor_pairs": pairs.impostor,
    }


def _classifiers(settings: Settings) -> tuple[dict[str, AttributeClassifier], list[str]]:
    """Make those classifiers that read the protected attribute; say why others are left out."""
    kinds = {name: CLASSIFIERS.get(name) for name in settings.evaluate.classifiers}
    fitting = {n: kind() for n, kind in kinds.items() if kind.attribute == settings.attribute}
    gaps = [
        f"{name} reads {kind.attribute}, not {settings.attribute}, and is left out"
        for name, kind in kinds.items()
        if name not in fitting
    ]
    return fitting, gaps


def _told(batches: Iterable[Batch], observer: Observer) -> Iterator[Batch]:
    """Tell the observer of each batch once it has been dealt with."""
    for batch in batches:
        yield batch
        observer.advance(len(batch.image_ids))
