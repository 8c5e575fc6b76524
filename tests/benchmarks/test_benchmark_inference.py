from pathlib import Path

import pytest
import torch
from rich.console import Console
from small_models import exported_model

from sanmodel.benchmarks.inference import run_benchmark, show
from sanmodel.export.manifest import artifact
from sanmodel.files import write_json
from sanmodel.models.autoencoders import new_autoencoder
from sanmodel.models.weights import save_weights
from sanmodel.prototypes import Prototypes
from sanmodel.runtime.choice import ways
from sanmodel.runtime.manifest import read_manifest


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An export with weights, as a stage leaves it."""
    torch.manual_seed(1)
    network = new_autoencoder("skip")
    prototypes = Prototypes(torch.rand(3, 224, 224), torch.rand(3, 224, 224), 0.3)
    made = exported_model(tmp_path_factory.mktemp("model") / "export", network, prototypes)
    about = {"attribute": "Male", "align": "none", "architecture": "skip"}
    weights = made / "autoencoder.safetensors"
    save_weights(weights, network.state_dict(), kind="autoencoder", **about)
    prototypes.save(made / "prototypes.safetensors", "Male")
    manifest = read_manifest(made)
    more = (
        artifact(weights, "autoencoder", "torch"),
        artifact(made / "prototypes.safetensors", "prototypes", "torch"),
    )
    changed = manifest.model_copy(update={"files": (*manifest.files, *more)})
    write_json(made / "manifest.json", changed.model_dump(mode="json"))
    return made


def test_every_way_is_measured_beside_the_literal_graph(folder: Path) -> None:
    figures = run_benchmark(folder, rounds=1, threads=1)
    rows = {row["way"]: row for row in figures["rows"]}
    assert list(rows) == ["literal", *map(str, ways(read_manifest(folder), None, None))]
    literal = rows.pop("literal")
    assert (literal["batch 1"]["times"], literal["batch 16"]["times"], literal["psnr"]) == (
        1,
        1,
        None,
    )
    assert "onnxruntime:fp32" in rows
    assert "pytorch:fp32" in rows
    for row in rows.values():
        assert row["psnr"] > 70  # one grey level here and there
        assert 20 < row["memory"] < 3000
        assert 0.05 < row["start"] < 60
        for batch in ("batch 1", "batch 16"):
            assert row[batch]["images_per_second"] > 1
            assert 0.1 < row[batch]["times"] < 100
            assert row[batch]["p50"] <= row[batch]["p90"] <= row[batch]["p99"]
    # PyTorch's own memory is not counted with the others.
    assert rows["onnxruntime:fp32"]["memory"] < 0.8 * rows["pytorch:fp32"]["memory"]
    console = Console(record=True, width=120)
    show(figures, console)
    shown = console.export_text()
    assert "batch 16" in shown
    assert "onnxruntime:fp32" in shown
