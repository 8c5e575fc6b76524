import numpy as np
import pytest
from small_exports import IDS, export, pictures

from sanmodel.errors import SanError
from sanmodel.evaluation.exchange import read_exchange, require_current


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
