"""Scores of programs that cannot run in here: a commercial matcher, a service, another language.

The test images go out as files, and what the program makes of them comes back as a CSV table::

    folder/manifest.csv         file,image_id,person,variant,sha256   for who runs the program
    folder/pairs.csv            probe,gallery                         what a matcher is to compare
    folder/original/000000.png  the grey crops and their outputs, 224x224, lossless
    folder/SM/000000.png ...

An attribute classifier answers with the columns ``file,score``, a matcher with
``probe,gallery,score``, one row for each file or pair of the lists, in any order; further columns
are ignored. A higher score means class 1, or more alike. The lists do not say which class an image
is of, and a program should be shown the pictures alone: image ids, of AR-face say, may tell it.
"""

import csv
import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from math import isfinite, nan
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sanmodel.errors import SanError
from sanmodel.evaluation.protocol import Verification
from sanmodel.files import atomic_folder
from sanmodel.images import decode_rgb, encode_png

MANIFEST, PAIRS = "manifest.csv", "pairs.csv"
MANIFEST_COLUMNS = ("file", "image_id", "person", "variant", "sha256")
PAIR_COLUMNS = ("probe", "gallery")

GALLERY = "original"
"""The variant that all probes are matched against, as in :mod:`sanmodel.evaluation.protocol`."""

IMPOSTOR_PAIRS = 100_000
"""Most impostor pairs per variant that a program is asked for: at a false match rate of 0.001 a
hundred of them are false matches."""

LOOKED_AT = 64
"""Images whose pixels tell whether an export is still that of the model."""

ROUNDING = 2
"""Grey levels by which the outputs of one model may differ between machines."""

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
Images = NDArray[np.uint8]


@dataclass(frozen=True)
class Exchange:
    """Test images that were exported.

    Attributes:
        folder: Where they lie.
        image_ids: Names, (N,).
        people: Number of the person that each shows, (N,).
        variants: Names of the variants.
        pairs: Places of the probe and of the gallery image of each pair, (P, 2), 0 to N - 1; the
            same for every variant of the probes.
    """

    folder: Path
    image_ids: NDArray[np.object_]
    people: Integers
    variants: tuple[str, ...]
    pairs: Integers

    @property
    def genuine(self) -> NDArray[np.bool_]:
        """Which pairs show one person, (P,)."""
        probes, references = self.people[self.pairs.T]
        return np.asarray(probes == references)

    @property
    def files(self) -> list[str]:
        """Names of all images, variant by variant, in the folder."""
        return [_file(variant, i) for variant in self.variants for i in range(len(self.people))]


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
        named = ((_file(v, i), _file(GALLERY, j)) for v in variants for i, j in pairs.tolist())
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
    images = images[np.argsort(people[images], kind="stable")]
    _, first, sizes = np.unique(people[images], return_index=True, return_counts=True)
    genuine = [_genuine(start, size) for start, size in zip(first, sizes, strict=True)]
    mixed = np.concatenate([*genuine, _impostors(first, sizes, impostors, rng)])
    pairs: Integers = images[rng.permutation(mixed)]
    return pairs


def read_exchange(folder: Path) -> Exchange:
    """Read the lists of an export.

    Raises:
        SanError: If one is missing or damaged.
    """
    mend = _export_mend(folder)
    images = [row for _, row in _rows(folder / MANIFEST, MANIFEST_COLUMNS, mend)]
    pairs = [names for _, names in _rows(folder / PAIRS, PAIR_COLUMNS, mend)]
    try:
        return _parsed(folder, images, pairs)
    except (ValueError, LookupError) as error:
        raise SanError(f"{MANIFEST} or {PAIRS} in {folder} was changed: {mend}") from error


def require_current(
    exchange: Exchange, image_ids: NDArray[np.object_], variants: Mapping[str, Images]
) -> None:
    """Check that an export shows what is evaluated, so that no old score is taken for a new one.

    Of ``LOOKED_AT`` images, spread over all, the pixels are compared.

    Args:
        exchange: What was exported.
        image_ids: Names of the test images, (N,).
        variants: By name the grey images, (N, 224, 224).

    Raises:
        SanError: If the images or the model are others by now, or an exported file is missing.
    """
    same = np.array_equal(exchange.image_ids, image_ids) and set(exchange.variants) == set(variants)
    places = np.unique(np.linspace(0, len(image_ids) - 1, LOOKED_AT).astype(np.int64))
    for variant in exchange.variants if same else ():
        for place in places.tolist():
            exported = _exported(exchange.folder, _file(variant, place)).astype(np.int64)
            difference = np.abs(exported - variants[variant][place])
            same = same and int(difference.max()) <= ROUNDING
    if not same:
        raise SanError(
            f"{exchange.folder} shows other images or outputs of another model than are"
            f" evaluated: {_export_mend(exchange.folder)} and have them scored anew"
        )


