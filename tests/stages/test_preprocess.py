"""preprocess and prototypes on workers: the same tables whatever happens on the way."""

import io
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import psutil
import pytest
import yaml
from PIL import Image

from sanmodel.files import sha256, sha256_folder
from sanmodel.images import decode_rgb
from sanmodel.observer import Observer
from sanmodel.paths import Paths
from sanmodel.settings import Settings, parse_settings
from sanmodel.stages import preprocess, prototypes
from sanmodel.tables import RAW_COLUMNS, TableWriter, iterate_rows, read_columns

PHOTOS = sorted((Path(__file__).parents[2] / "data/sample/photos").glob("*.jpg"))
SAN = Path(sys.executable).parent / "san"


def settings(workers: int = 1, **section: object) -> Settings:
    return parse_settings({"workers": workers, "preprocess": {"detector": "none", **section}})


def write_raw(root: Path, rows: list[dict[str, object]]) -> Paths:
    paths = Paths(root)
    paths.raw.mkdir(parents=True)
    with TableWriter(paths.raw, RAW_COLUMNS, ["Male"], shard_rows=200) as writer:
        for number, row in enumerate(rows):
            default = {
                "image_id": f"{number:04d}",
                "identity": f"person {number % 20}",
                "source_path": f"photos/{number:04d}.jpg",
                "Male": number % 2,
            }
            writer.add({**default, **row})
    return paths


def sample_rows(count: int) -> list[dict[str, object]]:
    """Photos of the sample; every hundredth is the one before it again."""
    used = [number - 1 if number % 100 == 99 else number for number in range(count)]
    return [{"image": PHOTOS[number % len(PHOTOS)].read_bytes()} for number in used]


def digests(paths: Paths) -> tuple[str, str]:
    return sha256_folder(paths.crops), sha256_folder(paths.quarantine)


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Paths:
    """300 photos in two files, five row groups, and their crops as one worker makes them."""
    paths = write_raw(tmp_path_factory.mktemp("undisturbed"), sample_rows(300))
    preprocess.run(settings(), paths)
    prototypes.run(settings(), paths)
    return paths


@pytest.fixture
def fresh(undisturbed: Paths, tmp_path: Path) -> Paths:
    """The same raw table in a work tree of the test's own."""
    shutil.copytree(undisturbed.raw, Paths(tmp_path).raw)
    content = settings(2).model_dump(by_alias=True)
    (tmp_path / "params.yaml").write_text(yaml.safe_dump(content))
    return Paths(tmp_path)


class Count(Observer):
    """Remembers how many rows were done when the stage began."""

    def __init__(self) -> None:
        self.before: dict[str, int] = {}

    def start(self, task: str, total: int, done: int = 0) -> None:
        self.before[task] = done


def test_two_workers_make_what_one_makes(undisturbed: Paths, fresh: Paths):
    preprocess.run(settings(2), fresh)
    prototypes.run(settings(2), fresh)
    assert digests(fresh) == digests(undisturbed)
    assert sha256(fresh.prototypes) == sha256(undisturbed.prototypes)
    assert sorted(path.name for path in fresh.crops.iterdir()) == ["part-00000.parquet"]


def test_nothing_is_left_beside_the_tables(undisturbed: Paths):
    assert sorted(path.name for path in undisturbed.crops.parent.iterdir()) == [
        "crops",
        "quarantine",
        "raw",
    ]
    assert list(undisturbed.scratch.iterdir()) == []


def shards_of(paths: Paths) -> list[Path]:
    return list((paths.scratch / "preprocess").glob("*.shard"))


def start_stage(paths: Paths) -> "subprocess.Popen[str]":
    """Run `san preprocess` in a session of its own until the first shard is there."""
    process = subprocess.Popen(
        [SAN, "preprocess"],
        cwd=paths.root,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
        # Whoever runs the tests in the background may have them ignore Ctrl-C: not the stage.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    deadline = time.monotonic() + 60
    while not shards_of(paths):
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.02)
    return process


def wait_until_gone(workers: list[psutil.Process]) -> None:
    _, alive = psutil.wait_procs(workers, timeout=20)
    assert not alive


def children(process: "subprocess.Popen[str]") -> list[psutil.Process]:
    return psutil.Process(process.pid).children(recursive=True)


