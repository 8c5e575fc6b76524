"""Sample faces as what baselines are shown, and contexts around them."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sanmodel.detection.landmarks import find_landmarks
from sanmodel.evaluation.baselines import Context
from sanmodel.evaluation.faces import Faces

PHOTOS = 3
NewContext = Callable[..., Context]


@pytest.fixture(scope="session")
def sample(faces: Any) -> Faces:
    """Three photos each of six people, who are of class 1 and 0 in turn."""
    people = np.arange(len(faces.images)) // PHOTOS
    landmarks = map(find_landmarks, faces.images, faces.boxes)
    return Faces(
        image_ids=np.array([str(i) for i in range(len(people))], dtype=object),
        images=faces.images,
        boxes=faces.boxes,
        landmarks=np.stack(list(landmarks)),
        labels=1 - people % 2,
        people=people,
        matched=np.ones(len(people), dtype=bool),
        groups={},
    )


@pytest.fixture
def context(sample: Faces, tmp_path: Path) -> NewContext:
    """Makes a context of all sample faces; arguments replace fields."""
    whole = Context("Male", sample, seed=1, root=tmp_path, authors=None)
    return lambda **fields: replace(whole, **fields)
