"""DeepFace's network of gender, as an ONNX graph (``pip install "sanmodel[deepface]"``).

Serengil and Ozpinar: HyperExtended LightFace. ICEET 2021. Neither TensorFlow nor Keras is needed.
The weights lie in ``.deepface/weights`` in the home folder, or in that of the environment variable
``DEEPFACE_HOME``.
"""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sanmodel.evaluation.classifiers import CLASSIFIERS
from sanmodel.evaluation.optional import load_package, release_of, weights_explained
from sanmodel.evaluation.warped_chips import eye_angles, square_chips
from sanmodel.images import grey_to_rgb

SIZE, MARGIN = 224, 1.0
"""Side in pixels of what the network sees, and in longer sides of the face box."""

WEIGHTS = "gender_model_weights.onnx"


@CLASSIFIERS.register("deepface")
class DeepfaceClassifier:
    """Tells men from women; the face box is levelled by the eyes, as the package does."""

    attribute = "Male"

    def __init__(self) -> None:
        gender = load_package("deepface.models.demography.onnx.Gender", "deepface")
        folders = load_package("deepface.commons.folder_utils", "deepface")
        path = Path(folders.get_deepface_home()) / ".deepface" / "weights" / WEIGHTS
        with weights_explained(path, gender.WEIGHTS_URL[0]):
            folders.initialize_folder()
            self._network = gender.GenderClient()
        self.version = release_of("deepface", path)
        self._male = gender.labels.index("Man")

    def scores(self, images: NDArray[np.uint8], boxes: NDArray[np.float64]) -> NDArray[np.float64]:
        """See :meth:`sanmodel.evaluation.classifiers.AttributeClassifier.scores`."""
        chips = square_chips(images, boxes, SIZE, MARGIN, eye_angles(images, boxes))
        # Grey in three channels: RGB and BGR are the same.
        values = grey_to_rgb(chips).astype(np.float32) / np.float32(255)
        probabilities = np.atleast_2d(self._network.predict(values))
        return np.asarray(probabilities[:, self._male], dtype=np.float64)
