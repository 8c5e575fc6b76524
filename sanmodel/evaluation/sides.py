"""Who is examined, and who else there is to learn from."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from sanmodel.evaluation.faces import Faces, load_faces
from sanmodel.paths import Paths
from sanmodel.settings import TEST_SIDE, Settings
from sanmodel.tables import attributes, read_columns


@dataclass(frozen=True)
class Sides:
    """All faces of an evaluation.

    Attributes:
        sets: The test side and further sets, by name.
        outside: Training faces of people who are not on the test side; may be none.
        gaps: A sentence for each set that was left out.
    """

    sets: Mapping[str, Faces]
    outside: Faces
    gaps: list[str]


def load_sides(settings: Settings, paths: Paths) -> Sides:
    """Load the test side, the training side and every further set, all of whose faces are tests.

    Raises:
        SanError: If a table is missing or damaged, or there is no test image.
    """
    main = load_faces(paths.crops, "test", settings.attribute, paths.decoded)
    sets, gaps = {TEST_SIDE: main}, []
    for name in settings.sets:
        tree = paths.of_set(name)
        if settings.attribute in attributes(tree.crops):
            sets[name] = load_faces(tree.crops, "test", settings.attribute, tree.decoded)
        else:
            gaps.append(f"the set {name} does not tell {settings.attribute} and is left out")
    outside, shared = _outside(settings, paths, main)
    if shared:
        gaps.append(
            f"{shared} training images show people of the test side (preprocess.split:"
            f" {settings.preprocess.split}): nobody attacks or mixes faces with what these tell"
        )
    return Sides(sets, outside, gaps)


def _outside(settings: Settings, paths: Paths, main: Faces) -> tuple[Faces, int]:
    """Return the training faces of other people, and the number of all others."""
    people = read_columns(paths.crops, ["identity", "split"])
    learned = people.loc[people["split"] == "train", "identity"]
    if learned.empty:
        return main.take(np.arange(0)), 0
    everyone = load_faces(paths.crops, "train", settings.attribute, paths.decoded)
    tested = people.loc[people["split"] == "test", "identity"]
    other = ~learned.isin(set(tested)).to_numpy()
    rest = everyone if other.all() else everyone.take(np.flatnonzero(other))
    return rest, int((~other).sum())
