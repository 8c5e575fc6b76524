"""How fast the semi-adversarial training is (``san benchmark training``).

The paper's training step, written down as it reads, against the one of ``san train`` with the
paper's settings: the same networks, losses, images and weights, on VGG-Face's shape with random
numbers in it. The literal step makes the map of 224x224x128, runs the autoencoder once for each
output, and describes the originals again at every step; all of it in float32.

Every step's losses are compared from equal weights: ours starts each from those of the literal one,
since Adam's first steps turn a rounded zero in a gradient into a whole step.
"""

import platform
import time
from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass, field
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
from sanmodel.models.vggface import VGGFace, rgb_shapes
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

TERMS = ("J_G", "J_M", "J_total")


@dataclass(frozen=True)
class Step:
    """One kind of training step.

    Attributes:
        autoencoder: What it trains.
        descend: Descends once; returns the ``TERMS``.
    """

    autoencoder: nn.Module
    descend: Callable[[], dict[str, Tensor]]

    def timed(self) -> tuple[dict[str, float], float]:
        """Descend once; return the ``TERMS`` and the seconds that it took."""
        begin = time.perf_counter()
        terms = {name: term.item() for name, term in self.descend().items()}
        return terms, time.perf_counter() - begin


@dataclass
class Record:
    """What one kind of step did: of each step the seconds and the ``TERMS``."""

    seconds: list[float] = field(default_factory=list)
    terms: list[dict[str, float]] = field(default_factory=list)


def run_benchmark(
    steps: int,
    batch: int,
    accelerator: Accelerator = "cpu",
    observer: Observer = SILENT,
    compiled: bool = False,
) -> dict[str, Any]:
    """Measure both kinds of step, turn by turn.

    Args:
        steps: Timed steps of each, after one that is not timed.
        batch: Images per step.
        accelerator: Where.
        observer: Hears about progress.
        compiled: Measure our steps with ``torch.compile``, too, which needs a C++ compiler.

    Returns:
        The ``machine``; for each kind of step its images per second, how many times the literal
        one's that is, the loss terms of each step, and of each term the largest difference to the
        literal step's, as a share of it.

    Raises:
        SanError: If a GPU is asked for that is not there.
    """
    launch(TrainerSettings(accelerator=accelerator))
    kinds = _kinds(make_setting(batch, random_vggface(), accelerator), accelerator, compiled)
    records = {name: Record() for name in kinds}
    for _ in observed(range(1 + steps), "steps", 1 + steps, observer):
        weights = deepcopy(kinds["literal"].autoencoder.state_dict())
        for name, step in kinds.items():
            step.autoencoder.load_state_dict(weights)
            terms, seconds = step.timed()
            records[name].terms.append(terms)
            records[name].seconds.append(seconds)
    return {
        "machine": f"{_processor(accelerator)}, torch {torch.__version__}",
        "batch": batch,
        "kinds": [
            {"name": name, **_figures(record, records["literal"], batch)}
            for name, record in records.items()
        ],
    }


def _kinds(setting: Setting, accelerator: Accelerator, compiled: bool) -> dict[str, Step]:
    """Return the steps to measure by what they are called, the literal one first."""
    kinds = {"literal": literal(setting)}
    precisions = {"float32": "32-true"}
    precisions |= {"bfloat16": "bf16-mixed"} if has_fast_bf16(accelerator) else {}
    for name, precision in precisions.items():
        kinds[f"ours, {name}"] = ours(setting, precision)
        if compiled:
            kinds[f"ours, {name}, compiled"] = ours(setting, precision, compiled)
    return kinds


def random_vggface() -> VGGFace:
    """Return VGG-Face with random weights that keep the size of what passes through (He, 2015)."""
    generator = torch.Generator().manual_seed(SEED)
    weights = {}
    for name, shape in rgb_shapes().items():
        scale = (2 / shape[1:].numel()) ** 0.5 if len(shape) > 1 else 0.0
        weights[name] = scale * torch.randn(shape, generator=generator)
    return VGGFace.from_rgb(weights)


def _figures(record: Record, reference: Record, batch: int) -> dict[str, Any]:
    """Compare one kind of step with the literal one; the first step is not timed."""
    rate, literal_rate = (
        batch * len(one.seconds[1:]) / sum(one.seconds[1:]) for one in (record, reference)
    )
    return {
        "images_per_second": rate,
        "speed_up": rate / literal_rate,
        "terms": record.terms,
        "difference": {term: _difference(record, reference, term) for term in TERMS},
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

    def step() -> dict[str, Tensor]:
        optimizer.zero_grad()
        (X_SM,) = autoencoder.forward_literal(X, P_SM, [P_SM])
        (X_OP,) = autoencoder.forward_literal(X, P_SM, [P_OP])
        J_G = F.binary_cross_entropy_with_logits(setting.f_G(X_SM), y)
        J_G = J_G + F.binary_cross_entropy_with_logits(setting.f_G(X_OP), 1 - y)
        J_M = (setting.describe(X_SM) - setting.describe(X)).square().sum(dim=1).mean()
        J_total = J_G + J_M
        J_total.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        return {"J_G": J_G.detach(), "J_M": J_M.detach(), "J_total": J_total.detach()}

    return Step(autoencoder, step)


def ours(setting: Setting, precision: str, compiled: bool = False) -> Step:
    """Return the step of ``san train``, with the descriptors of the originals known.

    Args:
        setting: What it works on.
        precision: As in ``trainer.precision``.
        compiled: Let ``torch.compile`` make kernels of the networks, in the first step.
    """
    where = setting.X.device.type
    fabric = launch(TrainerSettings.model_validate({"accelerator": where, "precision": precision}))
    autoencoder = channels_last(deepcopy(setting.autoencoder))
    X, y, R_X = setting.X, setting.y, setting.describe(setting.X)
    f_G, R_vgg = deepcopy(setting.f_G), deepcopy(setting.R_vgg)
    J_total = place(TotalLoss([f_G], R_vgg), fabric)
    for network in (autoencoder, f_G, R_vgg) if compiled else ():
        network.compile()
    optimizer = torch.optim.Adam(autoencoder.parameters(), lr=LEARNING_RATE)

    def step() -> dict[str, Tensor]:
        optimizer.zero_grad()
        with computing_mixed(autoencoder, fabric):
            X_SM, X_OP = autoencoder(X, setting.P[0], list(setting.P))
            terms = J_total(X, y, setting.landmarks, X_SM, X_OP, R_X)
        fabric.backward(terms["J_total"])
        optimizer.step()
        return {name: term.detach() for name, term in terms.items()}

    return Step(autoencoder, step)


def _difference(record: Record, reference: Record, term: str) -> float:
    pairs = zip(record.terms, reference.terms, strict=True)
    return max(abs(one[term] - other[term]) / abs(other[term]) for one, other in pairs)


def show(figures: dict[str, Any], console: Console) -> None:
    """Print the figures as a table."""
    console.print(f"batches of {figures['batch']}; {figures['machine']}")
    differences = [f"largest difference of {term}" for term in TERMS]
    table = Table("step", "images/s", "times the literal", *differences)
    for kind in figures["kinds"]:
        table.add_row(
            kind["name"],
            f"{kind['images_per_second']:.2f}",
            f"{kind['speed_up']:.2f}",
            *(f"{kind['difference'][term]:.1e}" for term in TERMS),
        )
    console.print(table)
