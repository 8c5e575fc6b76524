"""A deformable part model: a face is a root and parts that may move.

Felzenszwalb, Girshick, McAllester, Ramanan, "Object detection with discriminatively trained
part-based models", PAMI 2010. ``hog`` and ``pyramid`` are its section 6 and 3.1, ``model`` and
``matching`` its section 3, ``detect`` its section 7, ``learning`` its sections 4 and 5.
"""

from pathlib import Path

FACE_MODEL = Path(__file__).with_name("face.safetensors")
"""The face model that comes with the project; ``face.md`` beside it says what it was trained on."""
