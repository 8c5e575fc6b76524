"""Making ``manifest.json``; what it says is defined, and read, in :mod:`sanmodel.runtime`."""

from pathlib import Path
from typing import Literal

from sanmodel import __version__
from sanmodel.files import sha256, write_json
from sanmodel.images import IMAGE_SIZE
from sanmodel.runtime.manifest import MANIFEST, Artifact, Crop, Manifest, Port
from sanmodel.runtime.perturber import MODES
from sanmodel.settings import Settings

IMAGE_SHAPE: tuple[str | int, ...] = ("batch", 1, IMAGE_SIZE, IMAGE_SIZE)
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
    folder: Path, settings: Settings, artifacts: list[Artifact], engine_gap: str | None
) -> Manifest:
    """Write the manifest of an export folder.

    Args:
        folder: Where the artifacts lie.
        settings: Attribute and crop definition.
        artifacts: Every other file of the folder.
        engine_gap: Why there is no engine; None if there is one.
    """
    preprocess = settings.preprocess
    manifest = Manifest(
        sanmodel_version=__version__,
        attribute=settings.attribute,
        classes=(f"not {settings.attribute}", settings.attribute),
        crop=Crop(size=IMAGE_SIZE, crop_scale=preprocess.crop_scale, shift_up=preprocess.shift_up),
        inputs=(
            _port("image", "float32", IMAGE_SHAPE, "grey face crop (ITU-R 601 luma), 0 to 1"),
            _port("attribute", "int64", ("batch",), "class of the face, 0 or 1"),
        ),
        outputs=tuple(_port(mode, "float32", IMAGE_SHAPE, OUTPUT_MEANINGS[mode]) for mode in MODES),
        files=tuple(artifacts),
        engine_gap=engine_gap,
    )
    write_json(folder / MANIFEST, manifest.model_dump(mode="json"))
    return manifest


def _port(
    name: str, dtype: Literal["float32", "int64"], shape: tuple[str | int, ...], meaning: str
) -> Port:
    return Port(name=name, dtype=dtype, shape=shape, meaning=meaning)