def test_a_killed_run_goes_on_at_the_first_missing_shard(undisturbed: Paths, fresh: Paths):
    process = start_stage(fresh)
    workers = children(process)
    process.kill()
    process.communicate()
    wait_until_gone(workers)
    finished = len(shards_of(fresh))
    assert 0 < finished < 5
    heard = Count()
    preprocess.run(settings(1), fresh, heard)
    assert heard.before["preprocess"] >= 8  # the last row group of a file has fewer rows
    assert digests(fresh) == digests(undisturbed)


def test_ctrl_c_ends_the_workers_without_a_traceback(tmp_path: Path):
    # So many photos that a busy machine, too, interrupts the stage before it ends.
    fresh = write_raw(tmp_path, sample_rows(700))
    fresh.params.write_text(yaml.safe_dump(settings(2).model_dump(by_alias=True)))
    process = start_stage(fresh)
    workers = children(process)
    assert len(workers) >= 2
    os.killpg(process.pid, signal.SIGINT)  # as a terminal does
    _, stderr = process.communicate(timeout=30)
    assert process.returncode == 130
    assert "Traceback" not in stderr
    assert stderr.splitlines()[-1].startswith("interrupted:")
    wait_until_gone(workers)
    assert not fresh.crops.exists()
    finished = len(shards_of(fresh))
    assert 0 < finished < 12
    heard = Count()
    preprocess.run(settings(2), fresh, heard)
    assert heard.before["preprocess"] > 0


def test_a_lost_worker_loses_nothing(undisturbed: Paths, fresh: Paths):
    process = start_stage(fresh)
    workers = [child for child in children(process) if "spawn_main" in " ".join(child.cmdline())]
    workers[-1].kill()
    _, stderr = process.communicate(timeout=120)
    assert process.returncode == 0, stderr
    assert "Traceback" not in stderr
    assert digests(fresh) == digests(undisturbed)


class Interrupt(Count):
    """Presses Ctrl-C after the first shard."""

    def advance(self, steps: int = 1) -> None:
        raise KeyboardInterrupt


def interrupt(paths: Paths) -> None:
    with pytest.raises(KeyboardInterrupt):
        preprocess.run(settings(), paths, Interrupt())
    assert shards_of(paths)


@pytest.mark.parametrize(
    ("section", "goes_on"),
    [({}, True), ({"crop_scale": 1.5}, False), ({"split": "random", "test_share": 0.5}, True)],
    ids=["same", "other crop", "other split"],
)
def test_finished_shards_are_used_only_where_they_fit(
    fresh: Paths, section: dict[str, object], goes_on: bool
):
    interrupt(fresh)
    heard = Count()
    preprocess.run(settings(1, **section), fresh, heard)
    assert (heard.before["preprocess"] > 0) == goes_on


def test_other_photos_under_the_same_names_are_not_taken_for_the_old_ones(fresh: Paths):
    interrupt(fresh)
    shutil.rmtree(fresh.raw)
    write_raw(fresh.root, sample_rows(400)[100:])
    heard = Count()
    preprocess.run(settings(), fresh, heard)
    assert heard.before["preprocess"] == 0


def test_the_first_of_equal_pictures_stays_and_the_others_name_it(undisturbed: Paths):
    quarantine = read_columns(undisturbed.quarantine)
    assert quarantine["image_id"].tolist() == ["0099", "0199", "0299"]
    assert set(quarantine["reason"]) == {"duplicate"}
    assert "that of 0198 (photos/0198.jpg), identity person 18" in quarantine["detail"][1]
    crops = read_columns(undisturbed.crops)
    assert {"0098", "0198", "0298"} <= set(crops["image_id"])
    assert crops["image_id"].is_monotonic_increasing


def file_of(image: Image.Image, kind: str, **options: object) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def turned(image: Image.Image) -> bytes:
    exif = Image.Exif()
    exif[0x0112] = 6
    return file_of(image.transpose(Image.Transpose.ROTATE_90), "PNG", exif=exif)


