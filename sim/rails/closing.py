"""When calls are settled: the settlement order is cut by number of calls and by a clock's ticks."""

from itertools import pairwise
from typing import NamedTuple

import numpy as np

from sim.units import Int64Array


class Closed(NamedTuple):
    """One batch: its calls are ``[start, stop)`` of the run's settlement order."""

    number: int
    start: int
    stop: int
    closed_us: int


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
