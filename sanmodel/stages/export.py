"""Stage 10: the trained model becomes files that run without PyTorch."""

import shutil
from pathlib import Path

import numpy as np
import onnxruntime
import torch
from torch import nn

from sanmodel.evaluation.faces import Faces
from sanmodel.evaluation.faces import load_faces as load_side
from sanmodel.export.classifier_file import write_classifier
from sanmodel.export.engines import Engine, choose_builder
from sanmodel.export.graph import Deployed, deployed
from sanmodel.export.manifest import artifact, write_manifest
from sanmodel.export.onnx_file import describe, write_onnx
from sanmodel.export.parity import largest_difference, load_faces, require_parity
from sanmodel.export.precisions import onnx_name, open_trial, try_precisions
from sanmodel.files import atomic_folder, sha256, write_json
from sanmodel.models.autoencoders import load_autoencoder
from sanmodel.models.ensemble import load_classifiers
from sanmodel.observer import SILENT, Metrics, Observer
from sanmodel.paths import Paths
from sanmodel.prototypes import Prototypes
from sanmodel.runtime.manifest import Artifact, Precision
from sanmodel.runtime.perturber import Signature
from sanmodel.settings import Settings

CLASSIFIER, PROTOTYPES, AUTOENCODER = (
    "classifier.onnx",
    "prototypes.safetensors",
    "autoencoder.safetensors",
)
ENGINES = ("fp32", "fp16")
"""Precisions of engines; of bf16 TensorRT builds one where it is asked for (docs/inference.md)."""


def run(settings: Settings, paths: Paths, observer: Observer = SILENT) -> Metrics:
    """Write ``paths.export``: ONNX files, engines where they can be built, weights, manifest.

    Returns:
        Largest difference between PyTorch and ONNX Runtime (0 to 1), sizes in bytes, what became of
        each precision, and the number of engines.

    Raises:
        SanError: If an input is missing, ONNX Runtime computes something else than PyTorch, or
            an installed TensorRT cannot build the graph; an earlier export stays as it was.
    """
    autoencoder, prototypes = _load(settings, paths)
    classifiers = load_classifiers(paths.classifier, settings.attribute)
    network = deployed(autoencoder, prototypes, settings.export.pixels)
    faces = load_faces(paths.crops, "test", settings.attribute)
    with atomic_folder(paths.export) as folder:
        about = _about(settings, paths)
        opset, max_batch = settings.export.opset, settings.export.max_batch
        exact = folder / onnx_name("fp32")
        write_onnx(exact, network, opset, max_batch, about)
        difference = largest_difference(exact, autoencoder, prototypes, faces, max_batch)
        require_parity(difference, settings.export.tolerance, exact)
        write_classifier(folder / CLASSIFIER, classifiers, opset, max_batch, about)
        precisions = _try_precisions(network, folder, settings, paths, observer)
        engines, gap = _build_engines(folder, precisions, settings)
        if gap:
            observer.note(f"the export has no TensorRT engine: {gap}")
        files = _gather(folder, precisions, engines, settings, paths)
        write_manifest(folder, settings, network.inputs, files, gap, precisions)
    metrics = _metrics(difference, precisions, files, paths)
    write_json(paths.metrics("export"), metrics)
    return metrics


def _load(settings: Settings, paths: Paths) -> tuple[nn.Module, Prototypes]:
    prototypes = Prototypes.load(paths.prototypes, settings.attribute)
    autoencoder = load_autoencoder(paths.autoencoder, settings.attribute, prototypes.align)
    return autoencoder.eval(), prototypes


def _about(settings: Settings, paths: Paths) -> dict[str, str]:
    """Return what files say of themselves, with the SHA-256 of the weights they came from."""
    sources = {
        "autoencoder": paths.autoencoder,
        "prototypes": paths.prototypes,
        "classifier": paths.classifier,
    }
    weights = {name: sha256(path) for name, path in sources.items()}
    return describe(settings.attribute, settings.preprocess, settings.export.max_batch, weights)


def _try_precisions(
    network: Deployed, folder: Path, settings: Settings, paths: Paths, observer: Observer
) -> list[Precision]:
    """Write a file for each precision that does what fp32 does."""
    faces = _judged(load_side(paths.crops, "test", settings.attribute, paths.decoded), settings)
    export, aligned = settings.export, "landmarks" in network.inputs
    size = faces.images.shape[1]
    signature = Signature(settings.attribute, size, export.max_batch, aligned, export.pixels)
    calibration = load_faces(
        paths.crops, "train", settings.attribute, settings.export.calibration_faces
    )
    trial = open_trial(network, signature, faces, settings)
    return try_precisions(trial, folder, calibration, settings, observer)


def _judged(faces: Faces, settings: Settings) -> Faces:
    """Return the faces that precisions are tried on, all those of some people."""
    if len(faces) <= settings.export.judged_faces:
        return faces
    some = faces.of_people(settings.export.judged_faces, settings.seed)
    return some.take(np.arange(min(len(some), settings.export.judged_faces)))


def _build_engines(
    folder: Path, precisions: list[Precision], settings: Settings
) -> tuple[dict[str, Engine], str | None]:
    """Return the engines by precision, and why there are none."""
    if settings.export.tensorrt == "off":
        return {}, "export.tensorrt is off"
    builder, obstacles = choose_builder()
    if builder is None:
        return {}, obstacles
    accepted = [one.name for one in precisions if one.accepted and one.name in ENGINES]
    engines: dict[str, Engine] = {}
    for name in accepted:
        onnx = (folder / onnx_name(name)).read_bytes()
        engines[name] = builder.build(onnx, settings.export.max_batch)
    return engines, None


def _gather(
    folder: Path,
    precisions: list[Precision],
    engines: dict[str, Engine],
    settings: Settings,
    paths: Paths,
) -> list[Artifact]:
    """Put the other files into the folder and describe all."""
    max_batch = settings.export.max_batch
    shutil.copyfile(paths.prototypes, folder / PROTOTYPES)
    shutil.copyfile(paths.autoencoder, folder / AUTOENCODER)
    torch_version = f"torch {torch.__version__}"
    files = []
    for one in precisions:
        if one.accepted:
            path = folder / onnx_name(one.name)
            quantiser = f"onnxruntime {onnxruntime.__version__}"
            library = quantiser if one.name == "int8" else torch_version
            files.append(artifact(path, "onnx", library, (), max_batch, one.name))
    files += [
        artifact(folder / CLASSIFIER, "classifier", torch_version, (), max_batch),
        artifact(folder / PROTOTYPES, "prototypes", torch_version),
        artifact(folder / AUTOENCODER, "autoencoder", torch_version),
    ]
    for one in precisions:
        if engine := engines.get(one.name):
            path = (folder / onnx_name(one.name)).with_suffix(".engine")
            path.write_bytes(engine.content)
            made_by, targets = engine.library, engine.gpu_targets
            files.append(artifact(path, engine.kind, made_by, targets, max_batch, one.name))
    return files


def _metrics(
    difference: float, precisions: list[Precision], files: list[Artifact], paths: Paths
) -> Metrics:
    kinds = [file.kind for file in files]
    engines = [file for file in files if file.name.endswith(".engine")]
    metrics: Metrics = {
        "max_difference": difference,
        "onnx_bytes": (paths.export / onnx_name("fp32")).stat().st_size,
        "engine_bytes": sum((paths.export / file.name).stat().st_size for file in engines),
        "engines": len(engines),
        "onnx_files": kinds.count("onnx"),
    }
    for one in precisions:
        if one.psnr is not None:
            metrics[f"psnr_{one.name}"] = one.psnr
    return metrics