@pytest.fixture(scope="module")
def mixed(tmp_path_factory: pytest.TempPathFactory) -> tuple[Paths, dict[str, object]]:
    """One photo in many formats, and files that are none, preprocessed with dlib's detector."""
    photo = Image.open(PHOTOS[0]).convert("RGB")
    pixels = np.asarray(photo)
    grey = Image.fromarray(np.asarray(photo.convert("L")).astype(np.uint16) << 8)
    twice = Image.fromarray(np.concatenate([pixels, pixels], axis=1))
    frames = {"save_all": True, "append_images": [Image.new("RGB", photo.size)]}
    files = {
        "photo.png": file_of(photo, "PNG"),
        "ink.jpg": file_of(photo.convert("CMYK"), "JPEG"),
        "grey16.png": file_of(grey, "PNG"),
        "grey16.tiff": file_of(grey, "TIFF"),
        "palette.gif": file_of(photo.convert("P"), "GIF"),
        "alpha.png": file_of(photo.convert("RGBA"), "PNG", optimize=True),
        "turned.png": turned(photo),
        "animated.webp": file_of(photo, "WEBP", **frames),
        "misnamed.jpg": file_of(photo.resize((300, 300)), "PNG"),
        "one.png": file_of(Image.new("RGB", (1, 1)), "PNG"),
        "huge.png": file_of(Image.new("1", (10_000, 5_001)), "PNG"),
        "short.jpg": PHOTOS[1].read_bytes()[:9000],
        "empty.jpg": b"",
        "text.jpg": b"<html>quota exceeded</html>",
        "float.tiff": file_of(Image.fromarray(pixels[..., 0].astype(np.float32)), "TIFF"),
        "nobody.png": file_of(Image.new("RGB", (320, 320), "grey"), "PNG"),
        "twins.png": file_of(twice, "PNG"),
        "other.jpg": PHOTOS[15].read_bytes(),
        "third.jpg": PHOTOS[25].read_bytes(),
    }
    rows = [
        {"image_id": name, "source_path": name, "identity": f"person {number}", "image": content}
        for number, (name, content) in enumerate(files.items())
    ]
    boxed = {"box_left": 320, "box_top": 0, "box_right": 640, "box_bottom": 320}
    rows.append({**rows[16], "image_id": "boxed", "identity": "boxed", **boxed})
    paths = write_raw(tmp_path_factory.mktemp("mixed"), rows)
    return paths, preprocess.run(settings(detector="dlib", test_share=0.3), paths)


def test_every_file_is_a_crop_or_set_aside_with_the_reason(
    mixed: tuple[Paths, dict[str, object]],
):
    paths, metrics = mixed
    crops, quarantine = read_columns(paths.crops), read_columns(paths.quarantine)
    assert metrics["images"] == len(crops) + len(quarantine) == 20
    reasons = dict(zip(quarantine["image_id"], quarantine["reason"], strict=True))
    assert reasons == {
        "alpha.png": "duplicate",
        "turned.png": "duplicate",
        "grey16.tiff": "duplicate",
        "one.png": "too small",
        "huge.png": "too large",
        "short.jpg": "unreadable",
        "empty.jpg": "unreadable",
        "text.jpg": "unreadable",
        "float.tiff": "unreadable",
        "nobody.png": "no face",
        "twins.png": "several faces",
    }
    assert quarantine["detail"].str.len().min() > 20
    assert (metrics["unreadable"], metrics["duplicate"]) == (4, 3)
    # 14 photos could be searched; all but nobody's show a face.
    assert metrics["detection_rate"] == pytest.approx(13 / 14)


def test_all_formats_show_the_same_face(mixed: tuple[Paths, dict[str, object]]):
    crops = {row["image_id"]: row for row in iterate_rows(mixed[0].crops)}
    original = decode_rgb(crops["photo.png"]["image"], "x").astype(int).mean(axis=2)
    for name in ("ink.jpg", "grey16.png", "palette.gif", "animated.webp"):
        crop = decode_rgb(crops[name]["image"], "x").astype(int).mean(axis=2)
        assert np.abs(crop - original).mean() < 12, name


def test_what_the_source_says_comes_with_the_crop(tmp_path: Path):
    rows = sample_rows(8)
    for number, row in enumerate(rows):
        row |= {"condition": "scarf", "occluded": True} if number == 3 else {}
    paths = write_raw(tmp_path, rows)
    preprocess.run(settings(), paths)
    crops: pd.DataFrame = read_columns(paths.crops).set_index("image_id")
    assert crops.loc["0003", "condition"] == "scarf"
    assert crops.loc["0003", "occluded"] is True
    assert crops["condition"].isna().sum() == 7
    assert crops.loc["0003", "source_path"] == "photos/0003.jpg"


@pytest.fixture(autouse=True)
def no_cluster(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.delenv("DASK_SCHEDULER_ADDRESS", raising=False)
    return
