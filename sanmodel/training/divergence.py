"""When a training is not worth going on with."""

import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from sanmodel.errors import SanError
from sanmodel.training.checkpoint import Progress
from sanmodel.training.hardware import networks_in

FACTOR = 50
"""How many times that of the first step, before any weight has changed, a loss may become.

Where a term joins later, the loss is another one from then on, and that step is its first.
"""

WINDOW = 20
"""Steps in a row that it must be above that before the training is lost: it may come back."""


class NotFiniteError(ArithmeticError):
    """An output of the network that is trained is infinite or no number."""


def check_losses(progress: Progress, checkpoint: Path) -> None:
    """Stop if a loss term is not finite, or if the minimised one has exploded for good.

    Raises:
        SanError: With the step, the terms and the last good checkpoint.
    """
    terms = progress.history[-1]
    finite = all(math.isfinite(value) for value in terms.values())
    if not finite or all(has_exploded(progress.history, back) for back in range(WINDOW)):
        raise _diverged(progress.step, _text(terms), progress, checkpoint)


def check_weights(progress: Progress, model: nn.Module, checkpoint: Path) -> None:
    """Stop if a weight is not finite: the losses show it one step later only.

    Raises:
        SanError: With the step, the terms, the weight and the last good checkpoint.
    """
    for name, tensor in model.state_dict().items():
        if not torch.isfinite(tensor).all():
            what = f"{_text(progress.history[-1])}, then {name} is not finite"
            raise _diverged(progress.step, what, progress, checkpoint)


@contextmanager
def outputs_checked(model: nn.Module, progress: Progress, checkpoint: Path) -> Iterator[None]:
    """Stop if an output of the network is not finite.

    Losses may not survive it: a cross entropy refuses such numbers, on a GPU with the end of the
    process.

    Raises:
        SanError: With the step, the terms before and the last good checkpoint.
    """
    hooks = [network.register_forward_hook(_check_output) for network in networks_in(model)]
    try:
        yield
    except NotFiniteError as error:
        before = f"{_text(progress.history[-1])}, then " if progress.history else ""
        what = f"{before}{error}"
        raise _diverged(progress.step + 1, what, progress, checkpoint) from error
    finally:
        for hook in hooks:
            hook.remove()


def has_exploded(history: Sequence[Mapping[str, float]], back: int = 0) -> bool:
    """Say whether the minimised loss, so many steps back, was far above that of its first step."""
    if back >= len(history):
        return False
    terms = history[-1 - back]
    first = next(earlier for earlier in history if earlier.keys() == terms.keys())
    return 0 < FACTOR * _minimised(first) < _minimised(terms)


def _check_output(network: nn.Module, inputs: Any, output: Any) -> None:
    if not all(torch.isfinite(tensor).all() for tensor in _tensors(output)):
        raise NotFiniteError(f"the output of {type(network).__name__} is not finite")


def _tensors(output: Any) -> Iterator[Tensor]:
    """Yield the tensors in a network's output, however they are packed."""
    if isinstance(output, Tensor):
        yield output
    elif isinstance(output, Mapping):
        yield from _tensors(list(output.values()))
    elif isinstance(output, list | tuple):
        for part in output:
            yield from _tensors(part)


def _minimised(terms: Mapping[str, float]) -> float:
    return list(terms.values())[-1]


def _text(terms: Mapping[str, float]) -> str:
    return ", ".join(f"{name}={value:.4g}" for name, value in terms.items())


def _diverged(step: int, what: str, progress: Progress, checkpoint: Path) -> SanError:
    good = f"the last good checkpoint is {checkpoint}, step {progress.saved}"
    last = good if progress.saved else "there is no checkpoint yet"
    return SanError(
        f"the training diverged at step {step} ({what}): lower the learning_rate, with which it"
        f" starts again; {last}"
    )
