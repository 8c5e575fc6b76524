"""The paper's losses, equations 2 to 5: summed as printed for an image, averaged over a batch.

Beside each stands what its parameters can make of it: the authors' released variant, and terms of
our own that keep more of the face.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor

from sanmodel.models.matcher import Looks, Matcher

Network = Callable[[Tensor], Tensor]

Reconstruction = Literal["cross_entropy", "l1", "l2"]
Outputs = Literal["same", "both"]
Matching = Literal["same", "both", "mean"]

SSIM_WINDOW, SSIM_SIGMA = 11, 1.5
SSIM_CONSTANTS = 0.01**2, 0.03**2
"""Wang et al., "Image quality assessment" (2004): window, its width, and (K L)^2 for L = 1."""


def J_D(X: Tensor, X_SM: Tensor, kind: Reconstruction = "cross_entropy") -> Tensor:
    """Equation 2: pixel-wise cross entropy S between the image and its same-class output.

    Args:
        X: Grey images, (B, 1, 224, 224), 0 to 1.
        X_SM: Outputs with the same-class prototype, likewise.
        kind: "cross_entropy" as in the paper; "l1" is the absolute error, as in the authors'
            release; "l2" the squared error, which PSNR measures.
    """
    if kind == "cross_entropy":
        return F.binary_cross_entropy(X_SM, X, reduction="sum") / len(X)
    loss = F.l1_loss if kind == "l1" else F.mse_loss
    return loss(X_SM, X, reduction="sum") / len(X)


def J_G(y: Tensor, X_SM: Tensor, X_OP: Tensor, f_G: Network) -> Tensor:
    """Equation 3: the attribute stays readable in X'_SM and is read as its opposite in X'_OP.

    Args:
        y: Classes, (B,), 0 or 1 as floats.
        X_SM: Outputs with the same-class prototype, (B, 1, 224, 224), 0 to 1.
        X_OP: Outputs with the opposite-class prototype, likewise.
        f_G: Frozen classifier, images to logits (B,).
    """
    same, opposite = f_G(torch.cat([X_SM, X_OP])).chunk(2)
    return F.binary_cross_entropy_with_logits(same, y) + F.binary_cross_entropy_with_logits(
        opposite, 1 - y
    )


def J_M(R_X: Tensor, R_SM: Tensor, R_OP: Tensor | None = None) -> Tensor:
    """Equation 4: squared distance of the descriptors of an image and its same-class output.

    Args:
        R_X: Descriptors R_vgg(X) of the images, (B, d).
        R_SM: Descriptors R_vgg(X'_SM) of the outputs, likewise.
        R_OP: Where it is given, descriptors of X'_OP: the mean of both distances is taken.
    """
    distances = [(R - R_X).square().sum(dim=1).mean() for R in (R_SM, R_OP) if R is not None]
    return torch.stack(distances).mean()


def J_S(X: Tensor, X_out: Tensor) -> Tensor:
    """Return 1 - SSIM, the structure that an output has lost; not in the paper.

    Args:
        X: Grey images, (B, 1, 224, 224), 0 to 1.
        X_out: Outputs, likewise.
    """
    n = torch.arange(SSIM_WINDOW, device=X.device, dtype=X.dtype) - SSIM_WINDOW // 2
    weights = torch.softmax(-n.square() / (2 * SSIM_SIGMA**2), dim=0)

    def local(h: Tensor) -> Tensor:
        return F.conv2d(F.conv2d(h, weights.view(1, 1, 1, -1)), weights.view(1, 1, -1, 1))

    a, b = local(X), local(X_out)
    cross, squares = local(X * X_out) - a * b, local(X.square()) + local(X_out.square())
    low, high = SSIM_CONSTANTS
    likeness = (2 * a * b + low) * (2 * cross + high)
    total = (a.square() + b.square() + low) * (squares - a.square() - b.square() + high)
    return 1 - (likeness / total).mean()


@dataclass(frozen=True)
class TotalLoss:
    """Equation 5, with equation 1's first term for those who want it.

    Attributes:
        f_G: Frozen attribute classifiers; J_G is the mean over them. The paper has one.
        R_vgg: Frozen face matcher.
        lambda_G: Weight of J_G, 1 in the paper.
        lambda_M: Weight of J_M, 1 in the paper.
        lambda_D: Weight of J_D; equation 5 leaves the term out (0), equation 1 has it.
        lambda_S: Weight of J_S; the paper has no such term (0).
        reconstruction: What J_D measures.
        fidelity: Outputs that J_D and J_S look at: "same" as in the paper, or "both" X'_SM and
            X'_OP, of which the mean is taken.
        matching: What J_M compares: the descriptor of X'_SM ("same", the paper), those of both
            outputs, or their mean ("mean", the authors' release).
        matching_from: Number of first steps without J_M; the paper has none (0).
        looks: Random looks that R_vgg's view of faces is to be; none by default.
    """

    f_G: Sequence[Network]
    R_vgg: Matcher
    lambda_G: float = 1.0
    lambda_M: float = 1.0
    lambda_D: float = 0.0
    lambda_S: float = 0.0
    reconstruction: Reconstruction = "cross_entropy"
    fidelity: Outputs = "same"
    matching: Matching = "same"
    matching_from: int = 0
    looks: Looks | None = None

    def __call__(
        self,
        X: Tensor,
        y: Tensor,
        landmarks: Tensor,
        X_SM: Tensor,
        X_OP: Tensor,
        R_X: Tensor | None = None,
        step: int = 0,
    ) -> dict[str, Tensor]:
        """Return the terms that have a weight in this step, then their weighted sum ``J_total``.

        Args:
            X: Grey images, (B, 1, 224, 224), 0 to 1.
            y: Classes, (B,), 0 or 1 as floats.
            landmarks: Of each face, (B, 5, 2) in pixels of X.
            X_SM: Outputs with the same-class prototype, like X.
            X_OP: Outputs with the opposite-class prototype, like X.
            R_X: Descriptors of X, if they are known already, (B, d); of no use with ``looks``.
            step: Steps done before.
        """
        terms = {"J_G": torch.stack([J_G(y, X_SM, X_OP, f_G) for f_G in self.f_G]).mean()}
        weights = {"J_G": self.lambda_G}
        if self.lambda_M and step >= self.matching_from:
            terms["J_M"] = self._matching(X, landmarks, X_SM, X_OP, R_X)
            weights["J_M"] = self.lambda_M
        judged = [X_SM] if self.fidelity == "same" else [X_SM, X_OP]
        if self.lambda_D:
            losses = [J_D(X, X_out, self.reconstruction) for X_out in judged]
            terms["J_D"], weights["J_D"] = torch.stack(losses).mean(), self.lambda_D
        if self.lambda_S:
            losses = [J_S(X, X_out) for X_out in judged]
            terms["J_S"], weights["J_S"] = torch.stack(losses).mean(), self.lambda_S
        total = torch.stack([weights[name] * term for name, term in terms.items()]).sum()
        return {**terms, "J_total": total}

    def _matching(
        self, X: Tensor, landmarks: Tensor, X_SM: Tensor, X_OP: Tensor, R_X: Tensor | None
    ) -> Tensor:
        """Compute J_M, with the descriptors of all outputs that are needed in one pass.

        With looks the image is looked at like its outputs. Compared with the plain image, J_M
        would mostly measure the look, and not be least where X' is X.
        """
        outputs = [X_SM] if self.matching == "same" else [X_SM, X_OP]
        seen = self.R_vgg.view(torch.cat([X, *outputs], dim=1), landmarks, self.looks)
        X, *outputs = seen.chunk(1 + len(outputs), dim=1)
        if self.looks or R_X is None:
            with torch.no_grad():
                R_X = self.R_vgg(X)
        R = self.R_vgg(torch.cat(outputs)).chunk(len(outputs))
        return J_M(R_X, torch.stack(R).mean(dim=0)) if self.matching == "mean" else J_M(R_X, *R)
