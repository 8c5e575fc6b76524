"""Scores that a closed program would send back, made of what an open one reads."""

import csv
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from made_faces import faces

from sanmodel.errors import SanError
from sanmodel.evaluation.closed import read_closed, with_closed
from sanmodel.evaluation.examination import Examination, find
from sanmodel.evaluation.exchange import export_images, read_exchange
from sanmodel.evaluation.measure import Measurements
from sanmodel.evaluation.protocol import PairScores
from sanmodel.paths import Paths
from sanmodel.settings import Settings

PEOPLE = np.repeat(np.arange(6), 2)
PROGRAMS = [
    {"name": "G", "kind": "attribute", "file": "g.csv", "threshold": 20.0},
    {"name": "M", "kind": "match", "file": "m.csv"},
]
SETTINGS = Settings.model_validate(
    {"evaluate": {"exchange": "out", "scores": PROGRAMS, "false_match_rates": [0.05]}}
)
GRADES = {"original": 30.0, "OP": 10.0}
"""What program G says of men; of women it says 10."""


@pytest.fixture
def examined(tmp_path: Path) -> Examination:
    """A set that was exported and scored; G reads every original rightly and every OP as 0."""
    rng = np.random.default_rng(0)
    side = faces(PEOPLE, PEOPLE % 2)
    variants = {name: rng.integers(0, 256, (12, 224, 224), dtype=np.uint8) for name in GRADES}
    export_images(
        tmp_path / "out/test", side.image_ids, side.people, side.matched, variants, seed=1
    )
    exchange = read_exchange(tmp_path / "out/test")
    with (tmp_path / "g.csv").open("w", newline="") as stream:
        rows = csv.writer(stream)
        rows.writerow(["file", "score"])
        for file in exchange.files:
            variant, number = file.removesuffix(".png").split("/")
            man = side.labels[int(number)]
            rows.writerow([file, GRADES[variant] if man else 10.0])
    with (tmp_path / "m.csv").open("w", newline="") as stream:
        rows = csv.writer(stream)
        rows.writerow(["probe", "gallery", "score"])
        for variant in exchange.variants:
            for probe, gallery in exchange.pairs:
                pair = f"{variant}/{probe:06d}.png", f"original/{gallery:06d}.png"
                genuine = exchange.people[probe] == exchange.people[gallery]
                rows.writerow([*pair, float(genuine and variant == "original")])
    return Examination("test", side, variants, Measurements({}, {}, {}))


def test_scores_of_closed_programs_join_the_tables(examined: Examination, tmp_path: Path):
    joined = with_closed(examined, read_closed(SETTINGS, Paths(tmp_path))["test"], seed=1)
    metrics = find(joined, SETTINGS).metrics
    assert metrics["classifiers"]["G"]["original"]["error_rate"] == 0
    assert metrics["classifiers"]["G"]["OP"]["error_rate_class_1"] == 1
    assert metrics["classifiers"]["G"]["OP"]["auc"] == 0.5
    assert metrics["matchers"]["M"]["original"]["tmr_at_fmr_0.05"] == 1
    assert metrics["matchers"]["M"]["OP"]["tmr_at_fmr_0.05"] == 0
    assert metrics["gaps"] == [
        "G cannot be shown cleaned images: recovery is without it",
        "M gave scores of pairs only: identification and who pays are without it",
    ]
    for figures in (metrics["classifiers"]["G"]["OP"], metrics["matchers"]["M"]["OP"]):
        assert any(name.endswith("_low") for name in figures)


def test_without_scores_nothing_is_asked_for(examined: Examination, tmp_path: Path):
    assert read_closed(Settings(), Paths(tmp_path / "nowhere")) == {}
    assert with_closed(examined, None, seed=1) is examined


def test_scores_of_another_model_are_refused(examined: Examination, tmp_path: Path):
    changed = {**examined.variants, "OP": 255 - examined.variants["OP"]}
    closed = read_closed(SETTINGS, Paths(tmp_path))["test"]
    with pytest.raises(SanError, match="outputs of another model"):
        with_closed(replace(examined, variants=changed), closed, seed=1)


def test_small_scores_keep_their_order(examined: Examination, tmp_path: Path):
    exchange = read_exchange(tmp_path / "out/test")
    tiny = np.geomspace(1e-30, 0.9, 12)[
        np.argsort(np.argsort(examined.faces.labels, kind="stable"))
    ]
    rows = [f"{f},{v}" for f, v in zip(exchange.files, [*tiny, *tiny], strict=True)]
    (tmp_path / "g.csv").write_text("\n".join(["file,score", *rows]))
    programs = [PROGRAMS[0] | {"threshold": 0.5}]
    settings = Settings.model_validate({"evaluate": {"exchange": "out", "scores": programs}})
    joined = with_closed(examined, read_closed(settings, Paths(tmp_path))["test"], seed=1)
    figures = find(joined, settings).metrics["classifiers"]["G"]["original"]
    assert figures["auc"] == 1
    assert figures["error_rate"] == 5 / 12  # one of six men is above 0.5


def test_pairs_that_were_drawn_are_told_and_whole_sets_are_not(
    examined: Examination, tmp_path: Path
):
    joined = with_closed(examined, read_closed(SETTINGS, Paths(tmp_path))["test"], seed=1)
    assert find(joined, SETTINGS).notes == []
    fewer = {
        key: PairScores(scored.scores[kept], scored.people[kept])
        for key, scored in joined.closed.items()
        for kept in [scored.genuine | (np.arange(len(scored.scores)) % 2 == 0)]
    }
    (note,) = find(replace(joined, closed=fewer), SETTINGS).notes
    pairs = next(iter(fewer.values())).impostors
    assert note == (
        f"{pairs} impostor pairs that M compared of the set test were drawn from all with the"
        " seed 1"
    )
