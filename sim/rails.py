"""Rails, or how charges become money on chain: ``batch`` packs many calls in a transaction."""

import json
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Literal, NamedTuple

import numpy as np
from pydantic import BaseModel, Field

from sim.parameters import Bps, Parameters, Positive
from sim.units import US_PER_S, Int64Array


class Closed(NamedTuple):
    """One batch: its calls are ``[start, stop)`` of the run's settlement order."""

    number: int
    start: int
    stop: int
    closed_us: int


class BatchGas(BaseModel):
    """Gas of a ``settleBatch`` transaction, as measured by the contracts' own gas tests."""

    base: int
    per_call: int
    per_call_event: int
    per_agent: int
    per_model: int


@cache
def batch_gas() -> BatchGas:
    """The batch rail's part of ``gas.json``, which the contracts' gas tests keep true."""
    installed = Path(__file__).with_name("gas.json")
    checkout = Path(__file__).parents[1] / "contracts" / "gas.json"
    figures = json.loads((installed if installed.exists() else checkout).read_text())
    return BatchGas.model_validate(figures["batch"])


class BatchRail(Parameters):
    """Calls are settled together when ``size`` have come in, or when a clock tick passes.

    Args:
        size: the most calls in a batch. interval_s: the tick, in simulated seconds from the start.
        settle_on: whether a wrong answer is paid for (``delivered``) or not (``success``).
        fee_bps: the treasury's share of every charge, rounded down per call.
    """

    kind: Literal["batch"] = "batch"
    size: int = Field(default=1000, ge=1, le=1000, strict=True)
    interval_s: Positive = 60.0
    settle_on: Literal["delivered", "success"] = "delivered"
    fee_bps: Bps = 200

    @staticmethod
    def gas(calls: int, agents: int, models: int, *, events: bool) -> int:
        """Modelled gas of a batch with so many calls, distinct agents and distinct models."""
        figures = batch_gas()
        per_call = figures.per_call + (figures.per_call_event if events else 0)
        return (
            figures.base
            + calls * per_call
            + agents * figures.per_agent
            + models * figures.per_model
        )

    def closer(self) -> "BatchCloser":
        """The state of this rail within one run."""
        return BatchCloser(self.size, round(self.interval_s * US_PER_S))


class BatchCloser:
    """Cuts the settlement order into batches, from blocks of finish times as they come."""

    def __init__(self, size: int, interval_us: int) -> None:
        self.size, self.interval_us = size, max(1, interval_us)
        self.number = self.start = self.count = 0
        self.tick = -1

    def add(self, finished_us: Int64Array) -> list[Closed]:
        """Takes the next settled calls' finish times (never falling); returns what closed."""
        closed: list[Closed] = []
        ticks = finished_us // self.interval_us
        edges = np.flatnonzero(np.diff(ticks)) + 1
        bounds = [0, *edges.tolist(), len(ticks)]
        for begin, end in pairwise(bounds):
            if begin == end:
                continue
            if ticks[begin] != self.tick:
                closed += self._close_tick()
                self.tick = int(ticks[begin])
            closed += self._fill(begin, end, finished_us)
        return closed

    def _fill(self, begin: int, end: int, finished_us: Int64Array) -> list[Closed]:
        closed: list[Closed] = []
        while begin < end:
            taken = min(end - begin, self.size - self.count)
            self.count += taken
            begin += taken
            if self.count == self.size:
                closed.append(self._close(int(finished_us[begin - 1])))
        return closed

    def _close(self, closed_us: int) -> Closed:
        batch = Closed(self.number, self.start, self.start + self.count, closed_us)
        self.number, self.start, self.count = self.number + 1, batch.stop, 0
        return batch

    def _close_tick(self) -> list[Closed]:
        return [self._close((self.tick + 1) * self.interval_us)] if self.count else []

    def finish(self) -> list[Closed]:
        """Closes what is left, at the tick that ends it."""
        return self._close_tick()


Rail = BatchRail
RAILS = {"batch": BatchRail}
