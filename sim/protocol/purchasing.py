"""Purchases: what models have earned drips into the pool, and MACHINA comes out for them."""

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
    Int64Array,
    micros_from_usd_exact,
    us_from_hours_nearest,
    us_from_seconds_nearest,
)


class Purchase:
    """One purchase: its drips by time, and how much of it is spent."""

    def __init__(self, times_us: Int64Array, micros: Int64Array) -> None:
        order = np.argsort(times_us, kind="stable")
        self.times_us, self.sums = times_us[order], np.cumsum(micros[order])
        self.spent = 0

    def due(self, now_us: int) -> int:
        """Takes the drips whose time has come; returns their sum in micros."""
        at = int(np.searchsorted(self.times_us, now_us, side="right"))
        before, self.spent = self.spent, int(self.sums[at - 1]) if at else 0
        return self.spent - before

    @property
    def over(self) -> bool:
        """Whether all of it is spent."""
        return self.spent == int(self.sums[-1])


class Buyer:
    """What one model has gathered towards its next purchase, and its purchases under way."""

    def __init__(self) -> None:
        self.gathered_micros = 0
        self.purchases: list[Purchase] = []

    def due(self, now_us: int) -> int:
        """Takes the drips whose time has come; returns their sum in micros."""
        found = sum(purchase.due(now_us) for purchase in self.purchases)
        self.purchases = [purchase for purchase in self.purchases if not purchase.over]
        return found


class Purchasing:
    """All models' purchases in one pool, in which USDC is token 0.

    Micros that are too few to buy a wei wait with the rest. ``swaps`` counts those that took some.
    """

    def __init__(
        self, clock: Clock, rules: Purchases, books: Books, models: Sequence[str], seed: int
    ) -> None:
        self.clock, self.books, self.models = clock, books, models
        self.adopt(rules)
        self.swaps = 0
        self.buyers = [Buyer() for _ in models]
        self.random = [stream(seed, "protocol", "drips", model) for model in models]
        self.exchange = Exchange(
            micros_from_usd_exact(rules.pool_usd), int(rules.pool_machina * WEI_PER_MACHINA),
            rules.pool_fee_ppm,
        )  # fmt: skip
        books.move(0, Kind.MINT, USDC, ISSUER, POOL, self.exchange.reserve0)

    def adopt(self, rules: Purchases) -> None:
        """Purchases that begin from now on go by these; the next transaction is when it was."""
        self.rules = rules
        self.least_micros = micros_from_usd_exact(rules.least_usd)

    def start(self) -> None:
        """Sets the first transaction."""
        self._await_next()

    def earned(self, call_id: int, model: int, micros: int) -> None:
        """A model has earned so much more by a call; enough of it begins a purchase."""
        del call_id
        buyer = self.buyers[model]
        self.books.credit(USDC, f"model:{self.models[model]}", micros)
        buyer.gathered_micros += micros
        if buyer.gathered_micros >= self.least_micros:
            self._begin(model, buyer)

    def buy(self, model: int, micros: int) -> None:
        """A model has earned so much more, and all of it is spent on MACHINA at once.

        However small the pool, an int64 of micros does not take it to the end of its range: it
        takes them all.
        """
        self.books.credit(USDC, f"model:{self.models[model]}", micros)
        self._swap(model, micros)

    def _begin(self, model: int, buyer: Buyer) -> None:
        """Spreads what has gathered over the time to come, drip by drip."""
        drip = micros_from_usd_exact(self.rules.drip_usd)
        count, rest = divmod(buyer.gathered_micros, drip)
        micros = np.full(count + bool(rest), drip, np.int64)
        if rest:
            micros[-1] = rest
        size, over_us = len(micros), us_from_hours_nearest(self.rules.over_h)
        places = (2 * np.arange(size) + 1) * over_us // (2 * size)
        jitter_us = us_from_seconds_nearest(self.rules.jitter_s)
        jitter = self.random[model].integers(-jitter_us, jitter_us, size, endpoint=True)
        times_us = self.clock.now + np.maximum(places + jitter, 0)
        buyer.purchases.append(Purchase(times_us, micros))
        buyer.gathered_micros = 0

    def _await_next(self) -> None:
        every_us = us_from_seconds_nearest(self.rules.transaction_interval_s)
        self.clock.after(every_us, self._transact, None)

    def _transact(self, _: None) -> None:
        now_us = self.clock.now
        for model, buyer in enumerate(self.buyers):
            micros = buyer.due(now_us)
            if micros:
                buyer.gathered_micros += micros - self._swap(model, micros)
        self._await_next()

    def _swap(self, model: int, micros: int) -> int:
        """Spends a model's micros on MACHINA now; returns how many the pool has taken."""
        now_us, account = self.clock.now, f"model:{self.models[model]}"
        taken, wei = self.exchange.swap(micros, zero_for_one=True)
        self.books.move(now_us, Kind.SWAP, USDC, account, POOL, taken)
        self.books.move(now_us, Kind.SWAP, MACHINA, POOL, account, wei)
        self.swaps += bool(taken)
        return taken
