"""MUCT: webcam photos of 276 people, five cameras, ten lightings; all is told by the file names."""

import re
from pathlib import Path

import numpy as np
import pandas as pd

from sanmodel.errors import SanError
from sanmodel.sources import SOURCES, Archive, Source, SourceFile
from sanmodel.sources.checks import BOX, named

IMAGES = 3_755
NAME = re.compile(
    r"i(?P<subject>\d{3})(?P<lighting>[q-z])(?P<camera>[a-e])-(?P<sex>[fm])(?P<glasses>[gn])"
)
LANDMARKS = "muct76-opencv.csv"


def list_muct(folder: Path) -> pd.DataFrame:
    """List all ``i000qa-fn.jpg`` with gender, glasses, lighting and camera, and box.

    The box is the smallest around the landmarks, where their table is there.

    Raises:
        SanError: If there is no image, a name does not follow MUCT's pattern, or the landmarks are
            malformed.
    """
    paths = sorted(folder.rglob("i*.jpg"), key=lambda path: path.name)
    if not paths:
        raise SanError(
            f"{folder} is not MUCT's layout: it needs images like jpg/i000qa-fn.jpg; run"
            " `san download muct`, or set fetch.folder to where they lie"
        )
    told = {path: NAME.fullmatch(path.stem) for path in paths}
    odd = [path for path, match in told.items() if match is None]
    if odd:
        raise SanError(f"{named(odd)} is not named like MUCT's i000qa-fn.jpg: remove or rename it")
    rows = [_row(path.relative_to(folder), match) for path, match in told.items() if match]
    listing = pd.DataFrame(rows)
    boxes = _boxes(folder).reindex(listing["image_id"]).reset_index(drop=True)
    return listing.join(boxes)


def _row(path: Path, told: re.Match[str]) -> dict[str, object]:
    return {
        "image_id": path.stem,
        "identity": told["subject"],
        "source_path": path.as_posix(),
        "condition": f"lighting {told['lighting']}, camera {told['camera']}",
        "Male": 1 if told["sex"] == "m" else -1,
        "Eyeglasses": 1 if told["glasses"] == "g" else -1,
    }


def _boxes(folder: Path) -> pd.DataFrame:
    """Return the smallest box around the landmarks of each image, or an empty table."""
    path = next(folder.rglob(LANDMARKS), None)
    if path is None:
        return pd.DataFrame(columns=list(BOX), dtype="float64")
    try:
        table = pd.read_csv(path, dtype={"name": str, "tag": str})
        table = table.drop_duplicates("name").set_index("name")
        values = table.drop(columns="tag").to_numpy(dtype=np.float64)
        points = values.reshape(len(table), -1, 2)
    except (KeyError, ValueError) as error:
        raise SanError(
            f"{path} is not MUCT's table of landmarks (name, tag, x00, y00, ...): {error}"
        ) from error
    points[(points == 0).all(axis=2)] = np.nan  # a point that is hidden stands at 0, 0
    seen = ~np.isnan(points).all(axis=(1, 2))
    low, high = np.nanmin(points[seen], axis=1), np.nanmax(points[seen], axis=1)
    return pd.DataFrame(np.hstack([low, high]), index=table.index[seen], columns=list(BOX))


# The archives have no published size or checksum: the number of images of each is checked instead.
_URLS = "https://github.com/StephenMilborrow/muct/raw/master"


def _archive(name: str, images: int | None) -> Archive:
    file = SourceFile(path=f"{name}.tar.gz", urls=(f"{_URLS}/{name}.tar.gz",), page=_URLS)
    return Archive(parts=(file,), into=name, images=images)


MUCT = SOURCES.register("muct")(
    Source(
        title="MUCT face database",
        terms="free for academic research; its images must not be shown in public, save subjects"
        " 000, 001, 002, 200, 201, 400, 401, 402 in papers",
        citation="Milborrow, Morkel, Nicolls: The MUCT Landmarked Face Database. Pattern"
        " Recognition Association of South Africa, 2010",
        homepage="http://www.milbo.org/muct/",
        layout=(
            "i000qa-fn.jpg ... anywhere below: subject, lighting q-z, camera a-e, f or m, g(lasses)"
            " or n(one)",
            f"{LANDMARKS} anywhere below (not needed)",
        ),
        columns="Male, Eyeglasses, identity, condition (lighting and camera), face box",
        list_images=list_muct,
        items=(
            *(_archive(f"muct-{camera}-jpg-v1", IMAGES // 5) for camera in "abcde"),
            _archive("muct-landmarks-v1", None),
        ),
        images=IMAGES,
    )
)
