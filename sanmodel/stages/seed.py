"""The semi-adversarial training once more with another seed: how far do its figures scatter?"""

from sanmodel.files import write_json
from sanmodel.observer import SILENT, Metrics, Observer
from sanmodel.paths import Paths
from sanmodel.settings import Settings
from sanmodel.trials import run_trial


def run(settings: Settings, paths: Paths, seed: int, observer: Observer = SILENT) -> Metrics:
    """Train and evaluate with a seed; write ``paths.seed_metrics(seed)``.

    The frozen networks and the pre-trained autoencoder stay the pipeline's.

    Args:
        settings: All settings; the seed is replaced.
        paths: The work tree.
        seed: The seed.
        observer: Hears about progress.

    Returns:
        See :func:`sanmodel.trials.figures_of`.

    Raises:
        SanError: As :func:`sanmodel.trials.run_trial`.
    """
    changed = settings.model_copy(update={"seed": seed})
    figures: Metrics = dict(run_trial(changed, paths, paths.of_seed(seed), observer=observer))
    write_json(paths.seed_metrics(seed), figures)
    return figures
