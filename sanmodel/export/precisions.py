"""The precisions of an export: each is tried on test faces, and kept if it does what fp32 does."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from sanmodel.evaluation.classifiers import AttributeClassifier, fitting_classifiers
from sanmodel.evaluation.faces import Faces
from sanmodel.evaluation.matchers import MATCHERS, Matcher
from sanmodel.evaluation.protocol import THRESHOLD, verify
from sanmodel.export.graph import Deployed
from sanmodel.export.onnx_file import write_onnx
from sanmodel.export.parity import Faces as Crops
from sanmodel.export.parity import slices
from sanmodel.export.quantising import write_int8
from sanmodel.observer import Observer
from sanmodel.runtime.manifest import Precision, PrecisionName
from sanmodel.runtime.perturber import Mode, Perturber, Signature
from sanmodel.runtime.runtimes.onnx_cpu import OnnxPerturber, open_session
from sanmodel.runtime.runtimes.pytorch import TorchPerturber
from sanmodel.settings import Settings

TYPES = {"fp16": torch.float16, "bf16": torch.bfloat16}

LEAST_PSNR: Mapping[PrecisionName, float] = {"fp16": 45.0, "bf16": 45.0, "int8": 38.0}
"""Of the outputs against those of fp32, in dB."""

MOST_CHANGE = 0.005
"""Of the attribute error on opposite-class outputs, and of the true match rate. Of few faces one
alone is more: so much is allowed too."""

AT_A_TIME = 32
"""Faces that are shown to a network at a time."""

HIGHEST_PSNR = 100.0
"""Stands in for that of equal outputs, which is infinite."""

Outputs = Mapping[Mode, NDArray[np.uint8]]


@dataclass(frozen=True)
class Trial:
    """What every precision is tried with.

    Attributes:
        network: The deployed network in float32.
        signature: What the exported model takes.
        faces: Test faces.
        classifiers: Independent ones that read the attribute, by name.
        matchers: Independent ones, by name.
        rate: False match rate of the true match rate.
    """

    network: Deployed
    signature: Signature
    faces: Faces
    classifiers: Mapping[str, AttributeClassifier]
    matchers: Mapping[str, Matcher]
    rate: float


@dataclass(frozen=True)
class Judgement:
    """What independent networks say of outputs: attribute errors and true match rates by name."""

    errors: Mapping[str, float]
    matches: Mapping[str, float | None]


def open_trial(network: Deployed, signature: Signature, faces: Faces, settings: Settings) -> Trial:
    """Make the networks that judge; those of ``evaluate``."""
    matchers = {name: MATCHERS.get(name)() for name in settings.evaluate.matchers}
    classifiers, _ = fitting_classifiers(settings.evaluate.classifiers, settings.attribute)
    rate = settings.evaluate.false_match_rates[0]
    return Trial(network, signature, faces, classifiers, matchers, rate)


def try_precisions(
    trial: Trial, folder: Path, calibration: Crops, settings: Settings, observer: Observer
) -> list[Precision]:
    """Write a file for every precision of the settings beside ``san.onnx``, and judge it.

    Files of those that are not accepted are removed again.

    Args:
        trial: What to try them with.
        folder: With the fp32 file.
        calibration: Training crops.
        settings: All settings.
        observer: Hears about progress.

    Returns:
        fp32, and one entry for each other.
    """
    names = settings.export.precisions
    observer.start("export", 1 + len(names))
    exact = _outputs(_onnx(folder / onnx_name("fp32"), trial), trial.faces)
    before = _judge(trial, exact["opposite"])
    tried = [_fp32(len(trial.faces))]
    observer.advance()
    for name in names:
        path = folder / onnx_name(name)
        perturber = _write(name, path, trial, calibration, settings)
        outputs = _outputs(perturber, trial.faces)
        judged = _judge(trial, outputs["opposite"])
        one = _compared(name, exact, outputs, before, judged)
        if not one.accepted:
            path.unlink()
            observer.note(f"the export has no {name} file: {one.reason}")
        tried.append(one)
        observer.advance()
    return tried


def _fp32(faces: int) -> Precision:
    """Return the entry of the precision that all others are held to."""
    return Precision(
        name="fp32",
        accepted=True,
        faces=faces,
        psnr=None,
        error_change=0.0,
        match_change=0.0,
        reason=None,
    )


def onnx_name(precision: str) -> str:
    """Return the name of the ONNX file of a precision."""
    return "san.onnx" if precision == "fp32" else f"san-{precision}.onnx"


def _write(
    name: PrecisionName, path: Path, trial: Trial, calibration: Crops, settings: Settings
) -> Perturber:
    """Write the file of a precision and return what computes as it does."""
    source = path.with_name(onnx_name("fp32"))
    if name == "int8":
        write_int8(source, path, calibration)
        return _onnx(path, trial)
    # The CPU's ONNX Runtime does not compute in these types, PyTorch does.
    network = trial.network.in_precision(TYPES[name])
    export = settings.export
    write_onnx(path, network, export.opset, export.max_batch, _metadata(source))
    return TorchPerturber(network, trial.signature, "cpu", None)


def _metadata(path: Path) -> dict[str, str]:
    session = open_session(path)
    return dict(session.get_modelmeta().custom_metadata_map)


def _onnx(path: Path, trial: Trial) -> OnnxPerturber:
    return OnnxPerturber(open_session(path), trial.signature)


def _outputs(perturber: Perturber, faces: Faces) -> Outputs:
    return perturber.perturb_all(np.asarray(faces.images), faces.labels, faces.landmarks)


def _judge(trial: Trial, images: NDArray[np.uint8]) -> Judgement:
    """Show opposite-class outputs to independent networks."""
    faces, runs = trial.faces, list(slices(len(trial.faces), AT_A_TIME))
    errors = {}
    for name, classifier in trial.classifiers.items():
        parts = [classifier.scores(images[run], faces.boxes[run]) for run in runs]
        read = np.concatenate(parts) > THRESHOLD
        errors[name] = float((read != faces.labels).mean())
    matches = {
        name: _match_rate(trial, matcher, images, runs) for name, matcher in trial.matchers.items()
    }
    return Judgement(errors, matches)


def _match_rate(
    trial: Trial, matcher: Matcher, images: NDArray[np.uint8], runs: Sequence[slice]
) -> float | None:
    faces = trial.faces
    probes, gallery = (
        np.concatenate([matcher.descriptors(some[run], faces.boxes[run]) for run in runs])
        for some in (images, np.asarray(faces.images))
    )
    return verify(probes, gallery, faces.people).true_match_rate(trial.rate)


def _compared(
    name: PrecisionName, exact: Outputs, outputs: Outputs, before: Judgement, after: Judgement
) -> Precision:
    """Say whether a precision's outputs are near enough to those of fp32."""
    psnr = _psnr(exact, outputs)
    error = _largest_change(before.errors, after.errors)
    match = _largest_change(before.matches, after.matches)
    reasons = []
    if psnr < LEAST_PSNR[name]:
        reasons.append(f"its outputs have {psnr:.1f} dB against fp32, of {LEAST_PSNR[name]:g}")
    count = len(exact["opposite"])
    allowed = max(MOST_CHANGE, 1 / count) + 1e-9
    for what, change in (("attribute error", error), ("true match rate", match)):
        if change is not None and change > allowed:
            reasons.append(f"the {what} moves by {change:.1%}, of {allowed:.1%}")
    return Precision(
        name=name,
        accepted=not reasons,
        faces=count,
        psnr=psnr,
        error_change=error,
        match_change=match,
        reason="; ".join(reasons) or None,
    )


def _psnr(exact: Outputs, outputs: Outputs) -> float:
    """Return the PSNR of the outputs of all modes together, in dB."""
    squares = [np.square(exact[mode].astype(np.float32) - outputs[mode]).mean() for mode in exact]
    error = float(np.mean(squares))
    return min(HIGHEST_PSNR, 10 * float(np.log10(255**2 / error))) if error else HIGHEST_PSNR


def _largest_change(
    before: Mapping[str, float | None], after: Mapping[str, float | None]
) -> float | None:
    """Return the largest change of a figure that both have; None if there is none."""
    changes = [
        abs(new - old)
        for name, old in before.items()
        for new in [after[name]]
        if old is not None and new is not None
    ]
    return max(changes, default=None)
