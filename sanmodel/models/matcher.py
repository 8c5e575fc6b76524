"""What a training asks of a face matcher R_vgg, be it VGG-Face or its stand-in."""

from typing import Protocol

from torch import Tensor


class Looks(Protocol):
    """Random looks at faces: :class:`sanmodel.augmentation.Augmentation`, which tells more."""

    def __call__(self, X: Tensor, size: int, base: Tensor | None = None) -> Tensor:
        """Look at images (B, C, height, width); returns (B, C, size, size)."""
        ...


class Matcher(Protocol):
    """Describes faces: ``R_vgg(R_vgg.view(X, landmarks))``."""

    def view(self, X: Tensor, landmarks: Tensor, looks: Looks | None = None) -> Tensor:
        """Return what the matcher is to see of faces.

        Args:
            X: (B, C, 224, 224), 0 to 1: of each face C grey images, all seen in the same way.
            landmarks: Of each face, (B, 5, 2) in pixels of its images.
            looks: Makes it another random look at each face each time; none by default.

        Returns:
            (B, C, size, size), of the matcher's own size; gradients flow through to X.
        """
        ...

    def __call__(self, seen: Tensor) -> Tensor:
        """Return the descriptors (B, d) of what it sees of B images, (B, 1, size, size)."""
        ...
