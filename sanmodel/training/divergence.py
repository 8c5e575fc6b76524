"""When a training is not worth going on with."""

import math
from collections.abc import Sequence
from pathlib import Path
from statistics import median

import torch
from torch import nn

from sanmodel.errors import SanError
from sanmodel.training.checkpoint import Progress

WINDOW = 20
"""Steps at the start and at the end whose losses are compared."""

FACTOR = 50
"""How many times its start a loss may become.

A loss that is being minimised does not stay that far above its start unless the training is lost.
"""


def check_losses(progress: Progress, checkpoint: Path) -> None:
    """Stop if a loss term is not finite, or if the minimised one has exploded for good.

    Raises:
        SanError: With the step, the terms and the last good checkpoint.
    """
    terms = progress.history[-1]
    finite = all(math.isfinite(value) for value in terms.values())
    if not finite or all(has_exploded(progress.history, back) for back in range(WINDOW)):
        raise _diverged(progress, checkpoint, "")


def check_weights(progress: Progress, model: nn.Module, checkpoint: Path) -> None:
    """Stop if a weight is not finite, which the losses show one step later.

    Raises:
        SanError: With the step, the terms and the last good checkpoint.
    """
    for name, tensor in model.state_dict().items():
        if not torch.isfinite(tensor).all():
            raise _diverged(progress, checkpoint, f", {name} is not finite")


def has_exploded(history: Sequence[dict[str, float]], back: int = 0) -> bool:
    """Say whether the minimised loss, so many steps back, was far above that of the first steps."""
    if len(history) < WINDOW + back + 1:
        return False
    start = median(_minimised(terms) for terms in history[:WINDOW])
    return start > 0 and _minimised(history[-1 - back]) > FACTOR * start


def _minimised(terms: dict[str, float]) -> float:
    return list(terms.values())[-1]


def _diverged(progress: Progress, checkpoint: Path, more: str) -> SanError:
    terms = ", ".join(f"{name}={value:.4g}" for name, value in progress.history[-1].items())
    last = f"is {checkpoint} (step {progress.saved})" if progress.saved else "there is none"
    return SanError(
        f"the training diverged at step {progress.step} ({terms}{more}): lower the learning_rate;"
        f" the last good checkpoint {last}"
    )
