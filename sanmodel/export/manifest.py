"""Making ``manifest.json``; what it says is defined, and read, in :mod:`sanmodel.runtime`."""

from collections.abc import Sequence
from pathlib import Path

from sanmodel import __version__
from sanmodel.files import sha256, write_json
from sanmodel.images import IMAGE_SIZE
from sanmodel.runtime.manifest import (
    MANIFEST,
    Artifact,
    Crop,
    Manifest,
    Port,
    Precision,
    PrecisionName,
)
from sanmodel.runtime.perturber import OUTPUT
from sanmodel.settings import Settings

INPUTS = {
    port.name: port
    for port in (
        Port(
            name="image",
            dtype="uint8",
            shape=("batch", IMAGE_SIZE, IMAGE_SIZE),
            meaning="grey face crop (ITU-R 601 luma), 0 to 255; 0 to 1 if it is float32",
        ),
        Port(
            name="attribute",
            dtype="int64",
            shape=("batch",),
            meaning="class of the face, 0 or 1",
        ),
        Port(
            name="mode",
            dtype="float32",
            shape=("batch", "modes"),
            meaning="where the prototype of each wanted output lies: 0 same class, 0.5 neutral,"
            " 1 opposite class, or anywhere between",
        ),
        Port(
            name="landmarks",
            dtype="float32",
            shape=("batch", 5, 2),
            meaning="x and y of five points of the face in pixels of the crop, from the middle of"
            " its first: outer and inner corner of the eye on the right of the picture, of the eye"
            " on its left, base of the nose (dlib's five-point model on the grey crop)",
        ),
    )
}
"""What a deployed graph may take, by name."""

PERTURBED = Port(
    name=OUTPUT,
    dtype="uint8",
    shape=("batch", "modes", IMAGE_SIZE, IMAGE_SIZE),
    meaning="the face perturbed with the prototype of each mode, of the type of the image",
)
"""What a deployed graph returns."""


def artifact(
    path: Path,
    kind: str,
    library: str,
    gpu_targets: tuple[str, ...] = (),
    max_batch: int | None = None,
    precision: PrecisionName = "fp32",
) -> Artifact:
    """Describe a file that was just written."""
    return Artifact(
        name=path.name,
        sha256=sha256(path),
        kind=kind,
        precision=precision,
        library=library,
        gpu_targets=gpu_targets,
        max_batch=max_batch,
    )


def write_manifest(
    folder: Path,
    settings: Settings,
    inputs: tuple[str, ...],
    artifacts: list[Artifact],
    engine_gap: str | None,
    precisions: Sequence[Precision] = (),
) -> Manifest:
    """Write the manifest of an export folder.

    Args:
        folder: Where the artifacts lie.
        settings: Attribute, crop definition and type of the images.
        inputs: Names of what the graph takes.
        artifacts: Every other file of the folder.
        engine_gap: Why there is no engine; None if there is one.
        precisions: All that were tried.
    """
    preprocess = settings.preprocess
    pixels = {"dtype": settings.export.pixels}
    ports = {**INPUTS, "image": INPUTS["image"].model_copy(update=pixels)}
    manifest = Manifest(
        sanmodel_version=__version__,
        attribute=settings.attribute,
        classes=(f"not {settings.attribute}", settings.attribute),
        crop=Crop(size=IMAGE_SIZE, crop_scale=preprocess.crop_scale, shift_up=preprocess.shift_up),
        inputs=tuple(ports[name] for name in inputs),
        outputs=(PERTURBED.model_copy(update=pixels),),
        precisions=tuple(precisions),
        files=tuple(artifacts),
        engine_gap=engine_gap,
    )
    write_json(folder / MANIFEST, manifest.model_dump(mode="json"))
    return manifest
