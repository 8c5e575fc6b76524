"""How attackers learn: one short training on the CPU, the same for all of them."""

from collections.abc import Callable
from typing import TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from sanmodel.training.determinism import derived_seed

BATCH = 32
"""Images per step and per look."""

LEARNING_RATE = 2e-3
"""Adam's at the first step; it falls to zero along a cosine (Loshchilov and Hutter, 2017)."""

Network = TypeVar("Network", bound=nn.Module)
Loss = Callable[[Tensor, Tensor], Tensor]


def learn(
    make: Callable[[], Network],
    draw: Callable[[], tuple[Tensor, Tensor]],
    loss: Loss,
    steps: int,
    seed: int,
    purpose: str,
) -> Network:
    """Train a network from nothing.

    The random numbers of its weights and of ``draw`` come from torch's global generator, which is
    seeded for this training and afterwards in the state in which it was before.

    Args:
        make: Makes the network, with random weights.
        draw: Draws a batch: inputs and what the network should make of them.
        loss: Of the network's outputs and what they should be, a scalar.
        steps: Number of batches.
        seed: The study's seed.
        purpose: Name of the training, so that trainings with one seed draw different numbers.

    Returns:
        The trained network, in evaluation mode.
    """
    with torch.random.fork_rng(devices=[]):
        # Not torch.manual_seed, which seeds the GPUs' generators too.
        torch.default_generator.manual_seed(derived_seed(seed, purpose))
        network = make().train()
        # Convolutions of few channels are up to a third faster with the channels last.
        network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        optimizer = torch.optim.Adam(network.parameters(), LEARNING_RATE)
        schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, max(1, steps))
        for _ in range(steps):
            inputs, targets = draw()
            optimizer.zero_grad()
            loss(network(inputs), targets).backward()  # type: ignore[no-untyped-call]
            optimizer.step()
            schedule.step()
    return network.eval()


def drawn(count: int) -> NDArray[np.int64]:
    """Draw ``BATCH`` numbers, 0 to ``count - 1``, from torch's global generator."""
    return torch.randint(count, (BATCH,)).numpy()


def mirrored(X: Tensor) -> Tensor:
    """Mirror about half of the images (B, C, H, W), the channels of one image alike."""
    chosen = torch.rand(len(X), 1, 1, 1) < 0.5
    return torch.where(chosen, X.flip(3), X)


def as_tensor(images: NDArray[np.uint8]) -> Tensor:
    """Return images (B, H, W), 0 to 255, as (B, 1, H, W), 0 to 1."""
    writable = np.require(images, requirements="W")  # else torch warns, say of mapped files
    return torch.from_numpy(writable).unsqueeze(1).to(torch.float32).div_(255)


def probabilities(network: nn.Module, images: NDArray[np.uint8]) -> NDArray[np.float64]:
    """Return the sigmoid of a network's logits.

    Args:
        network: Maps (B, 1, H, W), 0 to 1, to logits (B,).
        images: Grey images, (N, H, W), N may be 0.

    Returns:
        (N,).
    """
    values = np.empty(len(images))
    with torch.inference_mode():
        for start in range(0, len(images), BATCH):
            batch = slice(start, start + BATCH)
            logits = network(as_tensor(np.asarray(images[batch])))
            values[batch] = torch.sigmoid(logits.double()).numpy()
    return values
