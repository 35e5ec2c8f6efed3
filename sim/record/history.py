"""What a run leaves in memory: blocks of columns in the order in which calls ended."""

from dataclasses import dataclass, field
from functools import cached_property
from typing import Final

import numpy as np

from sim.facts import Reason, Status, TelexError
from sim.rails import Closed
from sim.record.columns import (
    Asks,
    Calls,
    Decisions,
    Jobs,
    OwnAnswers,
    Prices,
    Slots,
    Table,
    Tasks,
    Withdrawals,
)
from sim.record.packed import Packed, PackedColumn, order_by, used_up
from sim.units import BytesArray, Int64Array

Rows = list[tuple[int, ...]]
UNSETTLED: Final = -1
ANSWERED: Final = (Reason.NONE, Reason.WRONG, Reason.LATE, Reason.BELIEVED, Reason.DOUBTED)
"""The reasons of calls that got an answer, right or not."""
ANSWERED_NAMES: Final = [reason.name.lower() for reason in ANSWERED]


@dataclass
class History:
    """Blocks of calls, of their answer hashes, of tasks; and the batches that the rail closed.

    Blocks are packed: nearly all of what a run leaves in memory are small numbers. Those of what
    agents did beside the market, of prices and slots that changed, and of asks by costs that are
    drawn, are there where they did anything, and where any did.

    ``settled`` holds, per block, each call's place in the run's settlement order, or -1.
    ``halted``: an interruption kept batches from the chain. ``call_us`` is the integral over time
    of the number of calls in flight.
    """

    calls: list[Packed[Calls]] = field(default_factory=list)
    hashes: list[BytesArray] = field(default_factory=list)
    settled: list[PackedColumn] = field(default_factory=list)
    tasks: list[Packed[Tasks]] = field(default_factory=list)
    own_answers: list[Packed[OwnAnswers]] = field(default_factory=list)
    decisions: list[Packed[Decisions]] = field(default_factory=list)
    prices: list[Packed[Prices]] = field(default_factory=list)
    slots: list[Packed[Slots]] = field(default_factory=list)
    withdrawals: list[Packed[Withdrawals]] = field(default_factory=list)
    asks: list[Packed[Asks]] = field(default_factory=list)
    jobs: list[Packed[Jobs]] = field(default_factory=list)
    closed: list[Closed] = field(default_factory=list)
    duration_us: int = 0
    call_us: int = 0
    interrupted: bool = False
    halted: bool = False
    failure: TelexError | None = None

    @property
    def nbytes(self) -> int:
        """How many bytes calls, tasks and hashes take, as they lie in their blocks."""
        calls = sum(block.nbytes for block in self.calls)
        tasks = sum(block.nbytes for block in self.tasks)
        places = sum(block.nbytes for block in self.settled)
        return calls + tasks + places + sum(block.nbytes for block in self.hashes)

    def take_asides(
        self, own_answers: Rows, decisions: Rows, prices: Rows, slots: Rows, withdrawals: Rows,
        asks: Rows,
    ) -> None:  # fmt: skip
        """Takes the rows that have gathered of what happened beside tasks and calls, if any."""
        if own_answers:
            self.own_answers.append(Packed(OwnAnswers.from_rows(own_answers)))
        if decisions:
            self.decisions.append(Packed(Decisions.from_rows(decisions)))
        if prices:
            self.prices.append(Packed(Prices.from_rows(prices)))
        if slots:
            self.slots.append(Packed(Slots.from_rows(slots)))
        if withdrawals:
            self.withdrawals.append(Packed(Withdrawals.from_rows(withdrawals)))
        if asks:
            self.asks.append(Packed(Asks.from_rows(asks)))
        for rows in (own_answers, decisions, prices, slots, withdrawals, asks):
            rows.clear()

    def unpay(self, places: Int64Array) -> Calls:
        """Writes down that calls, by their places in settlement order, were never paid.

        Returns their rows as they were: charged, though nothing of it came.
        """
        were: list[Packed[Calls]] = []
        for at, settled in enumerate(self.settled):
            rows = np.flatnonzero(np.isin(PackedColumn.joined([settled]), places))
            if not len(rows):
                continue
            calls = self.calls[at].unpacked()
            were.append(Packed(calls.take(rows)))
            calls.status[rows] = Status.UNPAID
            calls.charge_micros[rows] = calls.fee_micros[rows] = 0
            self.calls[at] = Packed(calls)
        return used_up(Calls, were)


class Columns:
    """A whole run as columns in the order of the ids, with each call's place in settlement order.

    The history's blocks are used up, so that a run is held in memory once.
    """

    def __init__(self, history: History) -> None:
        order = order_by("call_id", history.calls)
        self.calls = used_up(Calls, history.calls, order)
        self.tasks = used_up(Tasks, history.tasks, order_by("task_id", history.tasks))
        self.answer_hash: BytesArray = np.concatenate(history.hashes)[order]
        self.settled: Int64Array = PackedColumn.joined(history.settled)[order]
        self.own_answers = used_up(OwnAnswers, history.own_answers)
        self.decisions = used_up(Decisions, history.decisions)
        self.prices = used_up(Prices, history.prices)
        self.slots = used_up(Slots, history.slots)
        self.withdrawals = used_up(Withdrawals, history.withdrawals)
        self.asks = used_up(Asks, history.asks)
        self.jobs = used_up(Jobs, history.jobs)
        self.closed = tuple(history.closed)
        history.hashes.clear()
        history.settled.clear()

    @property
    def asides(self) -> tuple[Table, ...]:
        """What happened beside tasks and calls: to own machines, agents, models and accounts."""
        moved = self.prices, self.slots, self.withdrawals
        return self.own_answers, self.decisions, *moved, self.asks, self.jobs

    @cached_property
    def batch(self) -> Int64Array:
        """The batch of each call, or -1."""
        starts = np.array([closed.start for closed in self.closed] or [0], np.int64)
        return np.where(
            self.settled >= 0, np.searchsorted(starts, self.settled, side="right") - 1, UNSETTLED
        )
