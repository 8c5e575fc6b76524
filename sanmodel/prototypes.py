"""The class prototypes (paper, section 2.2.2, figure 3)."""

from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from sanmodel.models.weights import load_weights, save_weights


@dataclass(frozen=True)
class Prototypes:
    """Mean image of each class; with the attribute ``Male`` P_1 is P_male and P_0 is P_female.

    Attributes:
        P_0: Mean RGB image of the class without the attribute, (3, 224, 224), 0 to 1.
        P_1: Mean RGB image of the class that has it, likewise.
        a_1: Weight of P_1 in the neutral prototype, 0 to 1.
    """

    P_0: Tensor
    P_1: Tensor
    a_1: float

    def same(self, y: Tensor) -> Tensor:
        """P_SM = y P_1 + (1 - y) P_0 for classes y (B,), (B, 3, 224, 224)."""
        y = y.view(-1, 1, 1, 1).to(self.P_0.dtype)
        return y * self.P_1 + (1 - y) * self.P_0

    def opposite(self, y: Tensor) -> Tensor:
        """P_OP = (1 - y) P_1 + y P_0 for classes y (B,), (B, 3, 224, 224)."""
        return self.same(1 - y)

    def neutral(self, y: Tensor) -> Tensor:
        """P_NT = a_0 P_0 + a_1 P_1, the same for all images, expanded to (B, 3, 224, 224)."""
        P_NT = (1 - self.a_1) * self.P_0 + self.a_1 * self.P_1
        return P_NT.expand(len(y), -1, -1, -1)

    def save(self, path: Path, attribute: str) -> None:
        """Write the prototypes as safetensors."""
        tensors = {"P_0": self.P_0, "P_1": self.P_1, "a_1": torch.tensor(self.a_1)}
        save_weights(path, tensors, kind="prototypes", attribute=attribute)

    @classmethod
    def load(cls, path: Path, attribute: str) -> "Prototypes":
        """Read prototypes.

        Raises:
            SanError: If the file is missing, damaged or of another attribute.
        """
        tensors = load_weights(path, kind="prototypes", attribute=attribute)
        return cls(tensors["P_0"], tensors["P_1"], float(tensors["a_1"]))
