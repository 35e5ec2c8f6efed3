"""Columns put away in as few bytes as hold their values, until a record is made of them."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Generic, Self, TypeVar

import numpy as np
import numpy.typing as npt

from sim.record.columns import Table
from sim.units import Int64Array

Rows = TypeVar("Rows", bound=Table)


@dataclass(frozen=True, slots=True)
class PackedColumn:
    """A column as its least value, and how far above it each value is: one to eight bytes each."""

    least: int
    above: npt.NDArray[np.unsignedinteger]

    @classmethod
    def of(cls, column: Int64Array) -> Self:
        """A column, packed; distances beyond int64 wrap, and wrap back when they are joined."""
        least, most = (int(column.min()), int(column.max())) if len(column) else (0, 0)
        return cls(least, (column - least).astype(np.min_scalar_type(most - least)))

    @property
    def nbytes(self) -> int:
        """How many bytes the values take."""
        return self.above.nbytes

    @staticmethod
    def joined(blocks: "Sequence[PackedColumn]") -> Int64Array:
        """The values of all blocks, one after the other."""
        whole = np.empty(sum(len(block.above) for block in blocks), np.int64)
        start = 0
        for block in blocks:
            part = whole[start : start + len(block.above)]
            part[:] = block.above
            part += block.least
            start += len(part)
        return whole


class Packed(Generic[Rows]):
    """A table whose columns are packed."""

    __slots__ = ("columns", "kind")

    def __init__(self, rows: Rows) -> None:
        self.kind = type(rows)
        self.columns = {
            each.name: PackedColumn.of(getattr(rows, each.name)) for each in fields(rows)
        }

    @property
    def nbytes(self) -> int:
        """How many bytes the values take."""
        return sum(column.nbytes for column in self.columns.values())

    def unpacked(self) -> Rows:
        """The table as it was."""
        return self.kind(*(PackedColumn.joined([column]) for column in self.columns.values()))


def order_by(key: str, blocks: Sequence[Packed[Rows]]) -> Int64Array:
    """The order that sorts the rows, taken one block after the other, by the column ``key``."""
    column = PackedColumn.joined([block.columns[key] for block in blocks])
    return np.argsort(column, kind="stable")


def used_up(kind: type[Rows], blocks: list[Packed[Rows]], order: Int64Array | None = None) -> Rows:
    """The rows of all blocks, one after the other or in this order.

    Blocks lose each column as it is joined, so that a run is held in memory once.
    """
    rows = slice(None) if order is None else order
    columns = (
        PackedColumn.joined([block.columns.pop(each.name) for block in blocks])[rows]
        for each in fields(kind)
    )
    table = kind(*columns)
    blocks.clear()
    return table
