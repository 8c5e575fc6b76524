"""Models as the pipeline leaves them on disk."""

from pathlib import Path

from torch import nn

from sanmodel.export.graph import deployed
from sanmodel.export.manifest import artifact, write_manifest
from sanmodel.export.onnx_file import describe, write_onnx
from sanmodel.models.weights import save_weights
from sanmodel.perturber import ModelFiles
from sanmodel.prototypes import Prototypes
from sanmodel.settings import PreprocessSettings, Settings

MAX_BATCH = 4


def saved_model(
    folder: Path, network: nn.Module, prototypes: Prototypes, attribute: str = "Male", **about: str
) -> ModelFiles:
    """Write a model; ``about`` tells ``architecture`` and ``align``."""
    files = ModelFiles.trained(folder)
    kind = {"kind": "autoencoder", "attribute": attribute}
    save_weights(files.autoencoder, network.state_dict(), **kind, **about)
    prototypes.save(files.prototypes, attribute)
    return files


def exported_model(
    folder: Path,
    network: nn.Module,
    prototypes: Prototypes,
    attribute: str = "Male",
    preprocess: PreprocessSettings = PreprocessSettings(),  # noqa: B008, it is frozen
) -> Path:
    """Write an export folder, without the check of the stage ``export`` and without an engine."""
    graph, path = deployed(network.eval(), prototypes), folder / "san.onnx"
    folder.mkdir(parents=True)
    write_onnx(path, graph, 22, MAX_BATCH, describe(attribute, preprocess, MAX_BATCH, {}))
    settings = Settings(attribute=attribute, preprocess=preprocess)
    files = [artifact(path, "onnx", "torch", (), MAX_BATCH)]
    write_manifest(folder, settings, graph.inputs, files, "not asked for")
    return folder
