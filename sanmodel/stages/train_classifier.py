"""Stage 5: the auxiliary attribute classifier (paper, section 2.2.3)."""

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn

from sanmodel.files import write_json
from sanmodel.models.attribute_classifier import AttributeClassifier
from sanmodel.models.frozen import freeze
from sanmodel.observer import SILENT, Metrics, Observer
from sanmodel.paths import Paths
from sanmodel.settings import Settings
from sanmodel.stages.training import Training, final_losses, load_side
from sanmodel.training.data import Batch, Examples, to_batch


def run(settings: Settings, paths: Paths, observer: Observer = SILENT) -> Metrics:
    """Write ``paths.classifier``.

    Returns:
        The final loss and the classifier's error on the test side, where the paper's is 3.86 %.

    Raises:
        SanError: If there are no crops or the training diverges.
    """
    schedule = settings.train_classifier
    training = Training("train_classifier", settings, schedule, paths, mirror=True)
    classifier = AttributeClassifier(schedule.dropout).train()

    def losses(batch: Batch) -> dict[str, Tensor]:
        loss = F.binary_cross_entropy_with_logits(classifier(batch.X), batch.y)
        return {"cross_entropy": loss}

    examples = load_side(settings, paths, "train")
    history = training.fit(classifier, losses, examples, observer)
    error = _error(freeze(classifier), load_side(settings, paths, "test"))
    training.save(paths.classifier, classifier, kind="classifier")
    metrics: Metrics = {**final_losses(history), "test_error": error}
    write_json(paths.metrics("train_classifier"), metrics)
    return metrics


def _error(classifier: nn.Module, examples: Examples, batch_size: int = 32) -> float:
    """Return the share of images that are read as the other class."""
    wrong: list[NDArray[np.bool_]] = []
    with torch.inference_mode():
        for start in range(0, len(examples), batch_size):
            part = slice(start, start + batch_size)
            batch = to_batch(
                examples.images[part],
                examples.y[part],
                examples.identity[part],
                examples.landmarks[part],
            )
            wrong.append(((classifier(batch.X) > 0) != (batch.y == 1)).numpy())
    return float(np.concatenate(wrong).mean())
