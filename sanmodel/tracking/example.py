"""Hides the attribute in face crops: python example.py face.png hidden.png 1.

The last argument is the face's class: 1 if it has the attribute, 0 if not. A crop is grey, of
224x224 pixels, cut as manifest.json says; `san perturb PHOTO --model FOLDER` takes any photo.
"""

import sys
from pathlib import Path

import numpy as np
from PIL import Image

from sanmodel.detection.landmarks import find_landmarks
from sanmodel.runtime import load, load_manifest

FOLDER = Path(__file__).parent


def main(face: str, hidden: str, label: int) -> None:
    """Perturb one face; every file of the folder is compared with its checksum first."""
    model, box = load(FOLDER), load_manifest(FOLDER).crop.face
    crop = np.asarray(Image.open(face).convert("L"))
    landmarks = find_landmarks(crop, box)[None] if model.aligned else None
    perturbed = model.perturb(crop[None], [label], "opposite", landmarks)
    Image.fromarray(perturbed[0]).save(hidden)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
