"""The bench that faces are examined on: the model, what it is compared with, and the judges."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from sanmodel.evaluation.answers import Answers
from sanmodel.evaluation.baselines import BASELINES, Baseline, Context, UnfitError
from sanmodel.evaluation.classifiers import fitting_classifiers
from sanmodel.evaluation.faces import Faces
from sanmodel.evaluation.matchers import MATCHERS
from sanmodel.evaluation.measure import Judges
from sanmodel.evaluation.outputs import Images, Model, batches, new_images, perturbed
from sanmodel.evaluation.variants import HIDING
from sanmodel.observer import Observer, observed
from sanmodel.paths import Paths
from sanmodel.perturber import ModelFiles, Perturber
from sanmodel.settings import Settings

AUTHORS = "authors"
"""The baseline that needs the authors' file."""


@dataclass(frozen=True)
class Bench:
    """What every set of faces is examined with.

    Attributes:
        perturber: The model that is evaluated.
        members: Further trained models by the variant that their opposite output is.
        baselines: Other ways to perturb.
        judges: Independent networks.
        folder: Where images are kept while an evaluation runs.
        batch_size: Images per pass.
        gaps: A sentence for each network or baseline that was left out.
    """

    perturber: Model
    members: Mapping[str, Perturber]
    baselines: Sequence[Baseline]
    judges: Judges
    folder: Path
    batch_size: int
    gaps: Sequence[str]

    def outputs(self, faces: Faces, name: str, observer: Observer) -> dict[str, Images]:
        """Perturb faces with every prototype; return the images by variant.

        Args:
            faces: N faces.
            name: Of the set.
            observer: Hears about progress.
        """
        return perturbed(faces, self.perturber, self.folder / name, self.batch_size, observer)

    def variants(self, faces: Faces, name: str, observer: Observer) -> dict[str, Images]:
        """Perturb faces with every prototype, model and baseline; arguments as of ``outputs``."""
        made = self.outputs(faces, name, observer)
        for variant, member in self.members.items():
            folder = self.folder / name / variant
            others = perturbed(faces, member, folder, self.batch_size, observer)
            made[variant] = others[HIDING]
        runs = batches(len(faces), self.batch_size)
        for baseline in self.baselines:
            images = new_images(self.folder / name / f"{baseline.variant}.npy", len(faces))
            for run in observed(runs, baseline.variant, len(runs), observer):
                images[run] = baseline.perturb(faces.take(run), np.asarray(made[HIDING][run]))
            made[baseline.variant] = images
        return made


def open_bench(settings: Settings, paths: Paths, pool: Faces, model: Model | None = None) -> Bench:
    """Load the model and make the networks and baselines that the settings name.

    Args:
        settings: All settings.
        paths: The work tree.
        pool: Training faces of people who are not on the test side.
        model: What perturbs; None takes the work tree's trained model.

    Raises:
        SanError: If a file is missing or damaged, or a network or baseline is unknown.
    """
    classifiers, unfit = fitting_classifiers(settings.evaluate.classifiers, settings.attribute)
    matchers = {name: MATCHERS.get(name)() for name in settings.evaluate.matchers}
    baselines, left_out = _baselines(settings, paths, pool)
    if not matchers:
        left_out.append("evaluate.matchers names none")
    members = {
        f"{HIDING}{name}": Perturber(ModelFiles.trained(paths.root / folder), settings.attribute)
        for name, folder in settings.evaluate.members.items()
    }
    return Bench(
        model or Perturber(ModelFiles(paths.autoencoder, paths.prototypes), settings.attribute),
        members,
        baselines,
        Judges(classifiers, matchers, Answers(paths.answers)),
        paths.scratch / "evaluation",
        settings.evaluate.batch_size,
        unfit + left_out,
    )


def _baselines(
    settings: Settings, paths: Paths, pool: Faces
) -> tuple[Sequence[Baseline], list[str]]:
    """Make the baselines; say why others are left out."""
    file = settings.evaluate.authors
    authors = paths.root / file if file else None
    context = Context(settings.attribute, pool, settings.seed, paths.root, authors)
    made: list[Baseline] = []
    gaps = []
    for name in [*settings.evaluate.baselines, *([AUTHORS] if authors else [])]:
        try:
            made.append(BASELINES.get(name)(context))
        except UnfitError as why:
            gaps.append(f"the baseline {name} is left out: {why}")
    return made, gaps
