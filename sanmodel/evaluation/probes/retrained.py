"""Attackers that learn from perturbed faces, not only from originals."""

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn

from sanmodel.evaluation.attackers import ATTACKERS
from sanmodel.evaluation.attackers.figures import attack_figures
from sanmodel.evaluation.attackers.learning import as_tensor, drawn, learn, mirrored, probabilities
from sanmodel.evaluation.outputs import VARIANTS
from sanmodel.evaluation.probes import PROBES, Answer, Side, Study
from sanmodel.perturber import OUTPUTS

LESSONS = {**{variant: (variant,) for variant in VARIANTS}, "any": OUTPUTS}
"""What an attacker learns from and is then shown. That of "any" does not know which prototype made
an image; that of the originals is the ceiling of what can be read."""


@PROBES.register("retrained")
class Retrained:
    """Trains attribute classifiers on the outputs, with true labels, and judges them on others'.

    The true class chooses the prototypes of X'_SM and X'_OP, for the attacker's people and for
    those of the test. So an attacker who learned from one of the two also profits from what its
    prototype tells of the class; X'_NT has the same prototype for all faces.
    """

    title = "Attackers trained on perturbed faces"
    question = (
        "How well is the attribute read by a classifier that was trained, with true labels, on "
        "perturbed faces of other people?"
    )
    missing = "the faces to learn from or to be tested on are not of both classes"
    needs: tuple[str, ...] = ()

    def answer(self, study: Study) -> Answer:
        """See :meth:`sanmodel.evaluation.probes.Probe.answer`."""
        answer: Answer = {}
        for name in ATTACKERS.names():
            for lesson, variants in LESSONS.items():
                network = _taught(study, name, lesson)
                for variant in variants:
                    row = f"{name}, learned from {lesson}, {variant}"
                    answer[row] = _judged(network, study, variant)
        return answer


def _taught(study: Study, name: str, lesson: str) -> nn.Module | None:
    """Train an attacker; None where the people outside do not show both classes."""
    side, variants = study.outside, LESSONS[lesson]
    if len(np.unique(side.faces.labels)) < 2:
        return None

    def draw() -> tuple[Tensor, Tensor]:
        rows = drawn(len(side.faces))
        classes = torch.from_numpy(side.faces.labels[rows]).to(torch.float32)
        return mirrored(as_tensor(_mixed(side, variants, rows))), classes

    loss, purpose = F.binary_cross_entropy_with_logits, f"retrained {name} {lesson}"
    return learn(ATTACKERS.get(name), draw, loss, study.steps, study.seed, purpose)


def _mixed(side: Side, variants: tuple[str, ...], rows: NDArray[np.int64]) -> NDArray[np.uint8]:
    """Draw one of the variants for each row, (B, 224, 224)."""
    chosen = torch.randint(len(variants), (len(rows),)).tolist()
    images = [side.variants[variants[i]][row] for i, row in zip(chosen, rows, strict=True)]
    return np.stack(images)


def _judged(network: nn.Module | None, study: Study, variant: str) -> dict[str, float | None]:
    images, faces = study.test.variants[variant], study.test.faces
    scores = probabilities(network, images) if network is not None else None
    return attack_figures(faces.labels, scores, faces.people, study.seed)
