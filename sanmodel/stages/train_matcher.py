"""Stage 6: the auxiliary face matcher (paper, section 2.2.4), VGG-Face or its stand-in.

It also describes all training crops, once: without random looks the semi-adversarial training
compares its outputs with these descriptors at every step, and to compute them again each time would
cost a third of it. How good the matcher is, whichever it is, the test side tells.
"""

from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from sanmodel.augmentation import Augmentation
from sanmodel.errors import SanError
from sanmodel.evaluation.protocol import verify
from sanmodel.files import sha256
from sanmodel.foreign.reading import require_file
from sanmodel.foreign.vggface import MISSING, load_vggface
from sanmodel.models.descriptor import CosineMargin, DescriptorNetwork
from sanmodel.models.frozen import load_matcher
from sanmodel.models.matcher import Matcher
from sanmodel.models.weights import save_weights
from sanmodel.observer import SILENT, Metrics, Observer, observed
from sanmodel.paths import Paths
from sanmodel.settings import Settings
from sanmodel.stages.training import Training, final_losses, load_side, write_curve
from sanmodel.training.data import Batch, Examples, to_batch

DESCRIBED = 16
"""Crops that are described at a time."""

LOOKS = Augmentation(shift=0.03, scale=0.08, turn=0.1, erase=0.4)
"""What the stand-in learns from: faces upright but for what landmarks may be wrong by."""

TESTED = 2000
"""Least number of crops on the test side, if it has as many, that tell how good the matcher is."""

FALSE_MATCH_RATE = 0.01
"""At which the true match rate is reported."""


def run(settings: Settings, paths: Paths, observer: Observer = SILENT) -> Metrics:
    """Write ``paths.matcher``: VGG-Face if its weights are configured, else a trained stand-in.

    What it says of each training crop goes to ``paths.descriptors``, in the order of the crops.

    Returns:
        ``vgg_face`` (1 or 0); for the stand-in its final loss and the number of people; of the
        first 2,000 crops or so on the test side, whose people the stand-in never saw,
        ``test_tmr_at_1_percent_fmr``: see :func:`true_match_rate`.

    Raises:
        SanError: If VGG-Face's file is missing, damaged or another than its checksum says, or the
            training diverges.
    """
    training = Training("train_matcher", settings, settings.train_matcher, paths)
    if settings.train_matcher.vgg_face is None:
        metrics = _train_stand_in(training, observer)
        observer.note(
            "no VGG-Face weights are configured (train_matcher.vgg_face): a compact network"
            " trained on the training identities stands in"
        )
    else:
        metrics = _convert_vggface(training, observer)
    R_vgg = training.place(load_matcher(paths.matcher))
    train, test = (load_side(settings, paths, split) for split in ("train", "test"))
    everyone = np.arange(len(train))
    known = {"R_X": _describe(R_vgg, train, everyone, training, observer)}
    about = {"crops": train.digest, "matcher": sha256(paths.matcher)}
    save_weights(paths.descriptors, known, kind="descriptors", **about)
    tested = people_of(test.identity, TESTED)
    seen = _describe(R_vgg, test, tested, training, observer)
    metrics["test_tmr_at_1_percent_fmr"] = true_match_rate(seen, test.identity[tested])
    return training.finish(metrics)


def _convert_vggface(training: Training, observer: Observer) -> Metrics:
    """Turn the user's file into safetensors once."""
    chosen, paths = training.settings.train_matcher, training.paths
    source = paths.root / str(chosen.vgg_face)
    found = _verify(source, chosen.vgg_face_sha256)
    network = load_vggface(source)
    architecture = "vgg-face-unit" if chosen.normalise else "vgg-face"
    training.save(paths.matcher, network, kind="matcher", architecture=architecture, source=found)
    write_curve(paths.curve("train_matcher"), [])
    observer.note(f"R_vgg is VGG-Face from {source}, SHA-256 {found}")
    return {"vgg_face": 1, "sha256": found}


def _verify(source: Path, expected: str | None) -> str:
    """Return the file's SHA-256; nothing of another file than the expected one is looked at."""
    require_file(source, MISSING)
    found = sha256(source)
    if expected is not None and found != expected.lower():
        raise SanError(
            f"{source} has SHA-256 {found}, not {expected} as train_matcher.vgg_face_sha256 says:"
            " download it again, or set the key to null if you trust the file"
        )
    return found


def _train_stand_in(training: Training, observer: Observer) -> Metrics:
    examples = load_side(training.settings, training.paths, "train")
    network, head = DescriptorNetwork(), CosineMargin(examples.people)

    def losses(batch: Batch) -> dict[str, Tensor]:
        chips = network.view(batch.X, batch.landmarks, LOOKS)
        return {"cosine_margin": head(network(chips), batch.identity)}

    model = nn.ModuleList([network, head]).train()
    history = training.fit(model, losses, examples, observer, float32=[head])
    architecture = "inner-face-descriptor"
    training.save(training.paths.matcher, network, kind="matcher", architecture=architecture)
    return {"vgg_face": 0, "people": examples.people, **final_losses(history)}


def people_of(identity: NDArray[np.int64], crops: int) -> NDArray[np.int64]:
    """Return the places of all crops of the first people who have so many crops together.

    Args:
        identity: Number of the person on each crop, (N,), from 0 on.
        crops: Least number; fewer are returned only if there are no more.
    """
    together = np.bincount(identity).cumsum()
    return np.flatnonzero(identity <= np.searchsorted(together, crops))


def _describe(
    R_vgg: Matcher,
    examples: Examples,
    rows: NDArray[np.int64],
    training: Training,
    observer: Observer,
) -> Tensor:
    """Return R_vgg(X) of some crops of a side, (N, d)."""
    parts, batches = [], np.array_split(rows, -(-len(rows) // DESCRIBED))
    with torch.inference_mode():
        for some in observed(batches, "descriptors", len(batches), observer):
            batch = to_batch(training.place(examples.take(some)))
            parts.append(R_vgg(R_vgg.view(batch.X, batch.landmarks)).cpu())
    return torch.cat(parts)


def true_match_rate(descriptors: Tensor, people: NDArray[np.int64]) -> float | None:
    """Return the true match rate at a false match rate of 1 % over all pairs of images.

    Args:
        descriptors: R(X) of images, (N, d).
        people: Number of the person each image shows, (N,).

    Returns:
        The rate; None if no person has two images or there are fewer than 100 impostor pairs.
    """
    originals = descriptors.double().numpy()
    return verify(originals, originals, people).true_match_rate(FALSE_MATCH_RATE)
