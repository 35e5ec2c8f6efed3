"""Rate limits: so many calls in each minute of the clock, as providers of models set them."""

from typing import TYPE_CHECKING

from sim.clock import Clock
from sim.units import US_PER_MINUTE

if TYPE_CHECKING:
    from sim.models.endpoint import Endpoint
    from sim.models.pool import Pool


class RateLimit:
    """Counts the calls of the minute that is running, those under a limit before it, too."""

    def __init__(self, calls_per_minute: int, before: "RateLimit | None" = None) -> None:
        self.calls_per_minute = calls_per_minute
        self._minute: int = before._minute if before else 0
        self._calls: int = before._calls if before else 0

    def took(self, clock: Clock, model: "Endpoint", pool: "Pool") -> None:
        """Counts a call; the last of its minute takes the model off the offers until the next."""
        minute = clock.now // US_PER_MINUTE
        if minute != self._minute:
            self._minute, self._calls = minute, 0
        self._calls += 1
        if self._calls >= self.calls_per_minute and not model.limited:
            model.limited = True
            pool.room_changed(model)
            clock.after((minute + 1) * US_PER_MINUTE - clock.now, _over, (model, pool))


def _over(whose: "tuple[Endpoint, Pool]") -> None:
    model, pool = whose
    model.limited = False
    pool.room_changed(model)
