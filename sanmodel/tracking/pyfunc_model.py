"""The registered model as MLflow runs it: grey faces and classes in, perturbed faces out.

MLflow stores this file with the model ("models from code", so there is no pickle) and runs it
where only MLflow, NumPy and ONNX Runtime are installed: it imports nothing of this package.
"""

import hashlib
import json
from pathlib import Path
from typing import Any

import mlflow
import numpy as np
import onnxruntime
from mlflow.pyfunc.model import PythonModel, PythonModelContext
from numpy.typing import NDArray

MODES = {"same": 0.0, "neutral": 0.5, "opposite": 1.0}
"""Where the prototype of each lies on the way from the class of the face to the other."""
ONNX = ("onnx", "fp32")
"""Kind and precision of the file that is run."""

ERRORS_ONLY = 3
"""ONNX Runtime's log level that leaves its warnings out."""


class SemiAdversarialModel(PythonModel):
    """Perturbs face crops on the CPU; the input and output types are in the model's signature."""

    # MLflow reads annotations of `predict` as a schema and warns if there are none; the signature
    # that the model is stored with says more than they could.
    _skip_type_hint_validation = True

    def load_context(self, context: PythonModelContext) -> None:
        """Open the ONNX file of the export folder.

        Raises:
            ValueError: If a file is missing or is not the one that the manifest lists.
        """
        folder = Path(context.artifacts["export"])
        manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
        contents = {_kind(file): _verified(folder, file) for file in manifest["files"]}
        options = onnxruntime.SessionOptions()
        options.log_severity_level = ERRORS_ONLY
        self._max_batch = next(f["max_batch"] for f in manifest["files"] if _kind(f) == ONNX)
        self._session = onnxruntime.InferenceSession(
            contents[ONNX], options, providers=["CPUExecutionProvider"]
        )

    def predict(self, context, model_input, params=None):  # type: ignore[no-untyped-def]
        """Perturb faces.

        Args:
            context: Not used.
            model_input: ``image``, grey crops (N, 224, 224) uint8; ``attribute``, the class of
                each, (N,) int64, 0 or 1; and if the model's signature has it ``landmarks``, five
                points of each face, (N, 5, 2) float32 in pixels of the crop.
            params: ``mode``, one of "same", "neutral" and "opposite"; the last is the default.

        Returns:
            Perturbed crops, (N, 224, 224) uint8.

        Raises:
            ValueError: If the mode or a class is not known, the inputs differ in length or
                landmarks are no five different points.
        """
        names = [port.name for port in self._session.get_inputs() if port.name != "mode"]
        inputs = {name: model_input[name] for name in names}
        mode = (params or {}).get("mode", "opposite")
        _check(inputs, mode)
        images = inputs["image"]
        perturbed = np.empty_like(images)
        for start in range(0, len(images), self._max_batch):
            part = slice(start, start + self._max_batch)
            batch = {name: values[part] for name, values in inputs.items()}
            perturbed[part] = self._perturb(batch, mode)
        return perturbed

    def _perturb(self, inputs: dict[str, NDArray[Any]], mode: str) -> NDArray[np.uint8]:
        """Perturb one batch, (B, 224, 224)."""
        weights = np.full((len(inputs["image"]), 1), MODES[mode], np.float32)
        (X_perturbed,) = self._session.run(["perturbed"], {**inputs, "mode": weights})
        perturbed: NDArray[np.uint8] = X_perturbed[:, 0]
        return perturbed


def _check(inputs: dict[str, NDArray[Any]], mode: str) -> None:
    """Refuse what the signature cannot; see :meth:`SemiAdversarialModel.predict`."""
    y, count = inputs["attribute"], len(inputs["image"])
    if mode not in MODES:
        raise ValueError(f"there is no mode {mode!r}: choose one of {', '.join(MODES)}")
    if y.shape != (count,) or not np.isin(y, (0, 1)).all():
        raise ValueError("attribute: give 0 or 1 for each image")
    if "landmarks" in inputs and not _are_faces(inputs["landmarks"], count):
        raise ValueError("landmarks: give five different points for each image")


def _are_faces(landmarks: NDArray[np.float32], count: int) -> bool:
    """Tell whether there are landmarks of ``count`` faces, not all of a face at one place."""
    apart = np.ptp(landmarks, axis=1).any(axis=1)
    return len(landmarks) == count and bool(np.isfinite(landmarks).all() and apart.all())


def _kind(file: dict[str, Any]) -> tuple[str, str]:
    return file["kind"], file["precision"]


def _verified(folder: Path, file: dict[str, Any]) -> bytes:
    """Read a file that the manifest lists."""
    path = folder / file["name"]
    content = path.read_bytes() if path.is_file() else b""
    if hashlib.sha256(content).hexdigest() != file["sha256"]:
        raise ValueError(f"{path} is not the file that manifest.json lists: register it again")
    return content


mlflow.models.set_model(SemiAdversarialModel())
