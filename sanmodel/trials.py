"""A training and its evaluation beside the pipeline's own: other settings, the same start.

A trial has a work tree of its own, into which the pipeline's inputs are linked: several trials of
one pipeline may run side by side.
"""

import shutil
from pathlib import Path
from typing import Any

from sanmodel.errors import SanError
from sanmodel.evaluation.answers import Answers
from sanmodel.observer import SILENT, Observer
from sanmodel.paths import Paths
from sanmodel.settings import Settings
from sanmodel.stages import evaluate, train

ALONE: dict[str, Any] = {
    "baselines": [],
    "authors": None,
    "members": {},
    "scores": [],
    "probes": [],
}
"""Settings of the evaluation: a trial needs the model's own figures only."""

OUTPUT = "OP"
"""The output that is to hide the attribute."""


def run_trial(
    settings: Settings,
    paths: Paths,
    tree: Paths,
    start: Path | None = None,
    observer: Observer = SILENT,
) -> dict[str, float]:
    """Train the autoencoder against the pipeline's frozen networks, and evaluate it.

    Args:
        settings: All settings of the trial.
        paths: The work tree with crops, prototypes, frozen networks and pre-trained autoencoder.
        tree: The trial's own, gone when it has ended; a trial that was stopped goes on from it.
        start: An autoencoder to go on from, instead of the pre-trained one.
        observer: Hears about progress.

    Returns:
        As :func:`figures_of`.

    Raises:
        SanError: If an input is missing or damaged, the training diverges, or the test side is
            too small or of an attribute that no classifier reads.
    """
    alone = settings.evaluate.model_copy(update=ALONE)
    changed = settings.model_copy(update={"evaluate": alone, "sets": {}})
    _link_inputs(paths, tree, start or paths.pretrained)
    train.run(changed, tree, observer)
    figures = figures_of(evaluate.run(changed, tree, observer))
    shutil.rmtree(tree.root)
    return figures


def figures_of(metrics: dict[str, Any]) -> dict[str, float]:
    """Pick the first classifier's and matcher's figures out of an evaluation.

    Raises:
        SanError: If there are none.
    """
    classifier: dict[str, Any] | None = next(iter(metrics["classifiers"].values()), None)
    matcher: dict[str, Any] = next(iter(metrics["matchers"].values()), {OUTPUT: {}})
    rate = next((name for name in matcher[OUTPUT] if name.startswith("tmr")), "")
    if classifier is None or matcher[OUTPUT].get(rate) is None:
        raise SanError(f"there are no figures for a curve: {'; '.join(metrics['gaps'])}")
    return {
        "error_original": classifier["original"]["error_rate"],
        "error_SM": classifier["SM"]["error_rate"],
        "error_OP": classifier[OUTPUT]["error_rate"],
        "rate_original": matcher["original"][rate],
        "rate_OP": matcher[OUTPUT][rate],
        **metrics["quality"][OUTPUT],
    }


def _link_inputs(paths: Paths, tree: Paths, start: Path) -> None:
    """Give a work tree the inputs of the training, and what all points find out but once."""
    inputs = (paths.crops, paths.prototypes, paths.classifier, paths.matcher, paths.descriptors)
    for path in inputs:
        _link(path, tree.root / path.relative_to(paths.root))
    _link(start, tree.pretrained)
    Answers(paths.answers)  # there is a file from now on
    _link(paths.answers, tree.answers)
    paths.decoded.mkdir(parents=True, exist_ok=True)
    _link(paths.decoded, tree.decoded)


def _link(path: Path, place: Path) -> None:
    place.parent.mkdir(parents=True, exist_ok=True)
    place.unlink(missing_ok=True)  # of a run that was stopped
    place.symlink_to(path.resolve())