def read_attribute_scores(path: Path, exchange: Exchange) -> dict[str, Floats]:
    """Read what an attribute classifier made of exported images.

    Args:
        path: CSV table with the columns file and score.
        exchange: The images.

    Returns:
        For each variant the scores, (N,), higher for class 1.

    Raises:
        SanError: If the file is missing or no such table, a score is no number, or an image has
            none, several, or was not exported.
    """
    files = exchange.files
    numbers = {name: number for number, name in enumerate(files)}
    given = _read_scores(path, ("file",), lambda names: numbers.get(names[0]))
    wanted = np.arange(len(files))
    scores = _in_order(path, "image", given, wanted, files.__getitem__)
    return dict(zip(exchange.variants, np.split(scores, len(exchange.variants)), strict=True))


def read_match_scores(path: Path, exchange: Exchange) -> dict[str, Floats]:
    """Read what a matcher made of the pairs of exported images.

    Args:
        path: CSV table with the columns probe, gallery and score.
        exchange: The images.

    Returns:
        For each variant of the probes the scores in the order of ``exchange.pairs``, (P,), higher
        for faces that are more alike.

    Raises:
        SanError: See :func:`read_attribute_scores`; likewise for pairs.
    """
    files, count = exchange.files, len(exchange.people)
    probes = {name: number for number, name in enumerate(files)}
    references = {_file(GALLERY, i): i for i in range(count)}

    def number(names: list[str]) -> int | None:
        probe, reference = probes.get(names[0]), references.get(names[1])
        return None if probe is None or reference is None else probe * count + reference

    given = _read_scores(path, PAIR_COLUMNS, number)
    first = np.arange(len(exchange.variants))[:, None] * count  # of each variant's probes
    wanted = ((first + exchange.pairs[:, 0]) * count + exchange.pairs[:, 1]).ravel()
    scores = _in_order(
        path,
        "pair",
        given,
        wanted,
        lambda pair: f"{files[pair // count]},{_file(GALLERY, pair % count)}",
    )
    return dict(zip(exchange.variants, np.split(scores, len(exchange.variants)), strict=True))


def verify_pairs(genuine: Floats, impostor: Floats) -> Verification:
    """Verify by the scores of pairs; where scores tie, the impostor is taken to win.

    Args:
        genuine: Scores of genuine pairs, higher for faces that are more alike.
        impostor: Scores of impostor pairs, all or a sample.
    """
    lower = np.searchsorted(np.sort(impostor), genuine, side="left")
    return Verification(np.sort(len(impostor) - lower), len(impostor))


def _parsed(folder: Path, images: list[list[str]], pairs: list[list[str]]) -> Exchange:
    """Turn the rows of both lists into what they say; ValueError or LookupError if it is odd."""
    variants = tuple(dict.fromkeys(row[3] for row in images))
    first = [row for row in images if row[3] == variants[0]]
    if not first or [row[0] for row in images] != [
        _file(v, i) for v in variants for i in range(len(first))
    ]:
        raise ValueError("images are missing or in another order")
    numbers = {_file(GALLERY, i): i for i in range(len(first))}
    places = [[numbers[name] for name in names] for names in pairs if names[0] in numbers]
    return Exchange(
        folder=folder,
        image_ids=np.array([row[1] for row in first], dtype=object),
        people=np.array([int(row[2]) for row in first], dtype=np.int64),
        variants=variants,
        pairs=np.array(places, dtype=np.int64).reshape(-1, 2),
    )


@dataclass(frozen=True)
class _Given:
    """Scores of a file, (rows,), and the numbers of what they are of, (rows,)."""

    numbers: Integers
    scores: Floats


def _read_scores(
    path: Path, columns: tuple[str, ...], number: Callable[[list[str]], int | None]
) -> _Given:
    """Read a table of scores; ``number`` is of what a row names, None if that was not exported."""
    numbers, scores, unknown = [], [], []
    for line, (*names, score) in _rows(path, (*columns, "score"), "export it as one"):
        place = number([name.strip().replace("\\", "/") for name in names])
        if place is None:
            unknown.append(",".join(names))
            continue
        numbers.append(place)
        scores.append(_number(path, line, score))
    if unknown:
        raise SanError(
            f"{path} scores what was not exported, in {len(unknown)} of its rows, the first is"
            f" {unknown[0]}: write the names as {MANIFEST} and {PAIRS} have them"
        )
    return _Given(np.array(numbers, dtype=np.int64), np.array(scores, dtype=np.float64))


