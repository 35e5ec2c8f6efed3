"""The clock: SimPy's environment on whole microseconds."""

from collections.abc import Callable
from heapq import heappush
from typing import TypeVar

from simpy import Environment
from simpy.events import NORMAL, Event

What = TypeVar("What")


class Alarm(Event):
    """Calls ``then(what)`` when its time comes; lighter than a Timeout, for nobody waits for it."""

    __slots__ = ("then", "what")
    _ok = True

    def __init__(self, then: Callable[[What], None], what: What) -> None:
        self.callbacks = [_ring]
        self.then: Callable[[What], None] = then
        self.what = what


def _ring(alarm: Alarm) -> None:
    alarm.then(alarm.what)


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

    def succeed_next(self, event: Event) -> None:
        """Lets an event succeed at the time of whatever comes next, after it; now if nothing does.

        Raises ``RuntimeError`` if it has been triggered.
        """
        if event.triggered:
            msg = f"{event} has already been triggered"
            raise RuntimeError(msg)
        event._ok, event._value = True, None
        waiting = self._queue[0][0] - self._now if self._queue else 0
        self.schedule(event, NORMAL, max(0, waiting))

    def after(self, delay_us: int, then: Callable[[What], None], what: What) -> None:
        """Calls ``then(what)`` after ``delay_us`` (at least 0)."""
        event = Alarm(then, what)
        heappush(self._queue, (self._now + delay_us, NORMAL, next(self._eid), event))
