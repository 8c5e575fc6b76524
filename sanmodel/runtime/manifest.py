"""``manifest.json``: what an export folder holds and what its model expects."""

import hashlib
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from sanmodel.errors import SanError

MANIFEST = "manifest.json"


class Part(BaseModel):
    """Base of the manifest's parts: frozen and closed to unknown keys."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Crop(Part):
    """How a face is cut out of a photo before the model sees it.

    Attributes:
        size: Side of the crop in pixels.
        crop_scale: Side of the crop in widths of the detector's face box.
        shift_up: How far the crop's centre lies above the box's, in heights of the box.
    """

    size: int
    crop_scale: float
    shift_up: float

    @property
    def face(self) -> tuple[float, float, float, float]:
        """Left, top, right and bottom of the detector's face box, in pixels of the crop."""
        half, middle = self.size / self.crop_scale / 2, self.size / 2
        centre = middle + 2 * half * self.shift_up
        return middle - half, centre - half, middle + half, centre + half


class Port(Part):
    """An input or output of the model.

    Attributes:
        name: Name in the graph.
        dtype: Type of its values.
        shape: Its sides; "batch" is any number from 1 to the file's largest batch.
        meaning: What it holds.
    """

    name: str
    dtype: Literal["float32", "int64"]
    shape: tuple[str | int, ...]
    meaning: str


class Artifact(Part):
    """A file of the export folder.

    Attributes:
        name: Name of the file in the folder.
        sha256: Its SHA-256, in hexadecimal.
        kind: "onnx", "prototypes" or the name of an engine builder, such as "tensorrt-rtx".
        precision: Type that it computes in; its weights may take less room.
        library: Name and version of the library that made it; an engine runs in no other.
        gpu_targets: Compute capabilities of the GPUs that it is for; empty if it needs none.
        max_batch: Largest batch; None if it takes no batches.
    """

    name: str = Field(pattern=r"^\w[\w.-]*$")
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")
    kind: str
    precision: Literal["fp32"]
    library: str
    gpu_targets: tuple[str, ...]
    max_batch: int | None


class Manifest(Part):
    """All of ``manifest.json``.

    Attributes:
        sanmodel_version: Version of the package that made the export.
        attribute: Name of the protected attribute.
        classes: Names of the classes 0 and 1.
        crop: What the model takes for a face crop.
        inputs: Inputs of the ONNX graph and the engine.
        outputs: Outputs of both.
        files: Every other file of the folder.
        engine_gap: Why there is no engine; None if there is one.
    """

    sanmodel_version: str
    attribute: str
    classes: tuple[str, str]
    crop: Crop
    inputs: tuple[Port, ...]
    outputs: tuple[Port, ...]
    files: tuple[Artifact, ...]
    engine_gap: str | None

    def file(self, kind: str) -> Artifact:
        """Return the file of a kind.

        Raises:
            SanError: If there is none.
        """
        for artifact in self.files:
            if artifact.kind == kind:
                return artifact
        raise SanError(f"{MANIFEST} lists no file of the kind {kind}: export the model again")


def load_manifest(folder: Path) -> Manifest:
    """Read the manifest of an export folder and compare every file with its SHA-256.

    Raises:
        SanError: If the manifest is missing or malformed, or a file is missing or altered.
    """
    path = folder / MANIFEST
    try:
        manifest = Manifest.model_validate_json(path.read_bytes())
    except FileNotFoundError as error:
        raise SanError(f"{path} is missing: {folder} is not an export folder") from error
    except ValidationError as error:
        raise SanError(
            f"{path} is malformed ({error.errors()[0]['msg']}): export the model again"
        ) from error
    for artifact in manifest.files:
        _verify(folder / artifact.name, artifact.sha256)
    return manifest


def _verify(path: Path, expected: str) -> None:
    """Check that a file is there and has the expected SHA-256."""
    try:
        with path.open("rb") as stream:
            found = hashlib.file_digest(stream, "sha256").hexdigest()
    except FileNotFoundError as error:
        raise SanError(f"{path} is missing: copy the export folder again") from error
    if found != expected:
        raise SanError(
            f"{path} is not the file that {MANIFEST} lists (its SHA-256 differs):"
            " copy the export folder again"
        )
