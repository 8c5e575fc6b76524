import csv
import hashlib

import numpy as np
import pytest

from sanmodel.errors import SanError
from sanmodel.evaluation.exchange import (
    choose_pairs,
    export_images,
    read_attribute_scores,
    read_exchange,
    read_match_scores,
    require_current,
    verify_pairs,
)
from sanmodel.evaluation.protocol import verify
from sanmodel.images import decode_rgb

PEOPLE = np.array([0, 0, 1, 1, 1, 2])
MATCHED = np.array([True, True, True, True, False, True])
IDS = np.array([f"person {p}/../{i}" for i, p in enumerate(PEOPLE)], dtype=object)
VARIANTS = ("original", "SM", "OP")


def pictures():
    rng = np.random.default_rng(0)
    shape = (len(PEOPLE), 224, 224)
    return {name: rng.integers(0, 256, shape, dtype=np.uint8) for name in VARIANTS}


def export(folder, **changes):
    arguments = {
        "image_ids": IDS,
        "people": PEOPLE,
        "matched": MATCHED,
        "variants": pictures(),
        "seed": 1,
    }
    export_images(folder, **(arguments | changes))


@pytest.fixture(scope="module")
def exchange(tmp_path_factory):
    folder = tmp_path_factory.mktemp("export") / "out"
    export(folder)
    return read_exchange(folder)


def rows_of(path):
    with path.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def write(path, header, rows):
    path.write_text("\n".join([header, *rows]) + "\n", encoding="utf-8")
    return path


def test_images_are_lossless_and_listed_with_their_checksums(exchange):
    images, rows = pictures(), rows_of(exchange.folder / "manifest.csv")
    assert len(rows) == len(VARIANTS) * len(PEOPLE)
    for row in rows:
        content = (exchange.folder / row["file"]).read_bytes()
        place = int(row["file"].split("/")[1].removesuffix(".png"))
        expected = images[row["variant"]][place]
        np.testing.assert_array_equal(decode_rgb(content, row["file"])[..., 0], expected)
        assert hashlib.sha256(content).hexdigest() == row["sha256"]
        assert (row["image_id"], int(row["person"])) == (IDS[place], PEOPLE[place])


def test_nothing_tells_the_class_or_leaves_the_folder(exchange):
    written = sorted(path.relative_to(exchange.folder) for path in exchange.folder.rglob("*.*"))
    numbered = [f"{v}/{i:06d}.png" for v in sorted(VARIANTS) for i in range(len(PEOPLE))]
    assert sorted(map(str, written)) == sorted([*numbered, "manifest.csv", "pairs.csv"])
    header = (exchange.folder / "manifest.csv").read_text(encoding="utf-8").splitlines()[0]
    assert header == "file,image_id,person,variant,sha256"


@pytest.mark.parametrize("name", ["../out", "a/b", "", ".", "a b"])
def test_a_variant_that_is_no_plain_word_is_refused(tmp_path, name):
    with pytest.raises(SanError, match="cannot name a folder"):
        export(tmp_path / "out", variants={name: pictures()["SM"]})
    assert not list(tmp_path.iterdir())


def test_an_earlier_export_is_replaced_but_nothing_else(tmp_path):
    export(tmp_path / "out")
    export(tmp_path / "out", people=PEOPLE[::-1].copy())
    assert read_exchange(tmp_path / "out").people.tolist() == PEOPLE[::-1].tolist()
    (tmp_path / "out" / "scores.csv").write_text("file,score\n")
    with pytest.raises(SanError, match="holds scores.csv, which an export would delete"):
        export(tmp_path / "out")
    photos = tmp_path / "photos"
    photos.mkdir()
    (photos / "a.jpg").write_bytes(b"")
    with pytest.raises(SanError, match="holds a.jpg"):
        export(photos)
    with pytest.raises(SanError, match="is a file"):
        export(photos / "a.jpg")
    assert (photos / "a.jpg").exists()
    assert (tmp_path / "out" / "scores.csv").exists()


def all_pairs(genuine):
    return {
        (i, j)
        for i in np.flatnonzero(MATCHED)
        for j in np.flatnonzero(MATCHED)
        if i != j and (PEOPLE[i] == PEOPLE[j]) == genuine
    }


def test_all_pairs_of_matched_images_are_listed_for_every_variant(exchange):
    assert {tuple(pair) for pair in exchange.pairs[exchange.genuine]} == all_pairs(genuine=True)
    assert {tuple(pair) for pair in exchange.pairs[~exchange.genuine]} == all_pairs(genuine=False)
    rows = rows_of(exchange.folder / "pairs.csv")
    expected = [
        {"probe": f"{v}/{i:06d}.png", "gallery": f"original/{j:06d}.png"}
        for v in VARIANTS
        for i, j in exchange.pairs
    ]
    assert rows == expected


