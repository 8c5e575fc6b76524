import numpy as np
import pytest
from small_exports import MATCHED, PEOPLE, VARIANTS, rows_of

from sanmodel.errors import SanError
from sanmodel.evaluation.exchange import read_attribute_scores, read_match_scores
from sanmodel.evaluation.protocol import PairScores, verify, verify_scores


def write(path, header, rows):
    path.write_text("\n".join([header, *rows]) + "\n", encoding="utf-8")
    return path


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
        result = verify_scores(PairScores(scores, exchange.people[exchange.pairs]))
        np.testing.assert_array_equal(np.sort(result.rivals), np.sort(expected.rivals))
        assert result.impostor_pairs == expected.impostor_pairs


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
        with pytest.raises(
            SanError, match="is missing: put it there, or take it out of evaluate.scores"
        ):
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
