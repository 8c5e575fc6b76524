"""How fast the semi-adversarial training is (``san benchmark training``).

The paper's training step, written down as it reads, against the one of ``san train``: the same
networks, losses, images and weights, on VGG-Face's shape with random numbers in it. The literal
step makes the map of 224x224x128, runs the autoencoder once for each output, and describes the
originals again at every step; all of it in float32.
"""

import platform
import time
from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass
from typing import Any, Literal

import torch
import torch.nn.functional as F
from dask.system import CPU_COUNT
from rich.console import Console
from rich.table import Table
from torch import Tensor, nn

from sanmodel.losses import TotalLoss
from sanmodel.models.attribute_classifier import AttributeClassifier
from sanmodel.models.autoencoder import Autoencoder
from sanmodel.models.descriptor import DescriptorNetwork
from sanmodel.models.frozen import freeze
from sanmodel.models.vggface import VGGFace
from sanmodel.observer import SILENT, Observer, observed
from sanmodel.settings import TrainerSettings
from sanmodel.training.hardware import channels_last, computing_mixed, has_fast_bf16, launch, place

LEARNING_RATE = 1e-4
SEED = 1


@dataclass(frozen=True)
class Setting:
    """What both kinds of step work on.

    Attributes:
        autoencoder: Before the first step.
        f_G: Frozen classifier.
        R_vgg: Frozen matcher.
        X: Grey images, (B, 1, 224, 224), 0 to 1.
        y: Classes, (B,).
        landmarks: Of each face, (B, 5, 2) in pixels.
        P: Prototypes P_SM and P_OP of each image, (B, 3, 224, 224) each.
    """

    autoencoder: Autoencoder
    f_G: nn.Module
    R_vgg: VGGFace | DescriptorNetwork
    X: Tensor
    y: Tensor
    landmarks: Tensor
    P: tuple[Tensor, Tensor]

    def describe(self, X: Tensor) -> Tensor:
        """Return R_vgg(X), (B, d)."""
        descriptors: Tensor = self.R_vgg(self.R_vgg.view(X, self.landmarks))
        return descriptors


Accelerator = Literal["cpu", "cuda"]
"""Where steps are measured."""

Step = Callable[[], Tensor]
"""Descends once; returns J_total."""


def run_benchmark(
    steps: int, batch: int, accelerator: Accelerator = "cpu", observer: Observer = SILENT
) -> dict[str, Any]:
    """Measure both kinds of step, turn by turn.

    Args:
        steps: Timed steps of each, after one that is not timed.
        batch: Images per step.
        accelerator: Where.
        observer: Hears about progress.

    Returns:
        The ``machine``; for each kind of step its images per second, how many times the literal
        one's that is, J_total of each step, and the largest relative difference to the literal's.

    Raises:
        SanError: If a GPU is asked for that is not there.
    """
    launch(TrainerSettings(accelerator=accelerator))
    setting = make_setting(batch, VGGFace(), accelerator)
    kinds = {"literal": literal(setting), "ours, float32": ours(setting, "32-true")}
    if has_fast_bf16(accelerator):
        kinds["ours, bfloat16"] = ours(setting, "bf16-mixed")
    seconds: dict[str, list[float]] = {name: [] for name in kinds}
    losses: dict[str, list[float]] = {name: [] for name in kinds}
    for _ in observed(range(1 + steps), "steps", 1 + steps, observer):
        for name, step in kinds.items():
            begin = time.perf_counter()
            losses[name].append(step().item())
            seconds[name].append(time.perf_counter() - begin)
    rates = {name: batch * steps / sum(spent[1:]) for name, spent in seconds.items()}
    return {
        "machine": f"{_processor(accelerator)}, torch {torch.__version__}",
        "batch": batch,
        "kinds": [
            {
                "name": name,
                "images_per_second": rates[name],
                "speed_up": rates[name] / rates["literal"],
                "losses": losses[name],
                "difference": _difference(losses[name], losses["literal"]),
            }
            for name in kinds
        ],
    }


def _processor(accelerator: Accelerator) -> str:
    if accelerator == "cuda":
        return torch.cuda.get_device_name()
    return f"{platform.machine()}, {CPU_COUNT} CPUs"


def make_setting(
    batch: int, R_vgg: VGGFace | DescriptorNetwork, accelerator: Accelerator = "cpu"
) -> Setting:
    """Draw networks, images, landmarks and prototypes; one seed gives the same ones."""
    torch.manual_seed(SEED)
    freeze(R_vgg.to(accelerator))
    with torch.device(accelerator):
        X, P = torch.rand(batch, 1, 224, 224), torch.rand(2, batch, 3, 224, 224)
        y = torch.arange(batch) % 2
        f_G, landmarks = freeze(AttributeClassifier()), 223 * torch.rand(batch, 5, 2)
        return Setting(Autoencoder(), f_G, R_vgg, X, y.float(), landmarks, (P[0], P[1]))


def literal(setting: Setting) -> Step:
    """Return the step as the paper reads: equations 3 to 5, one output after the other."""
    autoencoder = deepcopy(setting.autoencoder)
    optimizer = torch.optim.Adam(autoencoder.parameters(), lr=LEARNING_RATE)
    X, y, (P_SM, P_OP) = setting.X, setting.y, setting.P

    def step() -> Tensor:
        optimizer.zero_grad()
        (X_SM,) = autoencoder.forward_literal(X, P_SM, [P_SM])
        (X_OP,) = autoencoder.forward_literal(X, P_SM, [P_OP])
        J_G = F.binary_cross_entropy_with_logits(setting.f_G(X_SM), y)
        J_G = J_G + F.binary_cross_entropy_with_logits(setting.f_G(X_OP), 1 - y)
        J_M = (setting.describe(X_SM) - setting.describe(X)).square().sum(dim=1).mean()
        J_total: Tensor = J_G + J_M
        J_total.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        return J_total.detach()

    return step


def ours(setting: Setting, precision: str) -> Step:
    """Return the step of ``san train``, with the descriptors of the originals known."""
    where = setting.X.device.type
    fabric = launch(TrainerSettings.model_validate({"accelerator": where, "precision": precision}))
    autoencoder = channels_last(deepcopy(setting.autoencoder))
    X, y, R_X = setting.X, setting.y, setting.describe(setting.X)
    J_total = place(TotalLoss([deepcopy(setting.f_G)], deepcopy(setting.R_vgg)), fabric)
    optimizer = torch.optim.Adam(autoencoder.parameters(), lr=LEARNING_RATE)

    def step() -> Tensor:
        optimizer.zero_grad()
        with computing_mixed(autoencoder, fabric):
            X_SM, X_OP = autoencoder(X, setting.P[0], list(setting.P))
            loss = J_total(X, y, setting.landmarks, X_SM, X_OP, R_X)["J_total"]
        fabric.backward(loss)
        optimizer.step()
        return loss.detach()

    return step


def _difference(losses: list[float], reference: list[float]) -> float:
    pairs = zip(losses, reference, strict=True)
    return max(abs(one - other) / abs(other) for one, other in pairs)


def show(figures: dict[str, Any], console: Console) -> None:
    """Print the figures as a table."""
    console.print(f"batches of {figures['batch']}; {figures['machine']}")
    table = Table("step", "images/s", "times the literal", "largest difference of J_total")
    for kind in figures["kinds"]:
        table.add_row(
            kind["name"],
            f"{kind['images_per_second']:.2f}",
            f"{kind['speed_up']:.2f}",
            f"{kind['difference']:.1e}",
        )
    console.print(table)