def test_impostor_pairs_are_drawn_evenly_and_genuine_pairs_all_kept():
    drawn = np.zeros((6, 6))
    for seed in range(300):
        pairs = choose_pairs(PEOPLE, MATCHED, seed, impostors=4)
        genuine = PEOPLE[pairs[:, 0]] == PEOPLE[pairs[:, 1]]
        assert {tuple(pair) for pair in pairs[genuine]} == all_pairs(genuine=True)
        impostor = {tuple(pair) for pair in pairs[~genuine]}
        assert len(impostor) == (~genuine).sum() == 4
        np.add.at(drawn, tuple(pairs[~genuine].T), 1)
    asked = all_pairs(genuine=False)
    assert {tuple(pair) for pair in np.argwhere(drawn)} == asked
    # Each of the 16 pairs is expected 300 / 4 times, with a standard deviation of 7.5.
    assert np.abs(drawn[tuple(np.array(sorted(asked)).T)] - 75).max() < 30


def test_the_seed_decides_the_pairs():
    chosen = [choose_pairs(PEOPLE, MATCHED, seed, impostors=5).tolist() for seed in (1, 1, 2)]
    assert chosen[0] == chosen[1] != chosen[2]


def test_nobody_to_match_makes_no_pairs():
    assert choose_pairs(PEOPLE, np.zeros(6, dtype=bool), seed=0).shape == (0, 2)


def test_attribute_scores_come_back_by_variant_in_the_order_of_the_images(tmp_path, exchange):
    rng = np.random.default_rng(3)
    scores = rng.normal(size=(len(VARIANTS), len(PEOPLE)))
    scored = zip(exchange.files, scores.ravel().tolist(), strict=True)
    rows = [f"{name},x,{score!r}" for name, score in scored]
    rng.shuffle(rows)
    windows = [row.replace("/", "\\") for row in rows]
    path = write(tmp_path / "s.csv", "\ufefffile,remark,score", windows)
    read = read_attribute_scores(path, exchange)
    assert list(read) == list(VARIANTS)
    np.testing.assert_array_equal(np.stack(list(read.values())), scores)


def match_table(exchange, scores):
    pairs = [f"{row['probe']},{row['gallery']}" for row in rows_of(exchange.folder / "pairs.csv")]
    return [f"{pair},{score!r}" for pair, score in zip(pairs, scores.ravel().tolist(), strict=True)]


def test_match_scores_give_what_verification_of_descriptors_gives(tmp_path, exchange):
    """Over the whole round trip, with ties."""
    rng = np.random.default_rng(4)
    descriptors = {name: rng.integers(0, 3, (6, 2)).astype(float) for name in VARIANTS}
    probe, reference = exchange.pairs.T
    distances = [
        np.linalg.norm(descriptors[v][probe] - descriptors["original"][reference], axis=1)
        for v in VARIANTS
    ]
    rows = match_table(exchange, -np.array(distances))
    rng.shuffle(rows)
    path = write(tmp_path / "m.csv", "probe,gallery,score", rows)
    for variant, scores in read_match_scores(path, exchange).items():
        probes, gallery = descriptors[variant][MATCHED], descriptors["original"][MATCHED]
        expected = verify(probes, gallery, PEOPLE[MATCHED])
        result = verify_pairs(scores[exchange.genuine], scores[~exchange.genuine])
        np.testing.assert_array_equal(np.sort(result.rivals), np.sort(expected.rivals))
        assert result.impostor_pairs == expected.impostor_pairs


def test_where_scores_of_pairs_tie_the_impostor_wins():
    genuine, impostor = np.array([3.0, 2.0, 1.0]), np.array([2.0, 0.0, 0.0, 0.0])
    # No impostor reaches 3; one reaches 2 and 1.
    rates = [verify_pairs(genuine, impostor).true_match_rate(rate) for rate in (0.25, 0.2, 1)]
    assert rates == [1.0, None, 1.0]
    assert verify_pairs(genuine, np.array([3.0, 2.0, 0.0, 0.0])).rivals.tolist() == [1, 2, 2]
    assert verify_pairs(np.empty(0), impostor).true_match_rate(0.5) is None


