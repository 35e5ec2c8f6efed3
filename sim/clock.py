"""The clock: SimPy's environment on whole microseconds."""

from collections.abc import Callable
from typing import TypeVar

from simpy import Environment
from simpy.events import NORMAL, Event

What = TypeVar("What")


class Alarm(Event):
    """An event that calls a function when its time comes; lighter than a Timeout."""

    __slots__ = ()

    def __init__(self, clock: "Clock", delay_us: int, ring: Callable[[Event], None]) -> None:
        self.env = clock
        self.callbacks = [ring]
        self._value = None
        self._ok = True
        clock.schedule(self, NORMAL, delay_us)


class Clock(Environment):
    """Simulated time in microseconds since the start, and what is to happen at later times.

    Events of the same time happen in the order in which they were scheduled.
    """

    _now: int

    def __init__(self) -> None:
        super().__init__(initial_time=0)

    @property
    def now(self) -> int:
        """The present time in us."""
        return self._now

    def after(self, delay_us: int, then: Callable[[What], None], what: What) -> None:
        """Calls ``then(what)`` after ``delay_us`` (at least 0)."""
        Alarm(self, delay_us, lambda _: then(what))
