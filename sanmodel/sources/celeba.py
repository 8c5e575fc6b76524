"""CelebA in its own layout (Liu, Luo, Wang, Tang, "Deep learning face attributes in the wild").

The folder holds ``Img/img_celeba`` (in the wild) or ``Img/img_align_celeba``, the annotations
``Anno/list_attr_celeba.txt`` and ``Anno/identity_CelebA.txt``, and perhaps
``Eval/list_eval_partition.txt``.
"""

from pathlib import Path

import pandas as pd

from sanmodel.errors import SanError
from sanmodel.sources import SOURCES

IMAGE_FOLDERS = ("Img/img_celeba", "Img/img_align_celeba")
ATTRIBUTES = "Anno/list_attr_celeba.txt"
IDENTITIES = "Anno/identity_CelebA.txt"
PARTITIONS = "Eval/list_eval_partition.txt"


@SOURCES.register("celeba")
def list_celeba(folder: Path) -> pd.DataFrame:
    """List CelebA's images with identity, partition and all attributes.

    Raises:
        SanError: If a file is missing or malformed, or an image has no identity.
    """
    images = _image_folder(folder)
    labels = _read_attributes(folder / ATTRIBUTES)
    identities = _read_pairs(folder / IDENTITIES, "identity")
    unknown = labels.index.difference(identities.index)
    if len(unknown):
        raise SanError(f"{folder / IDENTITIES} has no identity for {unknown[0]}: complete the file")
    partitions = folder / PARTITIONS
    partition = _read_partitions(partitions) if partitions.exists() else pd.Series(dtype=object)
    fixed = pd.DataFrame(
        {
            "image_id": [Path(name).stem for name in labels.index],
            "identity": identities.reindex(labels.index),
            "source_path": [f"{images}/{name}" for name in labels.index],
            "partition": partition.reindex(labels.index),
        },
        index=labels.index,
    )
    return fixed.join(labels).reset_index(drop=True)


def _image_folder(folder: Path) -> str:
    """Return which of the two image folders is there."""
    for name in IMAGE_FOLDERS:
        if (folder / name).is_dir():
            return name
    raise SanError(
        f"{folder} is not CelebA's layout: it needs the folder {' or '.join(IMAGE_FOLDERS)};"
        " set fetch.folder to where it lies"
    )


def _read_attributes(path: Path) -> pd.DataFrame:
    """Read the count, the names, then one row of -1 / 1 per image."""
    lines = _lines(path)
    try:
        count, names = int(lines[0]), lines[1].split()
        rows = [line.split() for line in lines[2:]]
        table = pd.DataFrame([row[1:] for row in rows], [row[0] for row in rows], names)
        labels = table.astype("int64")
    except (IndexError, ValueError) as error:
        raise SanError(
            f"{path} is not CelebA's attribute list (a count, a line of names, rows of labels):"
            f" {error}"
        ) from error
    if count != len(labels):
        raise SanError(f"{path} announces {count} images and lists {len(labels)}: fetch it again")
    return labels


def _read_partitions(path: Path) -> "pd.Series[int]":
    """Read 0 (training), 1 (validation) or 2 (test) for each image."""
    partitions = _read_pairs(path, "partition")
    wrong = partitions[~partitions.isin(["0", "1", "2"])]
    if len(wrong):
        raise SanError(f"{path}: {wrong.index[0]} has partition {wrong.iloc[0]!r}, not 0, 1 or 2")
    return partitions.astype("int64")


def _read_pairs(path: Path, name: str) -> "pd.Series[str]":
    """Read lines of an image name and one value."""
    pairs = [line.split() for line in _lines(path)]
    wrong = [number for number, pair in enumerate(pairs, start=1) if len(pair) != 2]
    if wrong:
        raise SanError(f"{path}, line {wrong[0]}: expected an image name and its {name}")
    return pd.Series([value for _, value in pairs], [image for image, _ in pairs], name=name)


def _lines(path: Path) -> list[str]:
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError as error:
        raise SanError(f"{path} is missing: place CelebA's annotation there") from error
    except UnicodeDecodeError as error:
        raise SanError(f"{path} is not a text file: fetch it again") from error
    return [line for line in text.splitlines() if line.strip()]
