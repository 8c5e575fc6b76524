"""How fast an exported model perturbs (``san benchmark inference``).

Every way to run it here is measured in a process of its own, beside the literal PyTorch graph: the
network as figure 2 of the paper draws it (``skip`` as training runs it), eager, in float32, on as
many threads. Rounds over all of them alternate, since other work on the machine comes and goes; a
figure is the median of the rounds. Fresh weights take as long as trained ones.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table

from sanmodel.benchmarks.inference_process import BATCHES, MODEL, faces
from sanmodel.errors import SanError
from sanmodel.export.graph import deployed
from sanmodel.export.manifest import artifact, write_manifest
from sanmodel.export.onnx_file import describe, write_onnx
from sanmodel.export.parity import Faces
from sanmodel.export.precisions import TYPES, onnx_name
from sanmodel.export.quantising import write_int8
from sanmodel.models.autoencoders import AUTOENCODERS, new_autoencoder
from sanmodel.models.weights import save_weights
from sanmodel.observer import SILENT, Observer, observed
from sanmodel.prototypes import Prototypes
from sanmodel.runtime.choice import ways
from sanmodel.runtime.manifest import Precision, PrecisionName, read_manifest
from sanmodel.settings import Settings

ATTRIBUTE = "Male"
LITERAL = "literal"
PRECISIONS: tuple[PrecisionName, ...] = ("fp32", "fp16", "bf16", "int8")
MAX_BATCH = 64


@dataclass(frozen=True)
class Case:
    """One line of the table.

    Attributes:
        model: What is run: the name of an autoencoder, or "model".
        way: How, as ``runtime:precision``, or "literal".
        folder: The export folder.
    """

    model: str
    way: str
    folder: Path


def run_benchmark(
    model: Path | None, rounds: int, threads: int, observer: Observer = SILENT
) -> dict[str, Any]:
    """Measure every way to run models on this machine.

    Args:
        model: An export folder with weights; None makes one of each autoencoder, of fresh weights.
        rounds: How often each is measured.
        threads: CPU threads of each.
        observer: Hears about progress.

    Returns:
        The machine and the ``rows``, see :func:`_row`.

    Raises:
        SanError: If a file of the export is missing, altered or damaged.
    """
    with tempfile.TemporaryDirectory(prefix="san-benchmark-") as name:
        scratch = Path(name)
        folders = {MODEL: model} if model else dict(_fresh(scratch))
        cases = [
            Case(model_name, way, folder)
            for model_name, folder in folders.items()
            for way in (LITERAL, *map(str, ways(read_manifest(folder), None, None)))
        ]
        measured: dict[Case, list[dict[str, Any]]] = {case: [] for case in cases}
        turns = [case for _ in range(rounds) for case in cases]
        for case in observed(turns, "inference", len(turns), observer):
            measured[case].append(_measure(case, threads, scratch))
        rows = [_row(case, measured, scratch) for case in cases]
    machine = f"{_processor()}, {os.cpu_count()} CPUs, {threads} threads, torch {torch.__version__}"
    return {"machine": machine, "rounds": rounds, "rows": rows}


def _fresh(scratch: Path) -> Iterator[tuple[str, Path]]:
    """Yield name and export folder of each autoencoder, with random weights, in all precisions."""
    for name in AUTOENCODERS:
        folder = scratch / name
        folder.mkdir()
        _export(folder, name)
        yield name, folder


def _export(folder: Path, name: str) -> None:
    torch.manual_seed(1)
    prototypes = Prototypes(torch.rand(3, 224, 224), torch.rand(3, 224, 224), 0.4)
    prototypes.save(folder / "prototypes.safetensors", ATTRIBUTE)
    autoencoder = new_autoencoder(name).eval()
    about = {"attribute": ATTRIBUTE, "align": "none", "architecture": name}
    weights = folder / "autoencoder.safetensors"
    save_weights(weights, autoencoder.state_dict(), kind="autoencoder", **about)
    settings = Settings()
    metadata = describe(ATTRIBUTE, settings.preprocess, MAX_BATCH, {})
    network, opset = deployed(autoencoder, prototypes), settings.export.opset
    write_onnx(folder / "san.onnx", network, opset, MAX_BATCH, metadata)
    for precision, kind in TYPES.items():
        path = folder / onnx_name(precision)
        write_onnx(path, network.in_precision(kind), opset, MAX_BATCH, metadata)
    shown, labels = faces(8)
    landmarks = np.zeros((8, 5, 2), np.float32)
    write_int8(folder / "san.onnx", folder / onnx_name("int8"), Faces(shown, labels, landmarks))
    files = [
        artifact(folder / onnx_name(one), "onnx", "fresh", (), MAX_BATCH, one) for one in PRECISIONS
    ]
    files += [
        artifact(weights, "autoencoder", "fresh"),
        artifact(folder / "prototypes.safetensors", "prototypes", "fresh"),
    ]
    tried = [_untried(one) for one in PRECISIONS]
    write_manifest(folder, settings, network.inputs, files, "not measured", tried)


def _untried(name: PrecisionName) -> Precision:
    """Let a precision run that was not judged: fresh weights have no figures."""
    return Precision(
        name=name,
        accepted=True,
        faces=0,
        psnr=None,
        error_change=None,
        match_change=None,
        reason=None,
    )


def _measure(case: Case, threads: int, scratch: Path) -> dict[str, Any]:
    """Run one case in a process of its own."""
    output = scratch / f"{case.model}-{case.way.replace(':', '-')}.npy"
    module = "literal_process" if case.way == LITERAL else "inference_process"
    command = [sys.executable, "-m", f"sanmodel.benchmarks.{module}"]
    command += [str(case.folder), case.way, str(threads), str(output)]
    environment = {**os.environ, "OMP_NUM_THREADS": str(threads)}
    start = time.perf_counter()
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as process:
        assert process.stdout is not None
        process.stdout.readline()  # it writes a line when the first face is done
        started = time.perf_counter() - start
        told = process.stdout.read()
    if process.returncode != 0:
        raise SanError(f"{case.way} failed on {case.folder}: its last words are above")
    return {**json.loads(told), "start": started}


def _row(
    case: Case, measured: Mapping[Case, list[dict[str, Any]]], scratch: Path
) -> dict[str, Any]:
    """Return the figures of one case.

    They are ``start`` in seconds from nothing to the first face, ``memory`` in MiB at the most,
    ``psnr`` in dB against the literal graph, and for each batch ``images_per_second``, how many
    ``times`` those of the literal graph, and the latencies ``p50``, ``p90`` and ``p99`` of a batch
    in milliseconds.
    """
    rounds = measured[case]
    reference = measured[Case(case.model, LITERAL, case.folder)]
    row: dict[str, Any] = {"model": case.model, "way": case.way}
    row["start"] = median(one["start"] for one in rounds)
    row["memory"] = median(one["memory"] for one in rounds)
    row["psnr"] = None if case.way == LITERAL else _psnr(case, scratch)
    for batch in BATCHES:
        seconds = [one["seconds"][str(batch)] for one in rounds]
        literal = [one["seconds"][str(batch)] for one in reference]
        # The ratio of each round: both of a round saw the same machine.
        ratios = [median(b) / median(a) for a, b in zip(seconds, literal, strict=True)]
        p50, p90, p99 = (
            1000 * float(np.percentile(np.concatenate(seconds), share)) for share in (50, 90, 99)
        )
        row[f"batch {batch}"] = {
            "images_per_second": batch / median(median(one) for one in seconds),
            "times": median(ratios),
            "p50": p50,
            "p90": p90,
            "p99": p99,
        }
    return row


def _psnr(case: Case, scratch: Path) -> float:
    """Return the PSNR of a way's outputs against those of the literal graph, at most 100 dB."""
    found, expected = (
        np.load(scratch / f"{case.model}-{way.replace(':', '-')}.npy").astype(np.float64)
        for way in (case.way, LITERAL)
    )
    error: NDArray[np.float64] = np.square(found - expected).mean()
    return min(100.0, 10 * float(np.log10(255**2 / max(float(error), 1e-9))))


