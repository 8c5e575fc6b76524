"""Labeled Faces in the Wild: a folder per person, gender from two published lists."""

import re
from collections import Counter
from pathlib import Path

import pandas as pd

from sanmodel.errors import SanError
from sanmodel.sources import SOURCES, Archive, Source, SourceFile
from sanmodel.sources.checks import BOX, named

IMAGES = 13_233
SIDE, MARGIN = 250, 2.2
"""Each image is the Viola-Jones box enlarged 2.2 times and scaled to 250 pixels (LFW's report)."""

LISTS = {"male_names.txt": 1, "female_names.txt": -1}
NUMBERED = re.compile(r"_\d{4}(\.jpg)?$")


def list_lfw(folder: Path) -> pd.DataFrame:
    """List ``lfw*/<person>/<person>_0001.jpg`` with gender and the box that LFW was cut around.

    A person's gender is what most of the person's images have in the two lists, which name images.

    Raises:
        SanError: If there is no image, a list is missing, or it cannot be told whether a person is
            a man or a woman.
    """
    paths = sorted(folder.glob("lfw*/*/*.jpg"))
    if not paths:
        raise SanError(
            f"{folder} is not LFW's layout: it needs lfw/<person>/<person>_0001.jpg and so on; run"
            " `san download lfw`, or set fetch.folder to where it lies"
        )
    gender = _genders(folder)
    people = [path.parent.name for path in paths]
    unknown = sorted({person for person in people if not gender[person]})
    if unknown:
        raise SanError(
            f"{' and '.join(LISTS)} in {folder} do not say whether {named(unknown)} are men or"
            " women: add a line with an image of each to one of them"
        )
    left, right = SIDE / 2 * (1 - 1 / MARGIN), SIDE / 2 * (1 + 1 / MARGIN)
    return pd.DataFrame(
        {
            "image_id": [path.stem for path in paths],
            "identity": people,
            "source_path": [path.relative_to(folder).as_posix() for path in paths],
            **dict(zip(BOX, (left, left, right, right), strict=True)),
            "Male": [1 if gender[person] > 0 else -1 for person in people],
        }
    )


def _genders(folder: Path) -> Counter[str]:
    """Return for each person how many images are listed as male minus those listed as female."""
    votes: Counter[str] = Counter()
    for name, vote in LISTS.items():
        try:
            lines = (folder / name).read_text(encoding="utf-8-sig").splitlines()
        except FileNotFoundError as error:
            raise SanError(
                f"{folder / name} is missing: `san sources lfw` says where to find it"
            ) from error
        except UnicodeDecodeError as error:
            raise SanError(f"{folder / name} is not a text file: get it again") from error
        for line in lines:
            votes[NUMBERED.sub("", line.strip())] += vote
    return votes


# Size as TensorFlow Datasets recorded it, checksum as both it and scikit-learn have it. The lists
# of names have no published checksum: what counts is that every person is found in them.
_NAMES_PAGE = "http://bit.ly/lfw-gender"

LFW = SOURCES.register("lfw")(
    Source(
        title="Labeled Faces in the Wild (LFW)",
        terms="published for research, no licence stated; the photos belong to their owners",
        citation="Huang, Ramesh, Berg, Learned-Miller: Labeled Faces in the Wild. Technical Report"
        " 07-49, University of Massachusetts, Amherst, 2007. Gender: Afifi, Abdelhamed: AFIF4."
        " arXiv:1706.04277, 2017",
        homepage="http://vis-www.cs.umass.edu/lfw/",
        layout=(
            "lfw/<person>/<person>_0001.jpg ... (or lfw_funneled, lfw-deepfunneled)",
            "male_names.txt, female_names.txt: an image's file name per line",
        ),
        columns="Male, identity (the folder), face box",
        list_images=list_lfw,
        items=(
            *(SourceFile(path=name, page=_NAMES_PAGE) for name in LISTS),
            Archive(
                parts=(
                    SourceFile(
                        path="lfw.tgz",
                        size=180_566_744,
                        checksum="sha256:055f7d9c632d7370e6fb4afc7468d40f"
                        "970c34a80d4c6f50ffec63f5a8d536c0",
                        urls=(
                            "https://ndownloader.figshare.com/files/5976018",
                            "http://vis-www.cs.umass.edu/lfw/lfw.tgz",
                        ),
                    ),
                ),
                into="lfw",
                images=IMAGES,
            ),
        ),
        images=IMAGES,
    )
)
