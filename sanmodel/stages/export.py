"""Stage 10: the trained model becomes files that run without PyTorch."""

import shutil
from pathlib import Path

import torch
from torch import nn

from sanmodel.export.engines import Engine, choose_builder
from sanmodel.export.graph import Deployed, deployed
from sanmodel.export.manifest import artifact, write_manifest
from sanmodel.export.onnx_file import describe, write_onnx
from sanmodel.export.parity import largest_difference, load_faces, require_parity
from sanmodel.files import atomic_folder, sha256, write_json
from sanmodel.models.autoencoders import load_autoencoder
from sanmodel.observer import SILENT, Metrics, Observer
from sanmodel.paths import Paths
from sanmodel.prototypes import Prototypes
from sanmodel.runtime.manifest import Artifact
from sanmodel.settings import Settings

ONNX, ENGINE, PROTOTYPES = "san.onnx", "san.engine", "prototypes.safetensors"


def run(settings: Settings, paths: Paths, observer: Observer = SILENT) -> Metrics:
    """Write ``paths.export``: ONNX file, engine where one can be built, prototypes, manifest.

    Returns:
        Largest difference between PyTorch and ONNX Runtime (0 to 1), sizes in bytes, and the
        number of engines.

    Raises:
        SanError: If an input is missing, ONNX Runtime computes something else than PyTorch, or
            an installed TensorRT cannot build the graph; an earlier export stays as it was.
    """
    autoencoder, prototypes = _load(settings, paths)
    network = deployed(autoencoder, prototypes)
    faces = load_faces(paths.crops)
    observer.start("export", 3)
    with atomic_folder(paths.export) as folder:
        onnx = folder / ONNX
        _write_onnx(onnx, network, settings, paths)
        observer.advance()
        max_batch = settings.export.max_batch
        difference = largest_difference(onnx, autoencoder, prototypes, faces, max_batch)
        require_parity(difference, settings.export.tolerance, onnx)
        observer.advance()
        engine, gap = _build_engine(onnx, settings)
        if gap:
            observer.note(f"the export has no TensorRT engine: {gap}")
        observer.advance()
        files = _gather(folder, engine, settings, paths)
        write_manifest(folder, settings, network.inputs, files, gap)
    metrics: Metrics = {
        "max_difference": difference,
        "onnx_bytes": (paths.export / ONNX).stat().st_size,
        "engine_bytes": len(engine.content) if engine else 0,
        "engines": int(engine is not None),
    }
    write_json(paths.metrics("export"), metrics)
    return metrics


def _load(settings: Settings, paths: Paths) -> tuple[nn.Module, Prototypes]:
    prototypes = Prototypes.load(paths.prototypes, settings.attribute)
    autoencoder = load_autoencoder(paths.autoencoder, settings.attribute, prototypes.align)
    return autoencoder.eval(), prototypes


def _write_onnx(path: Path, network: Deployed, settings: Settings, paths: Paths) -> None:
    """Write the deployed function with the SHA-256 of the weights that it came from."""
    weights = {
        "autoencoder": sha256(paths.autoencoder),
        "prototypes": sha256(paths.prototypes),
    }
    opset, max_batch = settings.export.opset, settings.export.max_batch
    about = describe(settings.attribute, settings.preprocess, max_batch, weights)
    write_onnx(path, network, opset, max_batch, about)


def _build_engine(onnx: Path, settings: Settings) -> tuple[Engine | None, str | None]:
    """Return the engine, or None and the reason."""
    if settings.export.tensorrt == "off":
        return None, "export.tensorrt is off"
    builder, obstacles = choose_builder()
    if builder is None:
        return None, obstacles
    return builder.build(onnx.read_bytes(), settings.export.max_batch), None


def _gather(
    folder: Path, engine: Engine | None, settings: Settings, paths: Paths
) -> list[Artifact]:
    """Put the files beside the ONNX file into the folder and describe them all."""
    max_batch = settings.export.max_batch
    shutil.copyfile(paths.prototypes, folder / PROTOTYPES)
    made_by = f"torch {torch.__version__}"
    files = [
        artifact(folder / ONNX, "onnx", made_by, (), max_batch),
        artifact(folder / PROTOTYPES, "prototypes", made_by, (), None),
    ]
    if engine is not None:
        path = folder / ENGINE
        path.write_bytes(engine.content)
        files.append(artifact(path, engine.kind, engine.library, engine.gpu_targets, max_batch))
    return files
