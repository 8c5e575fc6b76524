"""The load is real, and so is the stop."""

from pathlib import Path

import pytest
from rich.console import Console
from serving_model import served_model
from small import PROJECT

from sanmodel.benchmarks import serving
from sanmodel.errors import SanError


def test_a_short_load_has_figures(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    folder, photos = served_model(tmp_path / "export"), PROJECT / "data/sample/photos"
    figures = serving.run_benchmark(folder, photos, seconds=3, clients=4)
    assert figures["errors"] == {}
    assert figures["requests"] > 4
    assert 0 < figures["p50"] <= figures["p90"] <= figures["p99"] < 10_000
    assert 50 < figures["memory_settled"] < 4000
    assert figures["clean"]
    assert figures["taken"] == figures["received"] >= figures["requests"]
    serving.show(figures, Console(width=100))
    assert "all answered" in capsys.readouterr().out


def test_photos_are_needed(tmp_path: Path):
    with pytest.raises(SanError, match="has no JPEG files"):
        serving.run_benchmark(tmp_path, tmp_path, 1, 1)


def test_a_server_that_does_not_start_is_told(tmp_path: Path):
    with pytest.raises(SanError, match="the server did not start"):
        serving.run_benchmark(tmp_path, PROJECT / "data/sample/photos", 1, 1)
