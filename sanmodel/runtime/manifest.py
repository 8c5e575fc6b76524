"""``manifest.json``: what an export folder holds and what its model expects."""

import hashlib
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from sanmodel.errors import SanError
from sanmodel.runtime.perturber import Signature

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
    dtype: Literal["uint8", "float32", "int64"]
    shape: tuple[str | int, ...]
    meaning: str


PrecisionName = Literal["fp32", "fp16", "bf16", "int8"]


class Precision(Part):
    """A type that layers compute in, and what it does to the outputs.

    Attributes:
        name: Of the type.
        accepted: Whether the export has a file for it.
        faces: Number of test faces that it was tried on.
        psnr: Of its outputs against those of fp32, in dB; None of fp32 itself.
        error_change: By how much an independent classifier's attribute error on the
            opposite-class outputs moves at most, as a fraction; None if none reads the attribute.
        match_change: The same of an independent matcher's true match rate; None if it could not be
            measured.
        reason: Why it was not accepted; None if it was.
    """

    name: PrecisionName
    accepted: bool
    faces: int
    psnr: float | None
    error_change: float | None
    match_change: float | None
    reason: str | None


class Artifact(Part):
    """A file of the export folder.

    Attributes:
        name: Name of the file in the folder.
        sha256: Its SHA-256, in hexadecimal.
        kind: "onnx", "classifier" (also ONNX), "autoencoder", "prototypes" or the name of an engine
            builder, such as "tensorrt-rtx".
        precision: Type that its layers compute in; its weights may take less room.
        library: Name and version of the library that made it; an engine runs in no other.
        gpu_targets: Compute capabilities of the GPUs that it is for; empty if it needs none.
        max_batch: Largest batch; None if it takes no batches.
    """

    name: str = Field(pattern=r"^\w[\w.-]*$")
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")
    kind: str
    precision: PrecisionName
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
        precisions: All that were tried.
        files: Every other file of the folder.
        engine_gap: Why there is no engine; None if there is one.
    """

    sanmodel_version: str
    attribute: str
    classes: tuple[str, str]
    crop: Crop
    inputs: tuple[Port, ...]
    outputs: tuple[Port, ...]
    precisions: tuple[Precision, ...]
    files: tuple[Artifact, ...]
    engine_gap: str | None

    def file(self, kind: str, precision: str = "fp32") -> Artifact:
        """Return the file of a kind and precision.

        Raises:
            SanError: If there is none.
        """
        if precision in self.offered(kind):
            return next(f for f in self.files if (f.kind, f.precision) == (kind, precision))
        raise SanError(
            f"{MANIFEST} lists no file of the kind {kind} in {precision}: export the model again"
        )

    def offered(self, kind: str) -> list[str]:
        """Return the precisions of all files of a kind."""
        return [file.precision for file in self.files if file.kind == kind]

    @property
    def signature(self) -> Signature:
        """What the model takes."""
        ports = {port.name: port for port in self.inputs}
        pixels = ports["image"].dtype
        assert pixels != "int64"
        return Signature(
            attribute=self.attribute,
            size=self.crop.size,
            max_batch=self.file("onnx").max_batch or 1,
            aligned="landmarks" in ports,
            pixels=pixels,
        )


def load_manifest(folder: Path) -> Manifest:
    """Read the manifest of an export folder and compare every file with its SHA-256.

    Raises:
        SanError: If the manifest is missing or malformed, or a file is missing or altered.
    """
    manifest = read_manifest(folder)
    for artifact in manifest.files:
        verify(folder, artifact)
    return manifest


def read_manifest(folder: Path) -> Manifest:
    """Read the manifest of an export folder and look at no other file.

    Raises:
        SanError: If it is missing or malformed.
    """
    path = folder / MANIFEST
    try:
        return Manifest.model_validate_json(path.read_bytes())
    except FileNotFoundError as error:
        raise SanError(f"{path} is missing: {folder} is not an export folder") from error
    except ValidationError as error:
        raise SanError(
            f"{path} is malformed ({error.errors()[0]['msg']}): export the model again"
        ) from error


def verify(folder: Path, artifact: Artifact) -> Path:
    """Compare a file of an export folder with its SHA-256.

    Returns:
        Where it lies.

    Raises:
        SanError: If it is missing or altered.
    """
    path = folder / artifact.name
    try:
        with path.open("rb") as stream:
            found = hashlib.file_digest(stream, "sha256").hexdigest()
    except FileNotFoundError as error:
        raise SanError(f"{path} is missing: copy the export folder again") from error
    if found != artifact.sha256:
        raise SanError(
            f"{path} is not the file that {MANIFEST} lists (its SHA-256 differs):"
            " copy the export folder again"
        )
    return path
