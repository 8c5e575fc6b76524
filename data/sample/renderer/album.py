"""Names, labels and files of the data set."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from io import BytesIO
from multiprocessing import get_context
from pathlib import Path
from typing import NamedTuple

from PIL import Image

from identity import sample_identity
from scene import render_photo
from shot import smiles

JPEG_QUALITY = 88
COLUMNS = ("image", "identity", "Male", "Smiling", "Young")


class Photo(NamedTuple):
    """Which photo of which data set.

    Attributes:
        seed: Seed of the data set.
        identity: Number of the person.
        image: Number of the photo among those of the person.
        images: Number of photos of each person.
    """

    seed: int
    identity: int
    image: int
    images: int

    @property
    def file_name(self) -> str:
        """Name of the file in the folder `photos`."""
        return f"{self.identity * self.images + self.image:06d}.jpg"

    def jpeg(self) -> bytes:
        """Renders the photo and packs it without any metadata."""
        pixels = render_photo(self.seed, self.identity, self.image)
        packed = BytesIO()
        Image.fromarray(pixels).save(
            packed, "JPEG", quality=JPEG_QUALITY, subsampling="4:2:0", optimize=False
        )
        return packed.getvalue()

    def label_row(self) -> tuple[str, int, int, int, int]:
        """The row of the photo in labels.csv; labels are 1 and -1."""
        who = sample_identity(self.seed, self.identity)
        flags = (who.is_male, smiles(self.seed, self.identity, self.image), who.is_young)
        male, smiling, young = (1 if flag else -1 for flag in flags)
        return self.file_name, self.identity, male, smiling, young


def all_photos(seed: int, identities: int, images: int) -> list[Photo]:
    """Lists the photos of a data set in the order of their file names."""
    return [Photo(seed, i, k, images) for i in range(identities) for k in range(images)]


def _write_photo(job: tuple[Photo, Path]) -> None:
    photo, folder = job
    (folder / photo.file_name).write_bytes(photo.jpeg())


def write_album(folder: Path, photos: Iterable[Photo], workers: int) -> None:
    """Writes `photos/NNNNNN.jpg` and `labels.csv`.

    Args:
        folder: Folder of the data set; made if need be.
        photos: The photos to render.
        workers: Number of processes; it changes nothing but the time.
    """
    chosen = list(photos)
    (folder / "photos").mkdir(parents=True, exist_ok=True)
    jobs = [(photo, folder / "photos") for photo in chosen]
    if workers > 1:
        with get_context("spawn").Pool(workers) as pool:
            # Chunks of neighbours, because a process keeps the hair of the last person.
            for _ in pool.imap_unordered(_write_photo, jobs, chunksize=5):
                pass
    else:
        for job in jobs:
            _write_photo(job)
    with (folder / "labels.csv").open("w", encoding="ascii", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(COLUMNS)
        writer.writerows(photo.label_row() for photo in chosen)
