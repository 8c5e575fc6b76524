"""Stage 9: protection and utility, by networks that training never saw (paper, section 3)."""

from sanmodel.evaluation.answers import Answers
from sanmodel.evaluation.classifiers import CLASSIFIERS, AttributeClassifier
from sanmodel.evaluation.faces import Faces, load_faces
from sanmodel.evaluation.figures import draw_attribute_roc, draw_faces, draw_matching_roc
from sanmodel.evaluation.matchers import MATCHERS
from sanmodel.evaluation.measure import Judges, Measurements, measure
from sanmodel.evaluation.outputs import Images, perturbed
from sanmodel.evaluation.protocol import count_pairs, explain_gaps
from sanmodel.evaluation.report import report_attribute, report_matching, report_quality
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
    size = settings.evaluate.batch_size
    faces = load_faces(paths.crops, "test", settings.attribute, paths.decoded)
    judges, gaps = _judges(settings, paths)
    perturber = Perturber(ModelFiles(paths.autoencoder, paths.prototypes), settings.attribute)
    variants = perturbed(faces, perturber, paths.scratch / "evaluation", size, observer)
    measured = measure(faces, variants, judges, size, observer)
    return _write(measured, faces, variants, gaps, settings, paths)


def _write(
    measured: Measurements,
    faces: Faces,
    variants: dict[str, Images],
    gaps: list[str],
    settings: Settings,
    paths: Paths,
) -> Metrics:
    """Write the folder of curves and pictures, then the metrics."""
    rates = settings.evaluate.false_match_rates
    classifiers, attribute_roc = report_attribute(measured.scores, faces.labels)
    people = faces.people[faces.matched]
    matched = {key: values[faces.matched] for key, values in measured.descriptors.items()}
    matchers, matching_roc = report_matching(matched, people, rates)
    chosen = faces.choose(settings.evaluate.faces_shown, settings.seed)
    shown = [{name: images[place] for name, images in variants.items()} for place in chosen]
    captions = [f"{settings.attribute} = {label}" for label in faces.labels[chosen]]
    with atomic_folder(paths.evaluation) as folder:
        attribute_roc.to_csv(folder / "attribute_roc.csv", index=False, float_format="%.6g")
        matching_roc.to_csv(folder / "matching_roc.csv", index=False, float_format="%.6g")
        draw_attribute_roc(attribute_roc, folder / "attribute_roc.png")
        draw_matching_roc(matching_roc, folder / "matching_roc.png")
        draw_faces(shown, captions, folder / "faces.png")
    metrics: Metrics = {
        **_counts(faces),
        "classifiers": classifiers,
        "matchers": matchers,
        "quality": report_quality(measured.quality),
        "gaps": gaps + explain_gaps(faces.labels, people, rates),
    }
    write_json(paths.metrics("evaluate"), metrics)
    return metrics


def _counts(faces: Faces) -> dict[str, int]:
    pairs = count_pairs(faces.people[faces.matched])
    return {
        "people": int(faces.people.max()) + 1,
        "images": len(faces),
        "matched_images": int(faces.matched.sum()),
        "genuine_pairs": pairs.genuine,
        "impostor_pairs": pairs.impostor,
    }


def _judges(settings: Settings, paths: Paths) -> tuple[Judges, list[str]]:
    """Make the networks that judge; say which are left out and why."""
    classifiers, gaps = _classifiers(settings)
    matchers = {name: MATCHERS.get(name)() for name in settings.evaluate.matchers}
    return Judges(classifiers, matchers, Answers(paths.answers)), gaps


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
