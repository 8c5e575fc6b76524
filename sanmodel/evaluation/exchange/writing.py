"""Test images go out: numbered files, and the lists that tell what is to be scored."""

import csv
import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sanmodel.errors import SanError
from sanmodel.evaluation.outputs import Images
from sanmodel.evaluation.pairs import (
    Integers,
    count_impostors,
    genuine_places,
    impostor_places,
)
from sanmodel.files import atomic_folder
from sanmodel.images import encode_png

MANIFEST, PAIRS = "manifest.csv", "pairs.csv"
MANIFEST_COLUMNS = ("file", "image_id", "person", "variant", "sha256")
PAIR_COLUMNS = ("probe", "gallery")

GALLERY = "original"
"""The variant that all probes are matched against, as in :mod:`sanmodel.evaluation.protocol`."""

IMPOSTOR_PAIRS = 100_000
"""Most impostor pairs per variant that a program is asked for: at a false match rate of 0.001 a
hundred of them are false matches."""


def image_file(variant: str, number: int) -> str:
    """Return the name of an image in the folder, by its variant and its place, 0 to N - 1."""
    return f"{variant}/{number:06d}.png"


def export_images(
    folder: Path,
    image_ids: Sequence[str] | NDArray[np.object_],
    people: Integers,
    matched: NDArray[np.bool_],
    variants: Mapping[str, Images],
    seed: int,
) -> None:
    """Write test images and the lists that a program's operator needs, but no label.

    The program stays blind: files are numbered, and neither they nor the lists tell the class.

    Args:
        folder: Is made, or replaced if it holds an earlier export and nothing else.
        image_ids: Names, (N,).
        people: Number of the person that each shows, (N,).
        matched: Which take part in matching, (N,).
        variants: By name, "original" among them, the grey images, (N, 224, 224).
        seed: Of the choice of impostor pairs.

    Raises:
        SanError: If a variant's name is no plain word, the folder holds something else, or the
            disk is full.
    """
    for variant in variants:
        if not variant.isascii() or not variant.isalnum():
            raise SanError(f"{variant!r} cannot name a folder: use letters and digits alone")
    _require_replaceable(folder, variants)
    pairs = choose_pairs(people, matched, seed)
    with atomic_folder(folder) as partial:
        rows = _write_images(partial, image_ids, people, variants)
        _write_csv(partial / MANIFEST, MANIFEST_COLUMNS, rows)
        named = (
            (image_file(v, i), image_file(GALLERY, j)) for v in variants for i, j in pairs.tolist()
        )
        _write_csv(partial / PAIRS, PAIR_COLUMNS, named)


def choose_pairs(
    people: Integers, matched: NDArray[np.bool_], seed: int, impostors: int = IMPOSTOR_PAIRS
) -> Integers:
    """Return all genuine pairs and evenly drawn impostor pairs, mixed, (P, 2).

    Args:
        people: Number of the person that each image shows, (N,).
        matched: Which images take part, (N,).
        seed: Of choice and order.
        impostors: Most impostor pairs.
    """
    rng = np.random.default_rng(seed)
    images = np.flatnonzero(matched)
    shown = people[images]
    total = count_impostors(shown)
    numbers = rng.choice(total, min(total, impostors), replace=False)
    kinds = genuine_places(shown), impostor_places(shown, numbers)
    mixed = rng.permutation(np.concatenate(kinds, axis=1), axis=1)
    pairs: Integers = images[mixed.T]
    return pairs


def _write_images(
    folder: Path,
    image_ids: Sequence[str] | NDArray[np.object_],
    people: Integers,
    variants: Mapping[str, Images],
) -> Iterator[tuple[str, str, int, str, str]]:
    """Write the images one by one and yield the row of each in the manifest."""
    for variant, images in variants.items():
        (folder / variant).mkdir()
        named = zip(image_ids, people.tolist(), images, strict=True)
        for number, (image_id, person, image) in enumerate(named):
            name, content = image_file(variant, number), encode_png(np.asarray(image))
            (folder / name).write_bytes(content)
            yield name, str(image_id), person, variant, hashlib.sha256(content).hexdigest()


def _write_csv(path: Path, columns: Sequence[str], rows: Iterable[tuple[object, ...]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(columns)
        writer.writerows(rows)


def _require_replaceable(folder: Path, variants: Iterable[str]) -> None:
    """Refuse to replace anything but an earlier export, say the scores that belong to it."""
    if folder.is_file():
        raise SanError(f"{folder} is a file: name another folder")
    own = {MANIFEST, PAIRS, *variants}
    held = sorted(path.name for path in folder.iterdir()) if folder.is_dir() else []
    strange = [name for name in held if MANIFEST not in held or name not in own]
    if strange:
        raise SanError(
            f"{folder} holds {strange[0]}, which an export would delete: move it or name another"
            " folder"
        )
