"""The clock: SimPy's environment on whole microseconds."""

from collections.abc import Callable
from typing import TypeVar

from simpy import Environment
from simpy.events import Event, Timeout

What = TypeVar("What")


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

        def ring(event: Event) -> None:
            del event
            then(what)

        timeout = Timeout(self, delay_us)
        timeout.callbacks = [ring]
