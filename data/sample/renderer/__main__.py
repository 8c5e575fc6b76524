"""Renders the sample data set again: `python data/sample/renderer OUT_FOLDER`."""

from __future__ import annotations

import argparse
import os
from collections.abc import Sequence
from pathlib import Path

DEFAULT_SEED, DEFAULT_IDENTITIES, DEFAULT_IMAGES = 5, 70, 10


def _identity_and_image(text: str) -> tuple[int, int]:
    """Parses IDENTITY:IMAGE."""
    identity, image = text.split(":")
    return int(identity), int(image)


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="renderer", description="Renders synthetic faces.")
    parser.add_argument("out", type=Path, metavar="OUT_FOLDER")
    parser.add_argument("--identities", type=int, default=DEFAULT_IDENTITIES, metavar="N")
    parser.add_argument("--images", type=int, default=DEFAULT_IMAGES, metavar="N")
    parser.add_argument("--seed", type=int, default=DEFAULT_SEED, metavar="N")
    parser.add_argument("--workers", type=int, default=1, metavar="N")
    parser.add_argument(
        "--only",
        type=_identity_and_image,
        action="append",
        metavar="IDENTITY:IMAGE",
        help="render this photo alone; may be given several times",
    )
    return parser.parse_args(arguments)


def main(arguments: Sequence[str] | None = None) -> None:
    """Runs the command line.

    Args:
        arguments: The command line without the program name; by default that of the process.
    """
    options = _parse(arguments)
    # One thread per process; numpy reads this when it is imported, hence the late import.
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    from album import all_photos, write_album

    photos = all_photos(options.seed, options.identities, options.images)
    if options.only is not None:
        photos = [photo for photo in photos if (photo.identity, photo.image) in options.only]
    write_album(options.out, photos, options.workers)


if __name__ == "__main__":
    main()
