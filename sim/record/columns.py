"""The columns of the record: a call is a row, and so is a task."""

from dataclasses import dataclass, fields
from typing import Self

import numpy as np

from sim.units import Int64Array


@dataclass(frozen=True, slots=True)
class Table:
    """Columns of equal length; every field of a class under this one is one of them."""

    def __len__(self) -> int:
        return len(getattr(self, fields(self)[0].name))

    @classmethod
    def from_rows(cls, rows: list[tuple[int, ...]]) -> Self:
        """Columns from rows whose values stand in the order of the fields."""
        if not rows:
            return cls(*(np.empty(0, np.int64) for _ in fields(cls)))
        columns = zip(*rows, strict=True)
        return cls(*(np.fromiter(column, np.int64, len(rows)) for column in columns))

    def take(self, rows: Int64Array | slice) -> Self:
        """The rows at these positions, in this order; those of a slice are not copied."""
        return type(self)(*(getattr(self, field.name)[rows] for field in fields(self)))


@dataclass(frozen=True, slots=True)
class Calls(Table):
    """Columns of calls.

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


@dataclass(frozen=True, slots=True)
class Tasks(Table):
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


@dataclass(frozen=True, slots=True)
class OwnAnswers(Table):
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


@dataclass(frozen=True, slots=True)
class Decisions(Table):
    """Columns of what agents decided, and when; ``model`` is -1 where it is about the market."""

    time_us: Int64Array
    agent: Int64Array
    decision: Int64Array
    model: Int64Array


@dataclass(frozen=True, slots=True)
class Prices(Table):
    """Columns of the list prices that models changed in mid-run, in the order of the changes.

    ``first_call`` is the id of the first call that may be quoted by it. Prices per token are micros
    per million tokens.
    """

    time_us: Int64Array
    first_call: Int64Array
    model: Int64Array
    per_call_micros: Int64Array
    input_micros: Int64Array
    cached_micros: Int64Array
    output_micros: Int64Array


@dataclass(frozen=True, slots=True)
class Asks(Table):
    """Columns of what models ask for a call in an auction, where their costs are drawn.

    A row for each model that serves the intent and asks by such a cost, whether it got the call or
    not, busy or down though it may have been: of all other asks the record tells by itself.
    """

    call_id: Int64Array
    model: Int64Array
    ask_micros: Int64Array


@dataclass(frozen=True, slots=True)
class Slots(Table):
    """Columns of how many slots models have from a time on, where that changed in mid-run."""

    time_us: Int64Array
    model: Int64Array
    slots: Int64Array


@dataclass(frozen=True, slots=True)
class Withdrawals(Table):
    """Columns of the steps of withdrawals: an agent asks, and, ``executed``, it has the money."""

    time_us: Int64Array
    agent: Int64Array
    executed: Int64Array
    micros: Int64Array


@dataclass(frozen=True, slots=True)
class Jobs(Table):
    """Columns of the calls that were on-chain jobs, in the order of their ids.

    A job costs ``base_micros`` times ``multiplier_tenths`` / 10, the multiplier of an intent with
    ``volume`` answers in the window: that is ``gross_micros``, of which the treasury keeps
    ``fee_micros``, and the rest is swapped for the model, as the run's ``swap``-th swap from 0
    (-1 where none was). ``state`` by `JobState`; ``ended_us`` is -1 until it ends.
    """

    call_id: Int64Array
    task_id: Int64Array
    agent: Int64Array
    model: Int64Array
    intent: Int64Array
    base_micros: Int64Array
    multiplier_tenths: Int64Array
    volume: Int64Array
    gross_micros: Int64Array
    fee_micros: Int64Array
    created_us: Int64Array
    ended_us: Int64Array
    state: Int64Array
    swap: Int64Array


@dataclass(frozen=True, slots=True)
class Transfers(Table):
    """Columns of transfers of USDC: ``kind`` by `Kind`, accounts by number, amounts in micros.

    ``call_id`` is -1 for a mint.
    """

    call_id: Int64Array
    time_us: Int64Array
    kind: Int64Array
    source: Int64Array
    target: Int64Array
    micros: Int64Array