def _in_order(
    path: Path, what: str, given: _Given, wanted: Integers, name: Callable[[int], str]
) -> Floats:
    """Return the scores of ``wanted`` numbers; each must be given once."""
    numbers, first, times = np.unique(given.numbers, return_index=True, return_counts=True)
    double, missing = numbers[times > 1], wanted[~np.isin(wanted, numbers)]
    strange = numbers[~np.isin(numbers, wanted)]
    for kind, some, mend in (
        ("more than one score", double, "keep one of each"),
        ("no score", missing, "add them, with the lowest score where the program finds no face"),
        ("a score that nobody asked for", strange, f"give those of {PAIRS} alone"),
    ):
        if len(some):
            total = len(wanted if some is missing else numbers)
            raise SanError(
                f"{path}: {len(some)} of {total} {what}s have {kind}, the first is"
                f" {name(int(some[0]))}: {mend}"
            )
    scores: Floats = given.scores[first[np.searchsorted(numbers, wanted)]]
    return scores


def _number(path: Path, line: int, text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = nan
    if not isfinite(value):
        raise SanError(
            f"{path}, line {line}: the score {text!r} is not a number: write one, the lowest of"
            " all where the program finds no face"
        )
    return value


def _rows(path: Path, columns: Sequence[str], mend: str) -> Iterator[tuple[int, list[str]]]:
    """Yield the line number and the named columns of each row of a CSV table."""
    with _explained(path, mend), path.open(encoding="utf-8-sig", newline="") as stream:
        reader = csv.reader(stream)
        header = [name.strip() for name in next(reader, [])]
        _require_columns(path, header, columns, mend)
        places = [header.index(column) for column in columns]
        for row in filter(None, reader):
            if len(row) != len(header):
                raise SanError(
                    f"{path}, line {reader.line_num}, has {len(row)} values for"
                    f" {len(header)} columns: mend it"
                )
            yield reader.line_num, [row[place] for place in places]


def _require_columns(path: Path, header: list[str], columns: Sequence[str], mend: str) -> None:
    if not header:
        raise SanError(f"{path} is empty: {mend}")
    if header[0].startswith("<"):
        raise SanError(f"{path} is a web page and no CSV table: {mend}")
    missing = [column for column in columns if column not in header]
    if missing:
        raise SanError(
            f"{path} lacks the column {', '.join(missing)}: its first line must name"
            f" {', '.join(columns)}, with commas between"
        )


@contextmanager
def _explained(path: Path, mend: str) -> Iterator[None]:
    try:
        yield
    except (FileNotFoundError, IsADirectoryError, NotADirectoryError) as error:
        raise SanError(f"{path} is missing: put it there, or {mend}") from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise SanError(f"{path} is no CSV table in UTF-8 ({error}): {mend}") from error


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
            name, content = _file(variant, number), encode_png(np.asarray(image))
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


def _exported(folder: Path, name: str) -> Images:
    """Read an exported image, (224, 224)."""
    try:
        return decode_rgb((folder / name).read_bytes(), str(folder / name))[..., 0]
    except FileNotFoundError as error:
        raise SanError(f"{folder / name} is missing: {_export_mend(folder)}") from error


def _export_mend(folder: Path) -> str:
    return f"run `san evaluate --export-images {folder}` again"


def _file(variant: str, number: int) -> str:
    return f"{variant}/{number:06d}.png"


def _genuine(start: int, size: int) -> Integers:
    """Return the ordered pairs of the images of one person, the first of which has place start."""
    probe, reference = np.nonzero(~np.eye(size, dtype=bool))
    return np.stack([probe, reference], axis=1) + start


def _impostors(first: Integers, sizes: Integers, most: int, rng: np.random.Generator) -> Integers:
    """Draw ordered pairs of images of different people, each as likely as any other.

    Args:
        first: Place of the first image of each person, (people,); the others follow it.
        sizes: Number of images of each person, (people,).
        most: Number to draw, if there are so many.
        rng: What draws.
    """
    person = np.repeat(np.arange(len(sizes)), sizes)
    # All pairs are numbered, image by image: each has those that are not of its own person.
    rivals = len(person) - sizes[person]
    ends = np.cumsum(rivals)
    total = int(rivals.sum())
    numbers = rng.choice(total, min(total, most), replace=False)
    probe = np.searchsorted(ends, numbers, side="right")
    reference = numbers - (ends - rivals)[probe]
    own = person[probe]
    reference += np.where(reference >= first[own], sizes[own], 0)
    return np.stack([probe, reference], axis=1)