def _processor() -> str:
    """Return the processor's name and what matters of its abilities."""
    lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    told = dict(line.split(":", 1) for line in lines if ":" in line)
    values = {key.strip(): value.strip() for key, value in told.items()}
    wanted = ("avx512_bf16", "avx512_vnni", "amx_bf16", "amx_int8")
    abilities = [flag for flag in wanted if flag in values.get("flags", "").split()]
    return " ".join([values.get("model name", "processor"), *abilities])


def show(figures: Mapping[str, Any], console: Console) -> None:
    """Print the figures as tables, one for each size of a batch."""
    console.print(f"{figures['machine']}; medians of {figures['rounds']} rounds")
    for batch in BATCHES:
        table = Table(title=f"batch {batch}")
        for title in ("model", "way", "images/s", "x literal", "p50", "p90", "p99 ms"):
            table.add_column(title, justify="left" if title in ("model", "way") else "right")
        for row in figures["rows"]:
            one = row[f"batch {batch}"]
            numbers = (one[name] for name in ("images_per_second", "times", "p50", "p90", "p99"))
            table.add_row(row["model"], row["way"], *(f"{number:.1f}" for number in numbers))
        console.print(table)
    table = Table(title="start to the first face, memory, likeness to the literal graph")
    for title in ("model", "way", "s", "MiB", "dB"):
        table.add_column(title, justify="left" if title in ("model", "way") else "right")
    for row in figures["rows"]:
        psnr = "" if row["psnr"] is None else f"{row['psnr']:.1f}"
        table.add_row(row["model"], row["way"], f"{row['start']:.2f}", f"{row['memory']:.0f}", psnr)
    console.print(table)
