"""InsightFace's network of gender and age (``pip install "sanmodel[insightface]"``).

The package's own interface tells the likelier gender only; a ROC curve needs the scores.
"""

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from sanmodel.evaluation.classifiers import CLASSIFIERS
from sanmodel.evaluation.insightface_models import open_network
from sanmodel.evaluation.warped_chips import square_chips
from sanmodel.images import grey_to_rgb

MARGIN = 1.5
"""Side of what the network sees in longer sides of the face box, as the package has it."""

FEMALE, MALE = 0, 1
"""Places of the genders among the network's outputs; the third is the age."""


@CLASSIFIERS.register("insightface")
class InsightfaceClassifier:
    """Tells men from women; see :mod:`sanmodel.evaluation.insightface_models` for its files."""

    attribute = "Male"

    def __init__(self) -> None:
        self._network, self.version = open_network("genderage.onnx")

    def scores(self, images: NDArray[np.uint8], boxes: NDArray[np.float64]) -> NDArray[np.float64]:
        """See :meth:`sanmodel.evaluation.classifiers.AttributeClassifier.scores`."""
        chips = square_chips(images, boxes, self._network.input_size[0], MARGIN)
        outputs = np.stack([self._outputs(chip) for chip in chips]).astype(np.float64)
        scores: NDArray[np.float64] = expit(outputs[:, MALE] - outputs[:, FEMALE])
        return scores

    def _outputs(self, chip: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Return what the network says of one chip, (3,); it declares batches of one only."""
        network = self._network
        # Grey in three channels: RGB and BGR are the same.
        values = (grey_to_rgb(chip).astype(np.float32) - network.input_mean) / network.input_std
        inputs = np.ascontiguousarray(values.transpose(2, 0, 1)[None], dtype=np.float32)
        ((outputs,),) = network.session.run(network.output_names, {network.input_name: inputs})
        return np.asarray(outputs, dtype=np.float32)
