"""CelebA in its own layout."""

from itertools import islice
from pathlib import Path

import pandas as pd

from sanmodel.errors import SanError
from sanmodel.sources import SOURCES, Archive, Source, SourceFile
from sanmodel.sources.checks import BOX

IMAGES = 202_599

WILD, ALIGNED = "Img/img_celeba", "Img/img_align_celeba"
ATTRIBUTES = "Anno/list_attr_celeba.txt"
IDENTITIES = "Anno/identity_CelebA.txt"
BOXES = "Anno/list_bbox_celeba.txt"
ALIGNED_LANDMARKS = "Anno/list_landmarks_align_celeba.txt"
PARTITIONS = "Eval/list_eval_partition.txt"


def list_celeba(folder: Path) -> pd.DataFrame:
    """List CelebA's images with identity, all attributes, and partition and box where there.

    The box is CelebA's own for images in the wild (``Anno/list_bbox_celeba.txt``), else the square
    around the five landmarks (``Anno/list_landmarks_align_celeba.txt``).

    Raises:
        SanError: If a file is missing or malformed, or an image has no identity.
    """
    images = _image_folder(folder)
    labels = _read_table(folder / ATTRIBUTES)
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
    boxes = _boxes(folder, images).reindex(labels.index)
    return fixed.join(boxes).join(labels).reset_index(drop=True)


def _image_folder(folder: Path) -> str:
    """Return which of the two image folders is there."""
    for name in (WILD, ALIGNED):
        if (folder / name).is_dir():
            return name
    raise SanError(
        f"{folder} is not CelebA's layout: it needs the folder {WILD} or {ALIGNED}; run"
        " `san download celeba`, or set fetch.folder to where it lies"
    )


def _boxes(folder: Path, images: str) -> pd.DataFrame:
    """Return the face box of each image, or an empty table."""
    if images == WILD and (folder / BOXES).exists():
        left, top, width, height = _columns(_read_table(folder / BOXES), 4, folder / BOXES)
        boxes = pd.concat([left, top, left + width, top + height], axis=1, keys=BOX)
        return boxes[(width > 0) & (height > 0)].astype("float64")  # a few boxes are all zeros
    if images == ALIGNED and (folder / ALIGNED_LANDMARKS).exists():
        path = folder / ALIGNED_LANDMARKS
        return _around_landmarks(_columns(_read_table(path), 10, path))
    return pd.DataFrame(columns=list(BOX), dtype="float64")


def _around_landmarks(points: "list[pd.Series[int]]") -> pd.DataFrame:
    """Return the square around eyes, nose and mouth that a face detector's box covers.

    Its centre is the mean of the five points; its side is 2.4 times the larger of the distances
    between the eyes and from eyes to mouth (about 100 pixels in the aligned images).
    """
    xs, ys = points[0::2], points[1::2]
    x = pd.concat(xs, axis=1).mean(axis=1)
    y = pd.concat(ys, axis=1).mean(axis=1)
    between_eyes = (xs[0] - xs[1]).abs()
    eyes_to_mouth = ((ys[3] + ys[4]) / 2 - (ys[0] + ys[1]) / 2).abs()
    half = 1.2 * pd.concat([between_eyes, eyes_to_mouth], axis=1).max(axis=1)
    return pd.concat([x - half, y - half, x + half, y + half], axis=1, keys=BOX)


def _columns(table: pd.DataFrame, count: int, path: Path) -> "list[pd.Series[int]]":
    """Split a table whose columns have to be ``count`` in number."""
    if len(table.columns) != count:
        raise SanError(f"{path} has {len(table.columns)} values per image, not {count}: replace it")
    return [table.iloc[:, column] for column in range(count)]


def _read_table(path: Path) -> pd.DataFrame:
    """Read the count, the names, then one row of whole numbers per image."""
    head = _lines(path, first=2)
    try:
        count, names = int(head[0]), head[1].split()
        table = pd.read_csv(path, sep=r"\s+", skiprows=2, header=None, dtype={0: str}, quoting=3)
        # The list of boxes names the column of image names as well.
        names = names[1:] if len(names) == len(table.columns) else names
        values = table.set_index(0).set_axis(names, axis=1).astype("int64")
    except (IndexError, ValueError) as error:
        raise SanError(
            f"{path} is not a list of CelebA's (a count, a line of names, rows of numbers): {error}"
        ) from error
    if count != len(values):
        raise SanError(f"{path} announces {count} images and lists {len(values)}: fetch it again")
    _refuse_doubles(values.index, path)
    return values


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
    values = pd.Series([value for _, value in pairs], [image for image, _ in pairs], name=name)
    _refuse_doubles(values.index, path)
    return values


def _refuse_doubles(images: "pd.Index[str]", path: Path) -> None:
    doubles = images[images.duplicated()]
    if len(doubles):
        raise SanError(f"{path} lists {doubles[0]} twice: fetch it again")


