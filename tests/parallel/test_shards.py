"""Work by shards: what is done is kept, what is lost is done again."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from distributed import Client
from shard_work import (
    end_the_worker,
    end_the_worker_once,
    fail_halfway,
    fill_the_disk,
    list_ids,
    list_ids_slowly,
    square,
)

from sanmodel.errors import SanError
from sanmodel.observer import SILENT, Observer
from sanmodel.parallel.cluster import connected
from sanmodel.parallel.shards import finish_shards, plan_shards, run_tasks
from sanmodel.tables import GROUP_ROWS, RAW_COLUMNS, TableWriter

ROWS = 5 * GROUP_ROWS + 10


@pytest.fixture(scope="module")
def client() -> Iterator[Client]:
    """Two local worker processes."""
    with connected(2, tasks=10) as client:
        yield client


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A table of two files and six row groups."""
    return write_table(tmp_path_factory.mktemp("table"))


def write_table(folder: Path, first: int = 0) -> Path:
    with TableWriter(folder, RAW_COLUMNS, ["Male"], shard_rows=4 * GROUP_ROWS) as writer:
        for number in range(first, first + ROWS):
            writer.add({"image_id": f"{number}", "image": bytes(10)})
    return folder


class Heard(Observer):
    """Remembers what it hears."""

    def __init__(self) -> None:
        self.total = self.before = self.after = 0

    def start(self, task: str, total: int, done: int = 0) -> None:
        self.total, self.before = total, done

    def advance(self, steps: int = 1) -> None:
        self.after += steps


def test_every_row_is_in_one_shard_and_the_order_is_kept(
    client: Client, table: Path, tmp_path: Path
):
    shards = plan_shards(client, table, "settings", tmp_path)
    assert [shard.rows for shard in shards] == [GROUP_ROWS] * 5 + [10]
    heard = Heard()
    finish_shards(client, list_ids, shards, "ids", heard)
    ids = " ".join(shard.result.read_text() for shard in shards)
    assert ids.split() == [f"{number}" for number in range(ROWS)]
    assert (heard.total, heard.before, heard.after) == (ROWS, 0, ROWS)


def test_shards_are_as_many_as_asked_for_at_most(client: Client, table: Path, tmp_path: Path):
    shards = plan_shards(client, table, "settings", tmp_path, at_most=2)
    assert [shard.rows for shard in shards] == [3 * GROUP_ROWS, 2 * GROUP_ROWS + 10]


def test_finished_shards_are_not_made_again(client: Client, table: Path, tmp_path: Path):
    shards = plan_shards(client, table, "settings", tmp_path)
    for shard in shards[:2]:
        shard.result.write_text("made before")
    heard = Heard()
    finish_shards(client, list_ids, shards, "ids", heard)
    assert [shard.result.read_text() for shard in shards[:2]] == ["made before"] * 2
    assert (heard.before, heard.after) == (2 * GROUP_ROWS, ROWS - 2 * GROUP_ROWS)


def test_other_settings_and_other_rows_are_other_shards(
    client: Client, table: Path, tmp_path: Path
):
    (tmp_path / "changed").mkdir()
    changed = write_table(tmp_path / "changed", first=1)

    def names(table: Path, settings: str) -> list[str]:
        return [shard.result.name for shard in plan_shards(client, table, settings, tmp_path)]

    before = names(table, "settings")
    assert before == names(table, "settings")
    assert len({*before, *names(table, "others"), *names(changed, "settings")}) == 3 * 6


def test_other_code_is_other_shards(
    client: Client, table: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    before = plan_shards(client, table, "settings", tmp_path)
    with connected(1, tasks=1) as own:  # whose worker sees the same change
        monkeypatch.setattr("sanmodel.parallel.shards.code_digest", lambda: "another")
        after = plan_shards(own, table, "settings", tmp_path)
    assert {shard.result for shard in before}.isdisjoint(shard.result for shard in after)


def test_a_worker_with_other_code_is_refused(client: Client, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("sanmodel.parallel.shards.code_digest", lambda: "another")
    with pytest.raises(SanError, match="a Dask worker has another version of sanmodel"):
        list(run_tasks(client, square, [1]))


def test_a_failure_is_told_and_leaves_no_half_file(client: Client, table: Path, tmp_path: Path):
    shards = plan_shards(client, table, "settings", tmp_path)[:1]
    with pytest.raises(SanError, match=r"cannot do rows 0 to 63 of .*part-00000.parquet"):
        finish_shards(client, fail_halfway, shards, "ids", SILENT)
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(SanError, match="the disk is full: .* free some space"):
        finish_shards(client, fill_the_disk, shards, "ids", SILENT)


def test_the_work_of_a_lost_worker_is_done_by_another(client: Client, tmp_path: Path):
    marker = tmp_path / "marker"
    ((_, worker),) = run_tasks(client, end_the_worker_once, [marker])
    assert worker != int(marker.read_text())


def test_a_worker_that_is_killed_midway_changes_nothing(
    client: Client, table: Path, tmp_path: Path
):
    shards = plan_shards(client, table, "settings", tmp_path)
    client.wait_for_workers(2, timeout=30)
    victim = next(iter(client.run(os.getpid).values()))

    class Killer(Heard):
        def advance(self, steps: int = 1) -> None:
            if self.after == 0:
                os.kill(victim, 9)
            super().advance(steps)

    heard = Killer()
    finish_shards(client, list_ids_slowly, shards, "ids", heard)
    ids = " ".join(shard.result.read_text() for shard in shards)
    assert ids.split() == [f"{number}" for number in range(ROWS)]
    assert heard.after == ROWS


def test_work_that_ends_every_worker_is_named(client: Client):
    with pytest.raises(SanError, match="workers ended .* at work on 7: one of its images may need"):
        list(run_tasks(client, end_the_worker, [7]))


def test_there_may_be_more_tasks_than_are_in_flight(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("sanmodel.parallel.shards.IN_FLIGHT", 3)
    with connected(1, tasks=1) as client:
        assert dict(run_tasks(client, square, range(20))) == {n: n * n for n in range(20)}
        assert list(run_tasks(client, square, [])) == []
