"""Purchases: what models have earned drips into the pool, and MACHINA comes out for them."""

from bisect import bisect_right
from collections.abc import Sequence

import numpy as np

from sim.chance import stream
from sim.clock import Clock
from sim.facts import Kind
from sim.protocol.books import ISSUER, MACHINA, POOL, USDC, Books
from sim.protocols import Purchases
from sim.protocols.exchange import Exchange
from sim.protocols.money import WEI_PER_MACHINA
from sim.units import (
    micros_from_usd_exact,
    us_from_hours_nearest,
    us_from_seconds_nearest,
)


class Buyer:
    """What one model has gathered, and the drips that are to come: when, and of how many micros."""

    def __init__(self) -> None:
        self.gathered_micros = 0
        self.times_us: list[int] = []
        self.micros: list[int] = []

    def due(self, now_us: int) -> int:
        """Takes the drips whose time has come; returns their sum."""
        at = bisect_right(self.times_us, now_us)
        found = sum(self.micros[:at])
        del self.times_us[:at], self.micros[:at]
        return found


class Purchasing:
    """All models' purchases in one pool, in which USDC is token 0.

    Micros that are too few to buy a wei wait with the rest.
    """

    def __init__(
        self, clock: Clock, rules: Purchases, books: Books, models: Sequence[str], seed: int
    ) -> None:
        self.clock, self.rules, self.books, self.models = clock, rules, books, models
        self.buyers = [Buyer() for _ in models]
        self.random = [stream(seed, "protocol", "drips", model) for model in models]
        self.least_micros = micros_from_usd_exact(rules.least_usd)
        self.exchange = Exchange(
            micros_from_usd_exact(rules.pool_usd), int(rules.pool_machina * WEI_PER_MACHINA),
            rules.pool_fee_ppm,
        )  # fmt: skip
        books.move(0, Kind.MINT, USDC, ISSUER, POOL, self.exchange.reserve0)

    def start(self) -> None:
        """Sets the first transaction."""
        self._await_next()

    def earned(self, model: int, micros: int) -> None:
        """A model has earned so much more; enough of it begins a purchase."""
        buyer = self.buyers[model]
        self.books.credit(USDC, f"model:{self.models[model]}", micros)
        buyer.gathered_micros += micros
        if buyer.gathered_micros >= self.least_micros:
            self._begin(model, buyer)

    def _begin(self, model: int, buyer: Buyer) -> None:
        """Spreads what has gathered over the time to come, drip by drip."""
        drip = micros_from_usd_exact(self.rules.drip_usd)
        count, rest = divmod(buyer.gathered_micros, drip)
        micros = [drip] * count + ([rest] if rest else [])
        over_us = us_from_hours_nearest(self.rules.over_h)
        places = (2 * np.arange(len(micros)) + 1) * over_us // (2 * len(micros))
        jitter_us = us_from_seconds_nearest(self.rules.jitter_s)
        jitter = self.random[model].integers(-jitter_us, jitter_us, len(micros), endpoint=True)
        times = self.clock.now + np.maximum(places + jitter, 0)
        drips = sorted(
            [*zip(buyer.times_us, buyer.micros, strict=True),
             *zip(times.tolist(), micros, strict=True)]
        )  # fmt: skip
        buyer.times_us, buyer.micros = [each[0] for each in drips], [each[1] for each in drips]
        buyer.gathered_micros = 0

    def _await_next(self) -> None:
        every_us = us_from_seconds_nearest(self.rules.transaction_interval_s)
        self.clock.after(every_us, self._transact, None)

    def _transact(self, _: None) -> None:
        now_us = self.clock.now
        for model, buyer in zip(self.models, self.buyers, strict=True):
            micros = buyer.due(now_us)
            if micros:
                taken, wei = self.exchange.swap(micros, zero_for_one=True)
                buyer.gathered_micros += micros - taken
                self.books.move(now_us, Kind.SWAP, USDC, f"model:{model}", POOL, taken)
                self.books.move(now_us, Kind.SWAP, MACHINA, POOL, f"model:{model}", wei)
        self._await_next()
