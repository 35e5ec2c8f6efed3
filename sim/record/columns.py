"""The columns of the record: a call is a row, and so is a task."""

from dataclasses import dataclass, fields
from typing import Self, TypeVar

import numpy as np

from sim.units import Int64Array


def from_rows(width: int, rows: list[tuple[int, ...]]) -> list[Int64Array]:
    """So many columns, from rows that have as many values."""
    if not rows:
        return [np.empty(0, np.int64) for _ in range(width)]
    return list(np.array(rows, dtype=np.int64).T)


@dataclass(frozen=True, slots=True)
class Calls:
    """Columns of calls, equally long.

    Codes: agent, model, intent by position in the scenario, status and reason by `Status` and
    `Reason`; ``difficulty`` in millionths. ``step`` and ``clone`` say which part of a workflow it
    is, ``attempt`` counts within that part. ``output_tokens`` are those billed, ``produced_tokens``
    those made by the model ``served_by``, at a marginal cost of ``cost_micros``; without an answer
    there are none, and ``served_by`` is the model. ``bid_micros`` is the most that the agent
    offered and ``ask_micros`` what the model asked: both the quote, where the price is posted.
    ``slash_micros`` is what the model paid the agent out of its bond.
    """

    call_id: Int64Array
    task_id: Int64Array
    agent: Int64Array
    model: Int64Array
    intent: Int64Array
    posted_us: Int64Array
    started_us: Int64Array
    finished_us: Int64Array
    input_tokens: Int64Array
    cached_tokens: Int64Array
    output_tokens: Int64Array
    attempt: Int64Array
    quote_micros: Int64Array
    charge_micros: Int64Array
    fee_micros: Int64Array
    success: Int64Array
    score_ppm: Int64Array
    status: Int64Array
    reason: Int64Array
    reference_tokens: Int64Array
    difficulty: Int64Array
    step: Int64Array
    clone: Int64Array
    produced_tokens: Int64Array
    served_by: Int64Array
    cost_micros: Int64Array
    bid_micros: Int64Array
    ask_micros: Int64Array
    slash_micros: Int64Array

    def __len__(self) -> int:
        return len(self.call_id)

    @classmethod
    def from_rows(cls, rows: list[tuple[int, ...]]) -> Self:
        """Columns from rows whose values stand in the order of the fields."""
        return cls(*from_rows(len(fields(cls)), rows))

    def take(self, rows: Int64Array) -> Self:
        """The rows at these positions, in this order."""
        return type(self)(*(getattr(self, field.name)[rows] for field in fields(self)))


@dataclass(frozen=True, slots=True)
class Tasks:
    """Columns of tasks, in the order in which they were posted; ``calls`` counts their attempts.

    ``value_micros`` is what a right answer in time is worth to the agent.
    """

    task_id: Int64Array
    agent: Int64Array
    intent: Int64Array
    posted_us: Int64Array
    ended_us: Int64Array
    calls: Int64Array
    outcome: Int64Array
    reason: Int64Array
    value_micros: Int64Array

    def __len__(self) -> int:
        return len(self.task_id)

    @classmethod
    def from_rows(cls, rows: list[tuple[int, ...]]) -> Self:
        """Columns from rows whose values stand in the order of the fields."""
        return cls(*from_rows(len(fields(cls)), rows))


@dataclass(frozen=True, slots=True)
class OwnAnswers:
    """Columns of answers that agents' own machines gave, in the order in which they came.

    ``reason`` says whether it was right, and in time.
    """

    task_id: Int64Array
    agent: Int64Array
    model: Int64Array
    intent: Int64Array
    step: Int64Array
    clone: Int64Array
    attempt: Int64Array
    started_us: Int64Array
    finished_us: Int64Array
    input_tokens: Int64Array
    output_tokens: Int64Array
    reason: Int64Array

    def __len__(self) -> int:
        return len(self.task_id)

    @classmethod
    def from_rows(cls, rows: list[tuple[int, ...]]) -> Self:
        """Columns from rows whose values stand in the order of the fields."""
        return cls(*from_rows(len(fields(cls)), rows))


@dataclass(frozen=True, slots=True)
class Decisions:
    """Columns of what agents decided, and when; ``model`` is -1 where it is about the market."""

    time_us: Int64Array
    agent: Int64Array
    decision: Int64Array
    model: Int64Array

    def __len__(self) -> int:
        return len(self.time_us)

    @classmethod
    def from_rows(cls, rows: list[tuple[int, ...]]) -> Self:
        """Columns from rows whose values stand in the order of the fields."""
        return cls(*from_rows(len(fields(cls)), rows))


@dataclass(frozen=True, slots=True)
class Transfers:
    """Columns of transfers of USDC: ``kind`` by `Kind`, accounts by number, amounts in micros.

    ``call_id`` is -1 for a mint.
    """

    call_id: Int64Array
    time_us: Int64Array
    kind: Int64Array
    source: Int64Array
    target: Int64Array
    micros: Int64Array

    def __len__(self) -> int:
        return len(self.call_id)


Table = TypeVar("Table", Calls, Tasks, OwnAnswers, Decisions)


def concatenate(kind: type[Table], blocks: list[Table], key: str) -> Table:
    """All blocks as one, sorted by the column ``key``."""
    order = np.argsort(np.concatenate([getattr(block, key) for block in blocks]), kind="stable")
    columns = [
        np.concatenate([getattr(block, field.name) for block in blocks])[order]
        for field in fields(kind)
    ]
    return kind(*columns)


def joined(kind: type[Table], blocks: list[Table]) -> Table:
    """All blocks one after the other; no rows if there are no blocks."""
    if not blocks:
        return kind(*(np.empty(0, np.int64) for _ in fields(kind)))
    return kind(
        *(np.concatenate([getattr(block, f.name) for block in blocks]) for f in fields(kind))
    )
