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
    OwnAnswers,
    Prices,
    Slots,
    Tasks,
    Withdrawals,
)
from sim.units import BytesArray, Int64Array

Rows = list[tuple[int, ...]]
UNSETTLED: Final = -1
ANSWERED: Final = (Reason.NONE, Reason.WRONG, Reason.LATE, Reason.BELIEVED, Reason.DOUBTED)
"""The reasons of calls that got an answer, right or not."""
ANSWERED_NAMES: Final = [reason.name.lower() for reason in ANSWERED]


@dataclass
class History:
    """Blocks of calls, of their answer hashes, of tasks; and the batches that the rail closed.

    Blocks of what agents did beside the market, of prices and slots that changed, and of asks by
    costs that are drawn, are there where they did anything, and where any did.

    ``settled`` holds, per block, each call's place in the run's settlement order, or -1.
    ``halted``: an interruption kept batches from the chain. ``call_us`` is the integral over time
    of the number of calls in flight.
    """

    calls: list[Calls] = field(default_factory=list)
    hashes: list[BytesArray] = field(default_factory=list)
    settled: list[Int64Array] = field(default_factory=list)
    tasks: list[Tasks] = field(default_factory=list)
    own_answers: list[OwnAnswers] = field(default_factory=list)
    decisions: list[Decisions] = field(default_factory=list)
    prices: list[Prices] = field(default_factory=list)
    slots: list[Slots] = field(default_factory=list)
    withdrawals: list[Withdrawals] = field(default_factory=list)
    asks: list[Asks] = field(default_factory=list)
    closed: list[Closed] = field(default_factory=list)
    duration_us: int = 0
    call_us: int = 0
    interrupted: bool = False
    halted: bool = False
    failure: TelexError | None = None

    def take_asides(
        self, own_answers: Rows, decisions: Rows, prices: Rows, slots: Rows, withdrawals: Rows,
        asks: Rows,
    ) -> None:  # fmt: skip
        """Takes the rows that have gathered of what happened beside tasks and calls, if any."""
        if own_answers:
            self.own_answers.append(OwnAnswers.from_rows(own_answers))
        if decisions:
            self.decisions.append(Decisions.from_rows(decisions))
        if prices:
            self.prices.append(Prices.from_rows(prices))
        if slots:
            self.slots.append(Slots.from_rows(slots))
        if withdrawals:
            self.withdrawals.append(Withdrawals.from_rows(withdrawals))
        if asks:
            self.asks.append(Asks.from_rows(asks))
        for rows in (own_answers, decisions, prices, slots, withdrawals, asks):
            rows.clear()

    def unpay(self, places: Int64Array) -> Calls:
        """Writes down that calls, by their places in settlement order, were never paid.

        Returns their rows as they were: charged, though nothing of it came.
        """
        were = []
        for calls, settled in zip(self.calls, self.settled, strict=True):
            rows = np.flatnonzero(np.isin(settled, places))
            were.append(calls.take(rows))
            calls.status[rows] = Status.UNPAID
            calls.charge_micros[rows] = calls.fee_micros[rows] = 0
        return Calls.joined(were, "call_id")


class Columns:
    """A whole run as columns in the order of the ids, with each call's place in settlement order.

    The history's blocks are used up, so that a run is held in memory once.
    """

    def __init__(self, history: History) -> None:
        order = np.argsort(
            np.concatenate([block.call_id for block in history.calls]), kind="stable"
        )
        self.calls = Calls.joined(history.calls, "call_id")
        self.tasks = Tasks.joined(history.tasks, "task_id")
        self.answer_hash: BytesArray = np.concatenate(history.hashes)[order]
        self.settled: Int64Array = np.concatenate(history.settled)[order]
        self.own_answers = OwnAnswers.joined(history.own_answers)
        self.decisions = Decisions.joined(history.decisions)
        self.prices = Prices.joined(history.prices)
        self.slots = Slots.joined(history.slots)
        self.withdrawals = Withdrawals.joined(history.withdrawals)
        self.asks = Asks.joined(history.asks)
        self.closed = tuple(history.closed)
        for blocks in (history.calls, history.tasks, history.hashes, history.settled):
            blocks.clear()

    @property
    def asides(self) -> tuple[OwnAnswers, Decisions, Prices, Slots, Withdrawals, Asks]:
        """What happened beside tasks and calls: to own machines, agents, models and accounts."""
        moved = self.prices, self.slots, self.withdrawals
        return self.own_answers, self.decisions, *moved, self.asks

    @cached_property
    def batch(self) -> Int64Array:
        """The batch of each call, or -1."""
        starts = np.array([closed.start for closed in self.closed] or [0], np.int64)
        return np.where(
            self.settled >= 0, np.searchsorted(starts, self.settled, side="right") - 1, UNSETTLED
        )
