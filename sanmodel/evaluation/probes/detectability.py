"""Whether a face can be told to be perturbed."""

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from sanmodel.evaluation.attackers.detector import Detector
from sanmodel.evaluation.attackers.figures import attack_figures
from sanmodel.evaluation.attackers.learning import as_tensor, drawn, learn, mirrored, probabilities
from sanmodel.evaluation.probes import PROBES, Answer, Study
from sanmodel.perturber import OUTPUTS


@PROBES.register("detectability")
class Detectability:
    """Trains a detector for each output; class 1 is "perturbed", and half of all images are."""

    title = "Detection of perturbed faces"
    question = (
        "How well does a network that was trained on other people's faces tell a perturbed face "
        "from an original?"
    )
    missing = "there is no face to learn from"
    needs: tuple[str, ...] = ()

    def answer(self, study: Study) -> Answer:
        """See :meth:`sanmodel.evaluation.probes.Probe.answer`."""
        return {output: _figures(study, output) for output in OUTPUTS}


def _taught(study: Study, output: str) -> Detector:
    """Train a detector on pairs of an original and its output."""
    side = study.outside

    def draw() -> tuple[Tensor, Tensor]:
        rows = drawn(len(side.faces))
        rows = rows[: len(rows) // 2]
        pairs = np.concatenate([side.variants["original"][rows], side.variants[output][rows]])
        return mirrored(as_tensor(pairs)), torch.arange(2.0).repeat_interleave(len(rows))

    loss, purpose = F.binary_cross_entropy_with_logits, f"detectability {output}"
    return learn(Detector, draw, loss, study.steps, study.seed, purpose)


def _figures(study: Study, output: str) -> dict[str, float | None]:
    labels = np.repeat([0, 1], len(study.test.faces))
    people = np.tile(study.test.faces.people, 2)  # an original and its output are no strangers
    scores = None
    if len(study.outside.faces) > 0:
        detector = _taught(study, output)
        both = [probabilities(detector, study.test.variants[name]) for name in ("original", output)]
        scores = np.concatenate(both)
    return attack_figures(labels, scores, people, study.seed, error="detection_error")
