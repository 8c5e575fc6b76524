"""fetch, preprocess and prototypes on a few people of the sample."""

import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from skimage.transform import SimilarityTransform, warp
from small import small_settings

from sanmodel.errors import SanError
from sanmodel.files import read_json, sha256, sha256_folder
from sanmodel.images import decode_rgb
from sanmodel.paths import Paths
from sanmodel.prototypes import Prototypes
from sanmodel.settings import Settings, parse_settings
from sanmodel.stages import fetch, preprocess, prototypes
from sanmodel.tables import count_rows, iterate_rows, landmarks_of, read_columns

PROJECT = Path(__file__).parents[2]


@pytest.fixture
def sample(tmp_path: Path) -> Path:
    """Two images of each of four people, as a source folder of the test's own."""
    labels = pd.read_csv(PROJECT / "data/sample/labels.csv", dtype={"identity": str})
    people = labels.groupby("Male")["identity"].unique().map(lambda names: names[:2])
    chosen = labels[labels["identity"].isin(np.concatenate(people.to_list()))]
    chosen = chosen.groupby("identity").head(2)
    folder = tmp_path / "sample"
    (folder / "photos").mkdir(parents=True)
    for name in chosen["image"]:
        shutil.copy(PROJECT / "data/sample/photos" / name, folder / "photos")
    chosen.to_csv(folder / "labels.csv", index=False)
    return folder


def settings(folder: Path, attribute: str = "Male", **preprocess: object) -> Settings:
    sections = {"fetch": {"folder": str(folder)}, "preprocess": {"test_share": 0.5, **preprocess}}
    return parse_settings({"attribute": attribute, **sections})


def test_fetch_keeps_the_files_bytes_and_labels(sample: Path, tmp_path: Path):
    paths = Paths(tmp_path)
    metrics = fetch.run(settings(sample), paths)
    assert metrics == read_json(paths.metrics("fetch"))
    assert metrics == {"images": 8, "people": 4, "class_1_share": 0.5}
    for row in iterate_rows(paths.raw):
        assert row["image"] == (sample / row["source_path"]).read_bytes()
        assert {row["Male"], row["Smiling"], row["Young"]} <= {0, 1}


def test_fetch_takes_half_of_the_people_from_each_class(crops_root: Path):
    raw = read_columns(Paths(crops_root).raw)
    assert raw.groupby("Male")["identity"].nunique().tolist() == [3, 3]


def test_fetch_keeps_files_that_are_no_images(sample: Path, tmp_path: Path):
    photos = sorted((sample / "photos").iterdir())
    photos[0].write_bytes(photos[0].read_bytes()[:2000])
    photos[1].write_text("<html>quota exceeded</html>")
    photos[2].write_bytes(b"")
    fetch.run(settings(sample), Paths(tmp_path))
    found = {row["source_path"]: row["image"] for row in iterate_rows(Paths(tmp_path).raw)}
    assert found == {f"photos/{photo.name}": photo.read_bytes() for photo in photos}


def test_fetch_keeps_the_earlier_table_when_a_file_is_missing(sample: Path, tmp_path: Path):
    paths = Paths(tmp_path)
    fetch.run(settings(sample), paths)
    before = sha256_folder(paths.raw)
    next((sample / "photos").iterdir()).unlink()
    with pytest.raises(SanError, match="is listed but missing: add the file"):
        fetch.run(settings(sample), paths)
    assert sha256_folder(paths.raw) == before
    assert sorted(path.name for path in paths.raw.parent.iterdir()) == ["raw"]


def test_fetch_names_a_missing_photo_and_an_unknown_attribute(sample: Path, tmp_path: Path):
    with pytest.raises(SanError, match="no attribute 'Hat': .* Male, Smiling, Young"):
        fetch.run(settings(sample, attribute="Hat"), Paths(tmp_path))
    next((sample / "photos").iterdir()).unlink()
    with pytest.raises(SanError, match="is listed but missing: add the file"):
        fetch.run(settings(sample), Paths(tmp_path))


def test_rows_in_are_crops_plus_quarantine(sample: Path, tmp_path: Path):
    photo, first, *_, copy = sorted((sample / "photos").iterdir())
    Image.new("RGB", (320, 320), "grey").save(photo)
    shutil.copy(first, copy)
    paths = Paths(tmp_path)
    fetch.run(settings(sample), paths)
    metrics = preprocess.run(settings(sample), paths)
    assert metrics["quarantined"] == 2
    assert metrics["crops"] + metrics["quarantined"] == metrics["images"] == 8
    assert count_rows(paths.crops) == metrics["crops"]
    quarantine = read_columns(paths.quarantine).set_index("image_id")
    assert quarantine.loc[photo.stem, "reason"] == "no face"
    assert quarantine.loc[copy.stem, "reason"] == "duplicate"
    assert first.name in quarantine.loc[copy.stem, "detail"]


