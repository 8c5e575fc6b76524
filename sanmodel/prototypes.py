"""The class prototypes (paper, section 2.2.2, figure 3)."""

from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from sanmodel.alignment import similarity, warp
from sanmodel.errors import SanError
from sanmodel.images import IMAGE_SIZE, Picture
from sanmodel.models.weights import check_tensors, load_weights, save_weights


@dataclass(frozen=True)
class Prototypes:
    """Mean image of each class; with the attribute ``Male`` P_1 is P_male and P_0 is P_female.

    Attributes:
        P_0: Mean RGB image of the class without the attribute, (3, 224, 224), 0 to 1.
        P_1: Mean RGB image of the class that has it, likewise.
        a_1: Weight of P_1 in the neutral prototype, 0 to 1.
        landmarks: Of the face in both images, (5, 2) in pixels, if they are aligned: laid over
            every face by its own landmarks, as in the authors' release. None if they are the same
            for all faces, as in the paper.
    """

    P_0: Tensor
    P_1: Tensor
    a_1: float
    landmarks: Tensor | None = None

    @property
    def align(self) -> str:
        """The setting ``prototypes.align`` that they were made with, "none" or "landmarks"."""
        return "none" if self.landmarks is None else "landmarks"

    @property
    def P_NT(self) -> Tensor:
        """P_NT = a_0 P_0 + a_1 P_1, (3, 224, 224)."""
        return (1 - self.a_1) * self.P_0 + self.a_1 * self.P_1

    def share_of_opposite(self, y: Tensor, mode: Tensor) -> Tensor:
        """Return u of P = (1 - u) P_SM + u P_OP, on the way from P_SM by P_NT to P_OP.

        P_NT lies between the two of every class, as near to them as its weights say.

        Args:
            y: Class of each face, (B,), 0 or 1.
            mode: (B, K), 0 to 1: 0 is P_SM, one half P_NT, 1 P_OP.

        Returns:
            (B, K), 0 to 1.
        """
        neutral = torch.where(y == 1, 1 - self.a_1, self.a_1).to(mode.dtype)[:, None]
        way = 2 * mode
        return neutral * way.clamp(max=1) + (1 - neutral) * (way - 1).clamp(min=0)

    def for_faces(self, y: Tensor, landmarks: Tensor | None = None) -> "FacePrototypes":
        """Return the prototypes that faces are perturbed with.

        Args:
            y: Class of each face, (B,), 0 or 1.
            landmarks: Of each face, (B, 5, 2) in pixels of its crop; not looked at if the
                prototypes are not aligned.

        Raises:
            SanError: If the prototypes are aligned and there are no landmarks.
        """
        if self.landmarks is None:
            return FacePrototypes(self, y, None)
        if landmarks is None:
            raise SanError("the prototypes are aligned: give the landmarks of each face")
        return FacePrototypes(self, y, similarity(landmarks, self.landmarks[None]))

    def to(self, device: str) -> "Prototypes":
        """Return the same on a device, in PyTorch's words."""
        landmarks = None if self.landmarks is None else self.landmarks.to(device)
        return Prototypes(self.P_0.to(device), self.P_1.to(device), self.a_1, landmarks)

    def save(self, path: Path, attribute: str) -> None:
        """Write the prototypes as safetensors."""
        tensors = {"P_0": self.P_0, "P_1": self.P_1, "a_1": torch.tensor(self.a_1)}
        if self.landmarks is not None:
            tensors["landmarks"] = self.landmarks
        save_weights(path, tensors, kind="prototypes", attribute=attribute)

    @classmethod
    def load(cls, path: Path, attribute: str) -> "Prototypes":
        """Read prototypes.

        Raises:
            SanError: If the file is missing, damaged or of another attribute.
        """
        tensors = load_weights(path, kind="prototypes", attribute=attribute)
        image, landmarks = torch.Size((3, IMAGE_SIZE, IMAGE_SIZE)), torch.Size((5, 2))
        needed = {"P_0": image, "P_1": image, "a_1": torch.Size(())}
        needed |= {"landmarks": landmarks} if "landmarks" in tensors else {}
        check_tensors(path, tensors, needed, "the prototypes of two classes")
        P_0, P_1, a_1 = (tensors[name] for name in ("P_0", "P_1", "a_1"))
        return cls(P_0, P_1, float(a_1), tensors.get("landmarks"))


def as_picture(P: Tensor) -> Picture:
    """Return a prototype (3, height, width), 0 to 1, as pixels (height, width, 3)."""
    pixels: Picture = (P.permute(1, 2, 0) * 255).round().to(torch.uint8).numpy()
    return pixels


@dataclass(frozen=True)
class FacePrototypes:
    """The prototypes of B faces, laid over each of them if they are aligned.

    Attributes:
        prototypes: Those of the classes.
        y: Class of each face, (B,), 0 or 1.
        transform: Where the prototypes have what belongs at a place of the face, (B, 2, 3); None
            if it is the same place.
    """

    prototypes: Prototypes
    y: Tensor
    transform: Tensor | None

    @property
    def same(self) -> Tensor:
        """P_SM = y P_1 + (1 - y) P_0, (B, 3, 224, 224)."""
        return self._of(self.y)

    @property
    def neutral(self) -> Tensor:
        """P_NT of each face, (B, 3, 224, 224)."""
        return self._placed(self.prototypes.P_NT.expand(self.y.shape[0], -1, -1, -1))

    @property
    def opposite(self) -> Tensor:
        """P_OP = (1 - y) P_1 + y P_0, (B, 3, 224, 224)."""
        return self._of(1 - self.y)

    def between(self, mode: Tensor) -> Tensor:
        """Return the prototypes at any place of the way from P_SM by P_NT to P_OP.

        Args:
            mode: (B, K), 0 to 1: 0 is P_SM, one half P_NT, 1 P_OP.

        Returns:
            (B, K, 3, 224, 224).
        """
        u = self.prototypes.share_of_opposite(self.y, mode)[..., None, None, None]
        same, opposite = self.same[:, None], self.opposite[:, None]
        return (1 - u) * same + u * opposite

    def _of(self, y: Tensor) -> Tensor:
        P_0, P_1 = self.prototypes.P_0, self.prototypes.P_1
        y = y.view(-1, 1, 1, 1).to(P_0.dtype)
        return self._placed(y * P_1 + (1 - y) * P_0)

    def _placed(self, P: Tensor) -> Tensor:
        return P if self.transform is None else warp(P, self.transform)
