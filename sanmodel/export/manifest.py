"""Making ``manifest.json``; what it says is defined, and read, in :mod:`sanmodel.runtime`."""

from pathlib import Path

from sanmodel import __version__
from sanmodel.files import sha256, write_json
from sanmodel.images import IMAGE_SIZE
from sanmodel.runtime.manifest import MANIFEST, Artifact, Crop, Manifest, Port
from sanmodel.runtime.perturber import MODES
from sanmodel.settings import Settings

IMAGE_SHAPE: tuple[str | int, ...] = ("batch", 1, IMAGE_SIZE, IMAGE_SIZE)
INPUTS = {
    port.name: port
    for port in (
        Port(
            name="image",
            dtype="float32",
            shape=IMAGE_SHAPE,
            meaning="grey face crop (ITU-R 601 luma), 0 to 1",
        ),
        Port(
            name="attribute",
            dtype="int64",
            shape=("batch",),
            meaning="class of the face, 0 or 1",
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

OUTPUT_MEANINGS = {
    "same": "face perturbed with the prototype of its own class, 0 to 1",
    "neutral": "face perturbed with the neutral prototype, 0 to 1",
    "opposite": "face perturbed with the prototype of the other class, 0 to 1",
}


def artifact(
    path: Path, kind: str, library: str, gpu_targets: tuple[str, ...], max_batch: int | None
) -> Artifact:
    """Describe a file that was just written."""
    return Artifact(
        name=path.name,
        sha256=sha256(path),
        kind=kind,
        precision="fp32",
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
) -> Manifest:
    """Write the manifest of an export folder.

    Args:
        folder: Where the artifacts lie.
        settings: Attribute and crop definition.
        inputs: Names of what the graph takes.
        artifacts: Every other file of the folder.
        engine_gap: Why there is no engine; None if there is one.
    """
    preprocess = settings.preprocess
    manifest = Manifest(
        sanmodel_version=__version__,
        attribute=settings.attribute,
        classes=(f"not {settings.attribute}", settings.attribute),
        crop=Crop(size=IMAGE_SIZE, crop_scale=preprocess.crop_scale, shift_up=preprocess.shift_up),
        inputs=tuple(INPUTS[name] for name in inputs),
        outputs=tuple(
            Port(name=mode, dtype="float32", shape=IMAGE_SHAPE, meaning=OUTPUT_MEANINGS[mode])
            for mode in MODES
        ),
        files=tuple(artifacts),
        engine_gap=engine_gap,
    )
    write_json(folder / MANIFEST, manifest.model_dump(mode="json"))
    return manifest
