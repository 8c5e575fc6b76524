"""The paper's losses, equations 2 to 5: summed as printed for an image, averaged over a batch."""

from collections.abc import Callable
from dataclasses import dataclass

import torch.nn.functional as F
from torch import Tensor

Network = Callable[[Tensor], Tensor]


def J_D(X: Tensor, X_SM: Tensor) -> Tensor:
    """Equation 2: pixel-wise cross entropy S between the image and its same-class output.

    Args:
        X: Grey images, (B, 1, 224, 224), 0 to 1.
        X_SM: Outputs with the same-class prototype, likewise.
    """
    return F.binary_cross_entropy(X_SM, X, reduction="sum") / len(X)


def J_G(y: Tensor, X_SM: Tensor, X_OP: Tensor, f_G: Network) -> Tensor:
    """Equation 3: the attribute stays readable in X'_SM and is read as its opposite in X'_OP.

    Args:
        y: Classes, (B,), 0 or 1 as floats.
        X_SM: Outputs with the same-class prototype, (B, 1, 224, 224), 0 to 1.
        X_OP: Outputs with the opposite-class prototype, likewise.
        f_G: Frozen classifier, images to logits (B,).
    """
    same = F.binary_cross_entropy_with_logits(f_G(X_SM), y)
    opposite = F.binary_cross_entropy_with_logits(f_G(X_OP), 1 - y)
    return same + opposite


def J_M(X: Tensor, X_SM: Tensor, R_vgg: Network) -> Tensor:
    """Equation 4: squared distance of the descriptors of an image and its same-class output.

    Args:
        X: Grey images, (B, 1, 224, 224), 0 to 1.
        X_SM: Outputs with the same-class prototype, likewise.
        R_vgg: Frozen face matcher, images to descriptors (B, d).
    """
    return (R_vgg(X_SM) - R_vgg(X)).square().sum(dim=1).mean()


@dataclass(frozen=True)
class TotalLoss:
    """Equation 5, with equation 1's first term for those who want it.

    Attributes:
        f_G: Frozen attribute classifier.
        R_vgg: Frozen face matcher.
        lambda_G: Weight of J_G, 1 in the paper.
        lambda_M: Weight of J_M, 1 in the paper.
        lambda_D: Weight of J_D; equation 5 leaves the term out (0), equation 1 has it.
    """

    f_G: Network
    R_vgg: Network
    lambda_G: float = 1.0
    lambda_M: float = 1.0
    lambda_D: float = 0.0

    def __call__(self, X: Tensor, y: Tensor, X_SM: Tensor, X_OP: Tensor) -> dict[str, Tensor]:
        """Return the terms ``J_D`` (if weighted), ``J_G``, ``J_M`` and their sum ``J_total``."""
        terms = {"J_G": J_G(y, X_SM, X_OP, self.f_G), "J_M": J_M(X, X_SM, self.R_vgg)}
        total = self.lambda_G * terms["J_G"] + self.lambda_M * terms["J_M"]
        if self.lambda_D:
            terms["J_D"] = J_D(X, X_SM)
            total = total + self.lambda_D * terms["J_D"]
        return {**terms, "J_total": total}
