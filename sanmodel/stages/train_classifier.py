"""Stage 5: the auxiliary attribute classifiers (paper, section 2.2.3, has one)."""

from collections.abc import Sequence

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn

from sanmodel.augmentation import Augmentation
from sanmodel.models.ensemble import Glance, ensemble
from sanmodel.models.frozen import freeze
from sanmodel.observer import SILENT, Metrics, Observer
from sanmodel.paths import Paths
from sanmodel.settings import Settings
from sanmodel.stages.training import Training, final_losses, load_side
from sanmodel.training.data import Batch, Examples, to_batch
from sanmodel.training.determinism import derived_seed

BAG = 0.85
"""Share of the people that each classifier but the first learns from."""


def run(settings: Settings, paths: Paths, observer: Observer = SILENT) -> Metrics:
    """Write ``paths.classifier``.

    Returns:
        The final losses; on the test side the error of the mean of all logits (``test_error``;
        the paper's is 3.86 %) and, of several, each classifier's own.

    Raises:
        SanError: If there are no crops or the training diverges.
    """
    schedule = settings.train_classifier
    training = Training("train_classifier", settings, schedule, paths, mirror=True)
    classifiers = ensemble(schedule.members, schedule.dropout).train()
    examples = load_side(settings, paths, "train")
    first, *others = classifiers
    shown = [first, *(Glance(one, Augmentation()) for one in others)]
    bags = training.place(_bags(schedule.members, examples.people, settings.seed))

    def losses(batch: Batch) -> dict[str, Tensor]:
        terms = [_cross_entropy(*pair, batch) for pair in zip(shown, bags, strict=True)]
        own = {f"cross_entropy_{n}": term for n, term in enumerate(terms, start=1)}
        return {**(own if others else {}), "cross_entropy": torch.stack(terms).mean()}

    history = training.fit(classifiers, losses, examples, observer)
    freeze(classifiers)
    # In float32 whatever the training's precision: the figures are the saved weights' own.
    tested = list(classifiers.to(bags.device))
    errors = _errors(tested, load_side(settings, paths, "test"), training)
    about = {"kind": "classifier", "members": str(schedule.members)}
    training.save(paths.classifier, classifiers, **about)
    return training.finish({**final_losses(history), **errors})


def _bags(members: int, people: int, seed: int) -> Tensor:
    """Draw how much each person counts for each classifier, (members, people): 0 or 1 / BAG.

    All people count for the first one, the paper's.
    """
    generator = torch.Generator().manual_seed(derived_seed(seed, "bags"))
    bags = (torch.rand(members, people, generator=generator) < BAG).float() / BAG
    bags[0] = 1
    return bags


def _cross_entropy(classifier: nn.Module, bag: Tensor, batch: Batch) -> Tensor:
    """Return the loss of one classifier over the people in its bag."""
    loss = F.binary_cross_entropy_with_logits(classifier(batch.X), batch.y, reduction="none")
    return (loss * bag[batch.identity]).mean()


def _errors(
    classifiers: Sequence[nn.Module], examples: Examples, training: Training, batch_size: int = 32
) -> dict[str, float]:
    """Return the shares of images that all together and each alone read as the other class.

    Args:
        classifiers: Where the training runs.
        examples: What they are tested on.
        training: Places the images there.
        batch_size: Images per pass.
    """
    parts: list[NDArray[np.float32]] = []
    with torch.inference_mode():
        for start in range(0, len(examples), batch_size):
            rows = np.arange(start, min(start + batch_size, len(examples)))
            X = to_batch(training.place(examples.take(rows))).X
            parts.append(torch.stack([classifier(X) for classifier in classifiers]).cpu().numpy())
    logits = np.concatenate(parts, axis=1)  # (classifiers, examples)
    errors = {"test_error": float(((logits.mean(axis=0) > 0) != (examples.y == 1)).mean())}
    if len(classifiers) > 1:
        own = ((logits > 0) != (examples.y == 1)).mean(axis=1)
        errors |= {f"test_error_{n}": float(error) for n, error in enumerate(own, start=1)}
    return errors
