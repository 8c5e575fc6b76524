import dataclasses

import numpy as np
import pytest
from small_exports import IDS, MATCHED, PEOPLE, export, pictures

from sanmodel.errors import SanError
from sanmodel.evaluation.exchange import read_exchange, require_current


def check(exchange, ids=IDS, variants=None, people=PEOPLE, matched=MATCHED, seed=1):
    require_current(exchange, ids, people, matched, variants or pictures(), seed)


def test_scores_of_other_images_or_an_older_model_are_refused(exchange):
    images = pictures()
    check(exchange)
    rounded = {**images, "SM": np.clip(images["SM"], 1, 254)}
    check(exchange, variants=rounded)
    retrained = {**images, "OP": 255 - images["OP"]}
    for ids, variants in ((IDS[::-1], images), (IDS[:-1], images), (IDS, retrained)):
        with pytest.raises(SanError, match="have them scored anew"):
            check(exchange, ids, variants)
    with pytest.raises(SanError, match="have them scored anew"):
        check(exchange, variants={"original": images["original"]})


def test_pairs_that_are_not_all_pairs_are_refused(exchange):
    reordered = dataclasses.replace(exchange, pairs=exchange.pairs[::-1])
    check(reordered)
    everyone = np.ones(6, dtype=bool)
    for changes in (
        {"exchange": dataclasses.replace(exchange, pairs=exchange.pairs[1:])},
        {"exchange": dataclasses.replace(exchange, pairs=exchange.pairs[:0])},
        {"matched": everyone},
    ):
        with pytest.raises(SanError, match="shows other images, pairs or outputs"):
            check(**{"exchange": exchange, **changes})


def test_a_damaged_export_is_told(tmp_path):
    with pytest.raises(SanError, match="manifest.csv is missing"):
        read_exchange(tmp_path / "out")
    export(tmp_path / "out")
    before = read_exchange(tmp_path / "out")
    (tmp_path / "out" / "SM" / "000005.png").unlink()
    with pytest.raises(
        SanError, match=f"000005.png is missing: run `san evaluate --export-images {tmp_path}` "
    ):
        check(before)
    manifest = tmp_path / "out" / "manifest.csv"
    lines = manifest.read_text(encoding="utf-8").splitlines()
    for cut in (lines[:1], lines[:-2], [lines[0], *lines[:0:-1]]):
        manifest.write_text("\n".join(cut) + "\n", encoding="utf-8")
        with pytest.raises(
            SanError, match=f"was changed: run `san evaluate --export-images {tmp_path}` "
        ):
            read_exchange(tmp_path / "out")
