"""Face mixing after Othman and Ross, the method that the paper compares with (table 2).

A. Othman, A. Ross: "Privacy of facial soft biometrics: suppressing gender but retaining identity",
ECCV Workshops 2014. Their program is not public; what is chosen here is said below.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sanmodel.evaluation.baselines import BASELINES, Context
from sanmodel.evaluation.baselines.choosing import choose
from sanmodel.evaluation.baselines.morph import Points, morph
from sanmodel.evaluation.dense_landmarks import find_dense_landmarks
from sanmodel.evaluation.faces import Faces
from sanmodel.images import Picture

WEIGHT = 0.5
"""Of the candidate in shape and grey values: the middle between both faces. Othman and Ross let it
grow step by step."""

MAX_CANDIDATES = 1000
"""Of each class: their landmarks take about three seconds."""


@BASELINES.register("mixing")
class Mixing:
    """Morphs each face with the face of the other class whose shape is nearest.

    - Landmarks are dlib's 68 points, found in the grey crop.
    - The candidate is the training face of the other class with the least Procrustes distance: no
      place, turn or size of a face counts, while pose and expression do, so that there is little to
      warp. At most ``MAX_CANDIDATES`` are looked at, drawn by the seed.
    - The whole crop is mixed, hair and background too, where the face stands in the original.
    """

    variant = "mixing"

    def __init__(self, context: Context) -> None:
        for label in (0, 1):
            choose(context, label, MAX_CANDIDATES)
        self._context = context
        self._candidates: dict[int, Candidates] = {}

    def perturb(self, faces: Faces, ours: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """See :meth:`sanmodel.evaluation.baselines.Baseline.perturb`."""
        rows = zip(faces.images, faces.boxes, faces.labels, strict=True)
        return np.stack([self._mixed(image, box, int(label)) for image, box, label in rows])

    def _mixed(self, image: Picture, box: NDArray[np.float64], label: int) -> Picture:
        candidates = self._of_class(1 - label)
        landmarks = find_dense_landmarks(image, box)
        nearest = candidates.nearest(landmarks)
        other = self._context.pool.images[candidates.places[nearest]]
        return morph(image, other, landmarks, candidates.landmarks[nearest], WEIGHT)

    def _of_class(self, label: int) -> "Candidates":
        """Find the landmarks of a class's candidates when the first face asks for them."""
        if label not in self._candidates:
            self._candidates[label] = find_candidates(self._context, label)
        return self._candidates[label]


@dataclass(frozen=True)
class Candidates:
    """Faces of one class to mix with.

    Attributes:
        places: In the pool, (N,).
        landmarks: Of each, (N, 68, 2) in pixels of its crop.
        shapes: The same without place and size, (N, 68).
    """

    places: NDArray[np.int64]
    landmarks: NDArray[np.float64]
    shapes: NDArray[np.complex128]

    def nearest(self, landmarks: Points) -> int:
        """Return which one's shape has the least Procrustes distance to that of a face.

        The distance is sqrt(1 - |<z, w>|^2) of the shapes z and w as complex vectors (Kendall,
        1984). Of equally near ones the first is taken.

        Args:
            landmarks: Of the face, (68, 2).
        """
        likeness: NDArray[np.float64] = np.abs(self.shapes @ _shapes(landmarks).conj())
        return int(likeness.argmax())


def find_candidates(context: Context, label: int) -> Candidates:
    """Draw candidates of a class from the pool and find their landmarks.

    Raises:
        UnfitError: If the pool has no face of the class.
    """
    pool, places = context.pool, choose(context, label, MAX_CANDIDATES)
    landmarks = np.stack([find_dense_landmarks(pool.images[i], pool.boxes[i]) for i in places])
    return Candidates(places, landmarks, _shapes(landmarks))


def _shapes(landmarks: NDArray[np.float64]) -> NDArray[np.complex128]:
    """Turn points (..., points, 2) into complex numbers (..., points) of mean 0 and length 1."""
    points = landmarks[..., 0] + 1j * landmarks[..., 1]
    points -= points.mean(axis=-1, keepdims=True)
    shapes: NDArray[np.complex128] = points / np.linalg.norm(points, axis=-1, keepdims=True)
    return shapes
