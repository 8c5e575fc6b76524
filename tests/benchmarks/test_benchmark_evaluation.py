"""The benchmark of the evaluation really perturbs, measures and matches the faces it says."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console
from small import LANDMARK_COLUMNS

from sanmodel.benchmarks.evaluation import (
    KNOWN,
    run_benchmark,
    sample_faces,
    show,
    table_faces,
)
from sanmodel.errors import SanError
from sanmodel.images import encode_png
from sanmodel.paths import Paths
from sanmodel.tables import CROP_COLUMNS, TableWriter

SAMPLE = Path(__file__).parents[2] / "data/sample"
BOX = {"face_left": 46.0, "face_top": 59.0, "face_right": 178.0, "face_bottom": 191.0}


@pytest.fixture
def table(tmp_path: Path) -> Paths:
    """A work tree whose crops table has 4 images of 2 people on the test side."""
    paths = Paths(tmp_path)
    paths.crops.mkdir(parents=True)
    rng = np.random.default_rng(0)
    with TableWriter(paths.crops, CROP_COLUMNS, ["Male"]) as writer:
        for number in range(6):
            image = encode_png(rng.integers(0, 256, (224, 224, 3), dtype=np.uint8))
            row = {"image_id": str(number), "identity": str(number // 2), "image": image}
            side = "test" if number < 4 else "train"
            writer.add({**row, "split": side, "Male": number // 2 % 2, **BOX, **LANDMARK_COLUMNS})
    return paths


@pytest.fixture(scope="module")
def two_photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The embedded sample, cut to the first man and the first woman."""
    folder = tmp_path_factory.mktemp("sample")
    header, *lines = (SAMPLE / "labels.csv").read_text().splitlines()
    chosen = [next(line for line in lines if line.split(",")[2] == male) for male in ("1", "-1")]
    (folder / "labels.csv").write_text("\n".join([header, *chosen]) + "\n")
    (folder / "photos").symlink_to(SAMPLE / "photos")
    return folder


def test_no_repetition_is_a_copy_of_another(two_photos: Path):
    faces = sample_faces(two_photos, 41)
    assert len({image.tobytes() for image in faces.images}) == len(faces) == 41
    assert faces.labels.tolist() == [1, 0] * 20 + [1]
    assert faces.people.tolist() == [0, 1] * 20 + [0]
    np.testing.assert_array_equal(faces.boxes[40], faces.boxes[0])
    np.testing.assert_array_equal(faces.landmarks[39], faces.landmarks[1])
    assert 0.5 < faces.images[40].mean() / faces.images[0].mean() < 0.55


def test_faces_of_the_work_tree_come_first_if_there_are_enough(table: Paths):
    faces = table_faces(table, 3)
    assert faces is not None
    assert faces.image_ids.tolist() == ["0", "1", "2"]
    assert table_faces(table, 5) is None
    assert table_faces(Paths(table.root / "elsewhere"), 1) is None


def test_without_any_faces_it_tells_what_to_do(table: Paths):
    with pytest.raises(SanError, match="fewer than 5 test images, and .* take fewer with --images"):
        run_benchmark(table, 5)


GROW = """
import numpy as np
from sanmodel.benchmarks.evaluation import Watch

idle, watch = Watch(), Watch()
with idle.memory():
    pass
with watch.memory():
    grown = watch.part("grow", lambda: np.ones(40_000_000))
(part,) = watch.parts
print(idle.peak_mib, watch.peak_mib, part.cpu_seconds, part.seconds, len(grown))
"""


def test_memory_and_time_are_those_of_the_part():
    """In a process of its own: this one may have children that come and go."""
    done = subprocess.run([sys.executable, "-c", GROW], capture_output=True, text=True, check=True)
    idle, peak, cpu_seconds, seconds, length = (float(one) for one in done.stdout.split())
    assert idle + 250 < peak < idle + 400
    assert length == 40_000_000
    assert 0 < cpu_seconds < 1.5 * seconds + 0.1


def test_the_figures_are_complete_and_readable(tmp_path: Path):
    (tmp_path / "data").mkdir()
    (tmp_path / "data/sample").symlink_to(SAMPLE)
    figures = run_benchmark(Paths(tmp_path), 4)
    names = [part["name"] for part in figures["parts"]]
    assert names == ["load networks", "perturb", "measure", KNOWN, "match"]
    seconds = {part["name"]: part["seconds"] for part in figures["parts"]}
    assert figures["seconds"] == pytest.approx(sum(seconds.values()) - seconds[KNOWN])
    # Nothing was known of any image the first time, and all the second time.
    assert figures["share_known"] == seconds[KNOWN] / seconds["measure"] < 0.5
    assert 200 < figures["peak_mib"] < 4000
    console = Console(width=120, record=True)
    show(figures, console)
    text = console.export_text()
    assert "4 crops of the embedded sample, 4 variants" in text
    assert f"{figures['seconds']:.0f} seconds and" in text