def test_crops_are_224_rgb_with_the_face_where_it_belongs(crops_root: Path):
    for row in iterate_rows(Paths(crops_root).crops):
        assert decode_rgb(row["image"], "x").shape == (224, 224, 3)
        assert row["face_right"] - row["face_left"] == pytest.approx(224 / 1.7, rel=1e-3)
        assert row["split"] in ("train", "test")


def test_no_face_at_all_is_refused_and_nothing_is_written(sample: Path, tmp_path: Path):
    for shade, photo in enumerate((sample / "photos").iterdir()):
        Image.new("RGB", (320, 320), (20 * shade, 100, 100)).save(photo)
    fetch.run(settings(sample), Paths(tmp_path))
    with pytest.raises(SanError, match=r"none of .* crop \(8 no face; .*detector to none"):
        preprocess.run(settings(sample), Paths(tmp_path))
    assert not Paths(tmp_path).crops.exists()
    preprocess.run(settings(sample, detector="none"), Paths(tmp_path))
    assert count_rows(Paths(tmp_path).crops) == 8


def test_prototypes_are_the_class_means_of_the_training_side(crops_root: Path):
    paths = Paths(crops_root)
    rows = [row for row in iterate_rows(paths.crops) if row["split"] == "train"]
    men = [decode_rgb(row["image"], "x") for row in rows if row["Male"] == 1]
    loaded = Prototypes.load(paths.prototypes, "Male")
    expected = np.mean(men, axis=0).transpose(2, 0, 1) / 255
    np.testing.assert_allclose(loaded.P_1.numpy(), expected, atol=1e-6)
    assert loaded.a_1 == pytest.approx(len(men) / len(rows))
    assert Image.open(paths.picture("prototypes")).size == (3 * 224, 224)


def test_another_attribute_makes_other_prototypes(crops_root: Path, tmp_path: Path):
    (tmp_path / "data").symlink_to(crops_root / "data")
    prototypes.run(settings(tmp_path, attribute="Smiling"), Paths(tmp_path))
    smiling = Prototypes.load(Paths(tmp_path).prototypes, "Smiling")
    male = Prototypes.load(Paths(crops_root).prototypes, "Male")
    assert (smiling.P_1 - male.P_1).abs().max() > 0.01


def test_aligned_prototypes_are_means_with_the_landmarks_at_one_place(
    crops_root: Path, tmp_path: Path
):
    (tmp_path / "data").symlink_to(crops_root / "data")
    paths, aligned = Paths(tmp_path), small_settings(prototypes={"align": "landmarks"})
    prototypes.run(aligned, paths)
    rows = [row for row in iterate_rows(paths.crops) if row["split"] == "train"]
    landmarks = np.stack([landmarks_of(row) for row in rows])
    mean = landmarks.mean(axis=0)
    loaded = Prototypes.load(paths.prototypes, "Male")
    np.testing.assert_allclose(loaded.landmarks.numpy(), mean, rtol=1e-6)
    men = []
    for row, points in zip(rows, landmarks, strict=True):
        if row["Male"] == 1:
            transform = SimilarityTransform.from_estimate(points, mean)
            crop = decode_rgb(row["image"], "x") / 255
            men.append(warp(crop, transform.inverse, order=1, mode="edge"))
    expected = np.mean(men, axis=0).transpose(2, 0, 1)
    # The crops are rounded to whole grey values once they are moved.
    np.testing.assert_allclose(loaded.P_1.numpy(), expected, atol=0.51 / 255)
    plain = Prototypes.load(Paths(crops_root).prototypes, "Male")
    assert plain.landmarks is None
    assert (loaded.P_1 - plain.P_1).abs().max() > 0.05


def test_aligned_prototypes_are_the_same_on_two_workers(crops_root: Path, tmp_path: Path):
    digests = set()
    for workers in (1, 2):
        root = tmp_path / f"{workers}"
        root.mkdir()
        (root / "data").symlink_to(crops_root / "data")
        several = small_settings(prototypes={"align": "landmarks"}, workers=workers)
        prototypes.run(several, Paths(root))
        digests.add(sha256(Paths(root).prototypes))
    assert len(digests) == 1