def _lines(path: Path, first: int | None = None) -> list[str]:
    """Read the lines of a text file that are not blank, or the first few lines."""
    try:
        with path.open(encoding="utf-8") as stream:
            lines = list(islice(stream, first))
    except FileNotFoundError as error:
        raise SanError(f"{path} is missing: place CelebA's annotation there") from error
    except UnicodeDecodeError as error:
        raise SanError(f"{path} is not a text file: fetch it again") from error
    return [line for line in lines if line.strip()]


# Ids: CelebA's own Google Drive. Checksums: as torchvision.datasets.CelebA has them; sizes: as
# TensorFlow Datasets recorded them. Of the fourteen volumes of img_celeba.7z nobody has published
# either: the checksums inside the archive and the number of images are checked instead.
_VOLUMES = (
    "0B7EVK8r0v71pQy1YUGtHeUM2dUE",
    "0B7EVK8r0v71peFphOHpxODd5SjQ",
    "0B7EVK8r0v71pMk5FeXRlOXcxVVU",
    "0B7EVK8r0v71peXc4WldxZGFUbk0",
    "0B7EVK8r0v71pMktaV1hjZUJhLWM",
    "0B7EVK8r0v71pbWFfbGRDOVZxOUU",
    "0B7EVK8r0v71pQlZrOENSOUhkQ3c",
    "0B7EVK8r0v71pLVltX2F6dzVwT0E",
    "0B7EVK8r0v71pVlg5SmtLa1ZiU0k",
    "0B7EVK8r0v71pa09rcFF4THRmSFU",
    "0B7EVK8r0v71pNU9BZVBEMF9KN28",
    "0B7EVK8r0v71pTVd3R2NpQ0FHaGM",
    "0B7EVK8r0v71paXBad2lfSzlzSlk",
    "0B7EVK8r0v71pcTFwT1VFZzkzZk0",
)
_ALIGNED_IMAGES = Archive(
    parts=(
        SourceFile(
            path="Img/img_align_celeba.zip",
            size=1_443_490_838,
            checksum="md5:00d2c5bc6d35e252742224ab0c1e8fcb",
            drive_id="0B7EVK8r0v71pZjFTYXZWM3FlRnM",
        ),
    ),
    into=ALIGNED,
    images=IMAGES,
)
_WILD_IMAGES = Archive(
    parts=tuple(
        SourceFile(path=f"Img/img_celeba.7z/img_celeba.7z.{number:03d}", drive_id=drive_id)
        for number, drive_id in enumerate(_VOLUMES, start=1)
    ),
    into=WILD,
    images=IMAGES,
)

CELEBA = SOURCES.register("celeba")(
    Source(
        title="Large-scale CelebFaces Attributes (CelebA)",
        terms="non-commercial research and education only; the photos belong to their owners",
        citation="Liu, Luo, Wang, Tang: Deep Learning Face Attributes in the Wild. ICCV 2015",
        homepage="https://mmlab.ie.cuhk.edu.hk/projects/CelebA.html",
        layout=(
            f"{WILD}/000001.jpg ... (in the wild) or {ALIGNED}/000001.jpg ...",
            ATTRIBUTES,
            IDENTITIES,
            f"{PARTITIONS} (not needed)",
            f"{BOXES} or {ALIGNED_LANDMARKS} (not needed)",
        ),
        columns="40 attributes (Male, Smiling, Young, ...), identity, partition, face box",
        list_images=list_celeba,
        items=(
            SourceFile(
                path=ATTRIBUTES,
                size=26_721_026,
                checksum="md5:75e246fa4810816ffd6ee81facbd244c",
                rows=IMAGES,
                header=2,
                drive_id="0B7EVK8r0v71pblRyaVFSWGxPY0U",
            ),
            SourceFile(
                path=IDENTITIES,
                checksum="md5:32bd1bd63d3c78cd57e08160ec5ed1e2",
                rows=IMAGES,
                drive_id="1_ee_0u7vcNLOfNLegJRHmolfH5ICW-XS",
            ),
            SourceFile(
                path=PARTITIONS,
                size=2_836_386,
                checksum="md5:d32c9cbf5e040fd4025c592c306e6668",
                rows=IMAGES,
                drive_id="0B7EVK8r0v71pY0NSMzRuSXJEVkk",
            ),
        ),
        variants={
            "aligned": (
                SourceFile(
                    path=ALIGNED_LANDMARKS,
                    size=12_156_055,
                    checksum="md5:cc24ecafdb5b50baae59b03474781f8c",
                    rows=IMAGES,
                    header=2,
                    drive_id="0B7EVK8r0v71pd0FJY3Blby1HUTQ",
                ),
                _ALIGNED_IMAGES,
            ),
            "wild": (
                SourceFile(
                    path=BOXES,
                    checksum="md5:00566efa6fedff7a56946cd1c10f1c16",
                    rows=IMAGES,
                    header=2,
                    drive_id="0B7EVK8r0v71pbThiMVRxWXZ4dU0",
                ),
                _WILD_IMAGES,
            ),
        },
        images=IMAGES,
    )
)
