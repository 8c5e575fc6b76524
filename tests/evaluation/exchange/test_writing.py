import hashlib

import numpy as np
import pytest
from small_exports import IDS, MATCHED, PEOPLE, VARIANTS, export, pictures, rows_of

from sanmodel.errors import SanError
from sanmodel.evaluation.exchange import choose_pairs, read_exchange
from sanmodel.images import decode_rgb


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
    probes, references = exchange.people[exchange.pairs.T]
    same = probes == references
    assert {tuple(pair) for pair in exchange.pairs[same]} == all_pairs(genuine=True)
    assert {tuple(pair) for pair in exchange.pairs[~same]} == all_pairs(genuine=False)
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