def full(exchange):
    return [f"{name},0.5" for name in exchange.files]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda rows: rows[2:], "2 of 18 images have no score, the first is original/000000.png"),
        (
            lambda rows: [*rows, *rows[7:10]],
            "3 of 18 images have more than one score, the first is SM/000001.png",
        ),
        (
            lambda rows: [*rows, "SM/000006.png,1", "x,1"],
            "not exported, in 2 of its rows, the first is SM/000006.png",
        ),
        (lambda rows: [rows[0], "SM/000001.png,nan", *rows], "line 3: the score 'nan' is not a"),
        (lambda rows: [*rows[:-1], "OP/000005.png,male"], "line 19: the score 'male' is not a"),
        (lambda rows: [*rows[:-1], "OP/000005.png,inf"], "line 19: the score 'inf' is not a"),
        (lambda rows: [*rows[:-1], "OP/000005.png,"], "line 19: the score '' is not a number"),
        (lambda rows: [*rows[:-1], "OP/000005.png,0,5"], "line 19, has 3 values for 2 columns"),
    ],
)
def test_scores_that_do_not_fit_are_refused_with_place_and_number(
    tmp_path, exchange, change, message
):
    path = write(tmp_path / "s.csv", "file,score", change(full(exchange)))
    with pytest.raises(SanError) as caught:
        read_attribute_scores(path, exchange)
    assert message in str(caught.value)
    assert "s.csv" in str(caught.value)


def test_a_blank_line_at_the_end_is_no_row(tmp_path, exchange):
    path = write(tmp_path / "s.csv", "file,score", [*full(exchange), "", ""])
    assert read_attribute_scores(path, exchange)["OP"].tolist() == [0.5] * 6


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is empty"),
        (b"<!DOCTYPE html>\n<html></html>\n", "is a web page"),
        (b"\x89PNG\r\n\x1a\n\x00\xff\xfe", "no CSV table in UTF-8"),
        (b"file;score\nSM/000000.png;0.5\n", "lacks the column file, score"),
        (b"file,value\nSM/000000.png,0.5\n", "lacks the column score: its first line must name"),
        (b"file,score\n", "18 of 18 images have no score"),
    ],
)
def test_what_is_no_table_of_scores_is_refused(tmp_path, exchange, content, message):
    path = tmp_path / "s.csv"
    path.write_bytes(content)
    with pytest.raises(SanError, match=message):
        read_attribute_scores(path, exchange)


def test_a_missing_file_is_named(tmp_path, exchange):
    for path in (tmp_path / "none.csv", tmp_path):
        with pytest.raises(SanError, match="is missing: put it there"):
            read_match_scores(path, exchange)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda rows: rows[1:], "1 of 60 pairs have no score, the first is original/00000"),
        (
            lambda rows: [*rows, rows[-1]],
            "1 of 60 pairs have more than one score, the first is OP/00",
        ),
        (lambda rows: [*rows, "SM/000000.png,OP/000001.png,1"], "not exported, in 1 of its rows"),
        (
            lambda rows: [*rows, "SM/000004.png,original/000003.png,1"],
            "1 of 61 pairs have a score that nobody asked for, the first is"
            " SM/000004.png,original/000003.png",
        ),
    ],
)
def test_pairs_that_do_not_fit_are_refused(tmp_path, exchange, change, message):
    scores = np.zeros((len(VARIANTS), len(exchange.pairs)))
    path = write(tmp_path / "m.csv", "probe,gallery,score", change(match_table(exchange, scores)))
    with pytest.raises(SanError) as caught:
        read_match_scores(path, exchange)
    assert message in str(caught.value)


def test_scores_of_other_images_or_an_older_model_are_refused(exchange):
    images = pictures()
    require_current(exchange, IDS, images)
    rounded = {**images, "SM": np.clip(images["SM"], 1, 254)}
    require_current(exchange, IDS, rounded)
    retrained = {**images, "OP": 255 - images["OP"]}
    for ids, variants in ((IDS[::-1], images), (IDS[:-1], images), (IDS, retrained)):
        with pytest.raises(SanError, match="have them scored anew"):
            require_current(exchange, ids, variants)
    with pytest.raises(SanError, match="have them scored anew"):
        require_current(exchange, IDS, {"original": images["original"]})


def test_a_damaged_export_is_told(tmp_path):
    with pytest.raises(SanError, match="manifest.csv is missing"):
        read_exchange(tmp_path / "out")
    export(tmp_path / "out")
    before = read_exchange(tmp_path / "out")
    (tmp_path / "out" / "SM" / "000005.png").unlink()
    with pytest.raises(SanError, match="000005.png is missing: run `san evaluate --export-images"):
        require_current(before, IDS, pictures())
    manifest = tmp_path / "out" / "manifest.csv"
    lines = manifest.read_text(encoding="utf-8").splitlines()
    for cut in (lines[:1], lines[:-2], [lines[0], *lines[:0:-1]]):
        manifest.write_text("\n".join(cut) + "\n", encoding="utf-8")
        with pytest.raises(SanError, match="was changed: run `san evaluate --export-images"):
            read_exchange(tmp_path / "out")
