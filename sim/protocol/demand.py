"""Demand: how many answers each intent has had of late, and the multiplier that makes."""

from collections import deque

from sim.models import FloorPool
from sim.protocols import Pricing
from sim.units import us_from_hours_nearest


class Demand:
    """Counts answers in a rolling window per intent, and sets the pool's multipliers by them.

    It looks again at every answer, and whenever it is told the time.
    """

    def __init__(self, pricing: Pricing, pool: FloorPool, intents: int) -> None:
        self.pool = pool
        self._times: list[deque[int]] = [deque() for _ in range(intents)]
        self._highest = [0] * intents
        self._take(pricing)
        self.tell(0)

    def adopt(self, pricing: Pricing, now_us: int) -> None:
        """Other tiers, or another window, from now on; a wider one fills up with time."""
        self._take(pricing)
        self.tell(now_us)

    def _take(self, pricing: Pricing) -> None:
        self.pricing, self.window_us = pricing, us_from_hours_nearest(pricing.window_h)

    def volume(self, intent: int) -> int:
        """Answers in the window, when it was last looked at."""
        return len(self._times[intent])

    def highest_tenths(self, intent: int) -> int:
        """The highest multiplier of an intent since the last epoch ended."""
        return self._highest[intent]

    def end_epoch(self) -> None:
        """The next epoch's highest begins with what is in force now."""
        self._highest = self.pool.tenths.copy()

    def answered(self, intent: int, now_us: int) -> None:
        """One more answer."""
        self._times[intent].append(now_us)
        self._look(intent, now_us)

    def tell(self, now_us: int) -> None:
        """Lets every intent's oldest answers leave the window."""
        for intent in range(len(self._times)):
            self._look(intent, now_us)

    def _look(self, intent: int, now_us: int) -> None:
        times, since_us = self._times[intent], now_us - self.window_us
        while times and times[0] <= since_us:
            times.popleft()
        tenths = self.pricing.multiplier_tenths(len(times))
        self.pool.tenths[intent] = tenths
        self._highest[intent] = max(self._highest[intent], tenths)
