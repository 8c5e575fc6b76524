import subprocess
import sys
from pathlib import Path

import pytest

from sanmodel.errors import SanError
from sanmodel.tables import (
    GROUP_ROWS,
    RAW_COLUMNS,
    TableWriter,
    attributes,
    count_rows,
    iterate_group,
    iterate_rows,
    read_columns,
    require_attribute,
    row_groups,
    shards,
)


def write(folder: Path, count: int) -> None:
    folder.mkdir()
    with TableWriter(folder, RAW_COLUMNS, ["Male"], shard_rows=4) as writer:
        for index in range(count):
            row = {"image_id": str(index), "identity": "a", "source_path": "x", "image": b"abc"}
            writer.add({**row, "Male": index % 2, "ignored": 1})


@pytest.mark.parametrize(("count", "files"), [(0, 1), (3, 1), (4, 1), (9, 3)])
def test_rows_come_back_in_order_from_shards(tmp_path: Path, count: int, files: int):
    write(tmp_path / "t", count)
    assert len(shards(tmp_path / "t")) == files
    assert count_rows(tmp_path / "t") == count
    rows = list(iterate_rows(tmp_path / "t"))
    assert [row["image_id"] for row in rows] == [str(index) for index in range(count)]
    assert all(row["partition"] is None and row["image"] == b"abc" for row in rows)


def test_columns_are_read_without_the_images(tmp_path: Path):
    write(tmp_path / "t", 5)
    frame = read_columns(tmp_path / "t")
    assert list(frame.columns) == [*(name for name in RAW_COLUMNS if name != "image"), "Male"]
    assert attributes(tmp_path / "t") == ["Male"]


def test_a_missing_attribute_names_those_that_exist(tmp_path: Path):
    with pytest.raises(SanError, match=r"no attribute 'Hat': set `attribute` .* one of Male"):
        require_attribute(["Male"], "Hat", tmp_path)


def test_damage_is_named(tmp_path: Path):
    with pytest.raises(SanError, match="holds no table: run `dvc repro`"):
        read_columns(tmp_path)
    write(tmp_path / "t", 9)
    part = shards(tmp_path / "t")[1]
    part.write_bytes(part.read_bytes()[:-20])
    with pytest.raises(SanError, match=r"part-00001\.parquet is damaged"):
        list(iterate_rows(tmp_path / "t"))
    with pytest.raises(SanError, match="lacks the column Hat"):
        list(iterate_rows(tmp_path / "t", ["Hat"]))


def test_row_groups_are_read_without_the_rest(tmp_path: Path):
    folder = tmp_path / "t"
    folder.mkdir()
    with TableWriter(folder, RAW_COLUMNS, ["Male"], shard_rows=2 * GROUP_ROWS + 5) as writer:
        for index in range(2 * GROUP_ROWS + 15):
            writer.add({"image_id": str(index), "image": b"abc"})
    groups = row_groups(folder)
    assert [(group.index, group.first, group.rows) for group in groups] == [
        (0, 0, GROUP_ROWS),
        (1, GROUP_ROWS, GROUP_ROWS),
        (2, 2 * GROUP_ROWS, 5),
        (0, 0, 10),
    ]
    (first, *_, last) = iterate_group(groups[1], ["image_id"])
    assert (first, last) == ({"image_id": f"{GROUP_ROWS}"}, {"image_id": f"{2 * GROUP_ROWS - 1}"})
    assert str(groups[2]).startswith(f"rows {2 * GROUP_ROWS} to {2 * GROUP_ROWS + 4} of ")


READ = """
import resource, sys
from pathlib import Path
from sanmodel.tables import iterate_group, row_groups
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
rows = sum(len(row["image"]) > 0 for group in row_groups(Path(sys.argv[1])) for row in
           iterate_group(group))
print(rows, (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024)
"""


def test_large_images_are_read_a_few_at_a_time(tmp_path: Path):
    folder = tmp_path / "t"
    folder.mkdir()
    with TableWriter(folder, RAW_COLUMNS, []) as writer:
        for index in range(GROUP_ROWS):
            writer.add({"image_id": str(index), "image": bytes([index]) * (4 << 20)})
    shown = subprocess.run(
        [sys.executable, "-c", READ, str(folder)], capture_output=True, text=True, check=True
    )
    rows, mib = map(int, shown.stdout.split())
    assert rows == GROUP_ROWS
    assert mib < 120  # of 256
