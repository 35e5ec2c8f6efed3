"""The wall clock of a run: the simulation, and what it waits for the chain."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import perf_counter

from sim.facts import Batch
from sim.metrics.definitions import Timing


class Stopwatch:
    """Wall clock of a run: the simulation, and what it waits for the chain."""

    def __init__(self) -> None:
        self._started = self._simulated = perf_counter()
        self._sent_s = self._chain_s = 0.0

    def waiting(self, send: Callable[[Batch], None]) -> Callable[[Batch], None]:
        """``send``, its time counted as waiting for the chain."""

        def timed(batch: Batch) -> None:
            before = perf_counter()
            send(batch)
            self._sent_s += perf_counter() - before

        return timed

    def simulated(self) -> None:
        """The simulation is over."""
        self._simulated = perf_counter()

    @contextmanager
    def chain(self) -> Iterator[None]:
        """What is done within is waiting for the chain."""
        before = perf_counter()
        yield
        self._chain_s += perf_counter() - before

    def timing(self, calls: int) -> Timing:
        """The summary's part; ``calls`` were made."""
        sim_s = self._simulated - self._started - self._sent_s
        return Timing(
            wall_s=perf_counter() - self._started,
            sim_s=sim_s,
            chain_s=self._sent_s + self._chain_s,
            calls_per_s=calls / sim_s,
        )
