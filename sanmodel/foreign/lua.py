"""Torch7's ``.t7`` files: Lua values and tensors, as ``torch.save`` wrote them on 64-bit machines.

A value is a 32-bit type and what follows from it. Tables and objects carry a number by which later
ones refer to them. The reader takes nothing on trust: no length reaches beyond the end of the file,
no tensor beyond its storage; functions are passed over and nothing is run.
"""

import math
import struct
from collections.abc import Callable
from dataclasses import dataclass, field
from io import BufferedReader
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

NIL, NUMBER, STRING, TABLE, OBJECT, BOOLEAN = range(6)
FUNCTION, OLD_RECURSIVE, RECURSIVE = 6, 7, 8
"""The types of three generations of functions; those of the first carry no number."""

MAX_DIMENSIONS = 8
PAIR = 12
"""Least bytes of a key and its value."""

KINDS = {
    "Byte": torch.uint8,
    "Char": torch.int8,
    "Short": torch.int16,
    "Int": torch.int32,
    "Long": torch.int64,
    "Float": torch.float32,
    "Double": torch.float64,
    "Cuda": torch.float32,
    "CudaDouble": torch.float64,
}
STORAGES = {f"torch.{kind}Storage": dtype for kind, dtype in KINDS.items()}
TENSORS = frozenset(f"torch.{kind}Tensor" for kind in KINDS)

Value = Any
"""None, a float, a bool, a str, a dict (a table), a :class:`LuaObject` or a tensor."""


@dataclass
class LuaObject:
    """An object of a class that is no tensor: a layer, say.

    Attributes:
        kind: Its class, for example "nn.Linear".
        fields: Its table.
    """

    kind: str
    fields: dict[Value, Value] = field(default_factory=dict)


def read_lua(path: Path) -> Value:
    """Read the first value of a file.

    Raises:
        ValueError: If the file ends early or does not follow the format.
    """
    with path.open("rb") as stream:
        try:
            return _Reader(stream, path.stat().st_size).value()
        except RecursionError as error:
            raise ValueError("its values lie too deep in one another") from error


class _Reader:
    """Reads value after value; one method for each thing that a file is made of."""

    def __init__(self, stream: BufferedReader, size: int) -> None:
        self._stream, self._size = stream, size
        self._known: dict[int, Value] = {}

    def value(self) -> Value:
        """Read any value, with all that it holds."""
        kind = self._int()
        if kind == NIL:
            return None
        if kind == NUMBER:
            return self._unpack("d")
        if kind == STRING:
            return self._string()
        if kind == BOOLEAN:
            return self._int() == 1
        if kind == TABLE:
            return self._once(self._table)
        if kind == OBJECT:
            return self._once(self._object)
        if kind == FUNCTION:
            return self._function()
        if kind in (OLD_RECURSIVE, RECURSIVE):
            return self._once(self._numbered_function)
        raise ValueError(f"{kind} is no type of a Lua value")

    def _once(self, read: Callable[[int], Value]) -> Value:
        """Read what was not read before; ``read`` files it under its number as ``_known``."""
        number = self._int()
        if number not in self._known:
            read(number)
        return self._known[number]

    def _table(self, number: int) -> None:
        table: dict[Value, Value] = {}
        self._known[number] = table  # first of all, since a table may hold itself
        for _ in range(self._length(self._int(), PAIR)):
            key = self.value()
            if not isinstance(key, str | float | bool):
                raise ValueError("a table has a key that is no text or number")
            table[key] = self.value()

    def _object(self, number: int) -> None:
        kind = self._string()
        if kind.startswith("V "):  # the version; the oldest files have none
            kind = self._string()
        if kind in STORAGES:
            self._known[number] = self._storage(STORAGES[kind])
        elif kind in TENSORS:
            self._known[number] = self._tensor()
        else:
            made = self._known[number] = LuaObject(kind)
            fields = self.value()
            if not isinstance(fields, dict):
                raise ValueError(f"an object of {kind} has no table")
            made.fields = fields

    def _numbered_function(self, number: int) -> None:
        self._known[number] = None
        self._function()

    def _function(self) -> None:
        self._bytes(self._int())
        self.value()  # what the function closes over

    def _storage(self, dtype: torch.dtype) -> Tensor:
        count = self._length(self._long(), dtype.itemsize)
        if count == 0:
            return torch.empty(0, dtype=dtype)
        buffer = bytearray(count * dtype.itemsize)
        self._stream.readinto(buffer)
        return torch.frombuffer(buffer, dtype=dtype)

    def _tensor(self) -> Tensor:
        dimensions = self._int()
        if not 0 <= dimensions <= MAX_DIMENSIONS:
            raise ValueError(f"a tensor has {dimensions} dimensions")
        sizes = [self._long() for _ in range(dimensions)]
        strides = [self._long() for _ in range(dimensions)]
        offset = self._long() - 1
        storage = self.value()
        if dimensions == 0 or storage is None:
            return torch.empty(0)
        _check_inside(storage, sizes, strides, offset)
        return torch.as_strided(storage, sizes, strides, offset)

    def _string(self) -> str:
        return self._bytes(self._int()).decode("latin-1")

    def _int(self) -> int:
        return int(self._unpack("i"))

    def _long(self) -> int:
        return int(self._unpack("q"))

    def _unpack(self, code: str) -> float:
        number: float
        (number,) = struct.unpack(f"<{code}", self._bytes(struct.calcsize(f"<{code}")))
        return number

    def _bytes(self, count: int) -> bytes:
        return self._stream.read(self._length(count))

    def _length(self, count: int, itemsize: int = 1) -> int:
        """Return ``count`` if so many items of ``itemsize`` bytes can still follow."""
        place = self._stream.tell()
        if not 0 <= count * itemsize <= self._size - place:
            raise ValueError(f"byte {place} of {self._size} announces {count * itemsize} more")
        return count


def _check_inside(storage: Value, sizes: list[int], strides: list[int], offset: int) -> None:
    """Refuse a tensor that reaches out of its storage, or that shows one value many times."""
    if not isinstance(storage, Tensor):
        raise ValueError("a tensor has no storage")
    steps = zip(sizes, strides, strict=True)
    last = offset + sum((size - 1) * stride for size, stride in steps)
    if min(*sizes, *strides, offset) < 0 or max(last + 1, math.prod(sizes)) > storage.numel():
        raise ValueError(f"a tensor of {sizes} reaches out of its {storage.numel()} values")
