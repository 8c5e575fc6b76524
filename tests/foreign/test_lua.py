"""Torch7's files are read strictly: nothing beyond the end, nothing run."""

import struct
from contextlib import suppress
from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from vggface_files import LuaWriter

from sanmodel.foreign.lua import LuaObject, read_lua

LUA = LuaWriter()
MATRIX = torch.arange(6.0).reshape(2, 3)
SMALL = LUA.object(
    "nn.Sequential",
    {
        "modules": LUA.table({1: LUA.object("nn.Linear", {"weight": LUA.tensor(MATRIX)})}),
        "train": LUA.boolean(False),
        "name": LUA.text("small"),
    },
)
NESTED = b"".join(struct.pack("<iii", 4, number, 0) for number in range(9999))
INTEGER = struct.Struct("<i")


def read(content: bytes, folder: Path) -> object:
    path = folder / "x.t7"
    path.write_bytes(content)
    return read_lua(path)


def tensor(sizes: list[int], strides: list[int], offset: int, values: int) -> bytes:
    """A tensor that may say anything of a storage with so many values."""
    numbers = [*sizes, *strides, offset]
    layout = struct.pack(f"<i{len(numbers)}q", len(sizes), *numbers)
    head = struct.pack("<ii", 4, 100) + LUA.text("torch.FloatTensor")[4:]
    return head + layout + LUA.storage(torch.zeros(values))


def test_values_come_back(tmp_path: Path):
    network = read(SMALL, tmp_path)
    assert isinstance(network, LuaObject)
    assert (network.kind, network.fields["train"], network.fields["name"]) == (
        "nn.Sequential",
        False,
        "small",
    )
    layer = network.fields["modules"][1]
    assert layer.kind == "nn.Linear"
    assert torch.equal(layer.fields["weight"], MATRIX)


def test_a_table_may_hold_itself(tmp_path: Path):
    itself = struct.pack("<ii", 3, 7)
    table = read(struct.pack("<iii", 3, 7, 1) + LUA.text("me") + itself, tmp_path)
    assert table["me"] is table


def test_functions_are_passed_over(tmp_path: Path):
    function = struct.pack("<iii", 8, 9, 4) + b"code" + LUA.nil()
    table = read(LUA.table({"run": function, "n": LUA.number(2)}), tmp_path)
    assert table == {"run": None, "n": 2}


def test_functions_of_the_first_generation_carry_no_number(tmp_path: Path):
    function = struct.pack("<ii", 6, 4) + b"code" + LUA.nil()
    table = read(LUA.table({"run": function, "n": LUA.number(2)}), tmp_path)
    assert table == {"run": None, "n": 2}


def test_a_part_of_a_storage_is_a_tensor(tmp_path: Path):
    assert read(tensor([2, 2], [3, 1], 2, 6), tmp_path).shape == (2, 2)


@pytest.mark.parametrize(
    "layout",
    [
        ([2, 4], [4, 1], 1, 6),
        ([6], [1], 2, 6),
        ([6], [1], 0, 6),
        ([2], [-1], 2, 6),
        ([-1], [1], 1, 6),
        ([2**40], [0], 1, 6),
        ([2, 2], [2**62, 1], 1, 6),
    ],
)
def test_a_tensor_stays_inside_its_storage(layout: tuple, tmp_path: Path):
    with pytest.raises(ValueError, match="reaches out of its 6 values"):
        read(tensor(*layout), tmp_path)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (NESTED, "too deep"),
        (INTEGER.pack(11), "11 is no type of a Lua value"),
        (struct.pack("<ii", 2, 2**31 - 1), "byte 8 of 8 announces 2147483647 more"),
        (struct.pack("<ii", 2, -1), "announces -1 more"),
        (struct.pack("<iii", 3, 1, 2**30), "announces 12884901888 more"),
        (LUA.storage(torch.zeros(2))[:-2], "announces 8 more"),
        (struct.pack("<iii", 3, 1, 1) + LUA.table({}) + LUA.nil(), "no text or number"),
        (struct.pack("<ii", 4, 1) + LUA.text("nn.Linear")[4:] + LUA.nil(), "has no table"),
        (struct.pack("<ii", 4, 1) + LUA.text("torch.FloatTensor")[4:] + INTEGER.pack(9), "9 dim"),
    ],
)
def test_what_does_not_follow_the_format_is_refused(content: bytes, words: str, tmp_path: Path):
    with pytest.raises(ValueError, match=words):
        read(content, tmp_path)


def test_a_file_that_ends_early_is_refused_wherever_it_ends(tmp_path: Path):
    for length in range(len(SMALL)):
        with pytest.raises(ValueError, match="announces"):
            read(SMALL[:length], tmp_path)


@settings(max_examples=300, deadline=None)
@given(changes=st.lists(st.tuples(st.integers(0, len(SMALL) - 1), st.integers(0, 255))))
def test_a_changed_file_is_read_or_refused(
    tmp_path_factory: pytest.TempPathFactory, changes: list[tuple[int, int]]
):
    content = bytearray(SMALL)
    for place, value in changes:
        content[place] = value
    with suppress(ValueError):
        read(bytes(content), tmp_path_factory.getbasetemp())
