"""Competition: where prices settle when sellers answer each other, and what price earns most."""

import math
from collections.abc import Callable, Sequence
from typing import Annotated, ClassVar, Literal, Self

import numpy as np
from pydantic import Field, model_validator

from sim.parameters import NonNegative, Positive
from sim.record.frames import Frames
from sim.units import MICROS_PER_USD
from sim.verify.case import Case, Found, Known, Tasks
from sim.verify.demand import softmax
from sim.verify.markets import Part, agents, market, model, priced, ran
from sim.verify.readings import Floats

PERIODS = 120
TASKS_PER_PERIOD = 10
MICRO = 1 / MICROS_PER_USD
Sellers = Annotated[int, Field(ge=2, le=50)]
Cost = Annotated[float, Field(ge=0.01, le=1000)]


def settled_price(frames: Frames) -> float:
    """The mean price in dollars that is listed in the last tenth of the calls."""
    last = frames.calls.tail(len(frames.calls) // 10)
    return float(last["ask_micros"].to_numpy().mean()) * MICRO


def repriced(
    sellers: int,
    cost: float,
    start: float,
    selling: Part,
    router: Part,
    seed: int,
    **group: object,
) -> float:
    """Where the prices of sellers who are all alike settle, after 120 rounds of answers."""
    period: Part = {**selling, "period_h": TASKS_PER_PERIOD / 3600}
    one = model(price=priced(start), cost=priced(cost), selling=period)
    models = {f"m{place:02}": one for place in range(sellers)}
    rail = {"kind": "batch", "fee_bps": 0}
    tasks = PERIODS * TASKS_PER_PERIOD
    asked = {"a": agents(1) | group}
    return settled_price(ran(market(models, asked, tasks, seed, router=router, rail=rail)).frames)


class LogitPrices(Case):
    """Sellers, all alike, who answer each other under logit demand: Bertrand's markup."""

    repeats: ClassVar[int | None] = 2
    kind: Literal["logit-bertrand"] = "logit-bertrand"
    sellers: Sellers = 3
    temperature: Positive = Field(default=1.0, le=100)
    cost: Cost = 1.0

    def known(self) -> list[Known]:
        """The markup."""
        n = self.sellers
        markup = self.temperature * n / (n - 1)
        return [Known("settled markup, $", "t n / (n - 1)", markup, unit=MICRO)]

    def observe(self, seed: int) -> Found:
        """One run of sellers who respond best."""
        selling: Part = {"kind": "logit-best-response", "temperature_usd": self.temperature}
        router: Part = {"kind": "logit", "temperature_usd": self.temperature}
        start = self.cost + 5 * self.temperature
        price = repriced(self.sellers, self.cost, start, selling, router, seed, value_usd=1000)
        return Found([price - self.cost])


class Calvano(Case):
    """Two sellers and an outside good under logit demand, competing and colluding.

    The baseline of Calvano, Calzolari, Denicolo and Pastorello (2020).
    """

    repeats: ClassVar[int | None] = 2
    kind: Literal["calvano"] = "calvano"
    worth: Cost = 2.0
    cost: Cost = 1.0
    temperature: Annotated[float, Field(ge=0.01, le=10)] = 0.25
    outside: NonNegative = Field(default=0.0, le=1000)
    sellers: Sellers = 2

    def _price(self, margin: Callable[[float], float]) -> float:
        """The price p at which p - cost is the margin of the share sold at p."""
        from scipy.optimize import brentq

        def gap(price: float) -> float:
            utilities = (*[self.worth - price] * self.sellers, self.outside)
            return price - self.cost - margin(softmax(utilities, self.temperature)[0])

        highest = self.cost + self.worth + 100 * self.temperature * self.sellers
        return float(brentq(gap, self.cost, highest, xtol=1e-12))

    def known(self) -> list[Known]:
        """Nash's price and the monopoly's, from their first-order conditions."""
        t, n = self.temperature, self.sellers
        nash = self._price(lambda share: t / (1 - share))
        monopoly = self._price(lambda share: t / (1 - n * share))
        return [
            Known("price when competing, $", "p - c = t / (1 - s)", nash, unit=2 * MICRO),
            Known("price when colluding, $", "p - c = t / (1 - n s)", monopoly, unit=2 * MICRO),
        ]

    def observe(self, seed: int) -> Found:
        """One run for either conduct."""
        prices = []
        for conduct in ("compete", "collude"):
            selling: Part = {
                "kind": "logit-best-response",
                "temperature_usd": self.temperature,
                "outside_usd": f"{self.outside:.6f}",
                "conduct": conduct,
            }
            worth = f"{self.worth:.6f}"
            router: Part = {"kind": "logit", "temperature_usd": self.temperature}
            start = self.cost + self.temperature
            prices.append(
                repriced(self.sellers, self.cost, start, selling, router, seed, value_usd=worth)
            )
        return Found(prices)


class PowerPrices(Case):
    """Sellers, all alike, under a router that shares tasks by price^-eta."""

    repeats: ClassVar[int | None] = 2
    kind: Literal["power-prices"] = "power-prices"
    eta: Annotated[float, Field(ge=0.1, le=50)] = 2.0
    sellers: Sellers = 3
    cost: Cost = 1.0
    highest: Annotated[float, Field(ge=0.01, le=10_000)] = 100.0

    def known(self) -> list[Known]:
        """The price; agents' maximum price where no demand is elastic enough to have one."""
        elasticity = self.eta * (1 - 1 / self.sellers)
        if elasticity <= 1:
            return [Known("no price but the most", "e <= 1", self.highest, unit=MICRO)]
        price = min(self.highest, self.cost * elasticity / (elasticity - 1))
        words = "c e / (e - 1), e = eta (1 - 1/n)"
        return [Known("settled price, $", words, price, unit=2 * MICRO)]

    def observe(self, seed: int) -> Found:
        """One run of sellers who respond best."""
        selling: Part = {"kind": "power-best-response", "eta": self.eta}
        router: Part = {"kind": "inverse-power", "eta": self.eta}
        start, most = 2 * self.cost, f"{self.highest:.6f}"
        price = repriced(
            self.sellers,
            self.cost,
            start,
            selling,
            router,
            seed,
            max_price_usd=most,
            value_usd=1000,
        )
        return Found([price])


class LowestPrice(Case):
    """Sellers who undercut each other under lowest-price routing: Bertrand's paradox."""

    repeats: ClassVar[int | None] = 2
    kind: Literal["lowest-price"] = "lowest-price"
    sellers: Sellers = 3
    cost: Cost = 1.0

    def known(self) -> list[Known]:
        """The cost."""
        return [Known("settled price, $", "c", self.cost, unit=MICRO)]

    def observe(self, seed: int) -> Found:
        """One run of sellers who list 5 % less than the cheapest other one."""
        selling: Part = {"kind": "undercut", "by": 0.05}
        router: Part = {"kind": "cheapest"}
        start = 10 * self.cost
        return Found([repriced(self.sellers, self.cost, start, selling, router, seed)])


class BestPrice(Case):
    """The price that earns most against rivals at the equilibrium, read off the runs themselves.

    Five prices of one seller are tried on common random numbers; a cubic through the profits has
    its peak where theory puts the price of all. No seller's formula takes part in it.
    """

    kind: Literal["best-price"] = "best-price"
    demand: Literal["inverse-power", "logit"] = "inverse-power"
    sellers: Sellers = 3
    eta: Annotated[float, Field(ge=1, le=50)] = 3.0
    temperature: Annotated[float, Field(ge=0.01, le=10)] = 1.0
    cost: Cost = 1.0
    tasks: Tasks = 700

    @model_validator(mode="after")
    def _elastic(self) -> Self:
        if self.demand == "inverse-power" and self.eta * (1 - 1 / self.sellers) <= 1.2:
            msg = "eta (1 - 1 / sellers) above 1.2: else no price earns most"
            raise ValueError(msg)
        return self

    @property
    def _price(self) -> float:
        n = self.sellers
        if self.demand == "logit":
            return self.cost + self.temperature * n / (n - 1)
        return self.cost / (1 - 1 / (self.eta * (1 - 1 / n)))

    def known(self) -> list[Known]:
        """The price of the symmetric equilibrium."""
        words = "c + t n / (n - 1)" if self.demand == "logit" else "c e / (e - 1)"
        return [Known("price of most profit, $", words, self._price)]

    def observe(self, seed: int) -> Found:
        """Five runs that differ in one seller's price."""
        center = self._price
        width = 0.25 if self.demand == "inverse-power" else 0.3 * (1 - self.cost / center)
        prices = [center * math.exp(place * width / 2) for place in (-2, -1, 0, 1, 2)]
        profits = [self._profit(price, seed) for price in prices]
        return Found([center * math.exp(peak(np.log(np.array(prices) / center), profits))])

    def _profit(self, price: float, seed: int) -> float:
        """Dollars per task that the first seller keeps at a price."""
        models = {f"m{place:02}": model(price=priced(self._price)) for place in range(self.sellers)}
        models["m00"] = model(price=priced(price))
        shared: Part = {"eta": self.eta}
        if self.demand == "logit":
            shared = {"temperature_usd": self.temperature}
        asked = {"a": agents(1, value_usd=1000)}
        router = {"kind": self.demand, **shared}
        calls = ran(market(models, asked, self.tasks, seed, router=router)).frames.calls
        sold = calls.filter(model="m00")
        return (price - self.cost) * len(sold) / self.tasks


def peak(places: Floats, heights: Sequence[float]) -> float:
    """Where the cubic of least squares is highest between the first place and the last."""
    fine = np.linspace(places[0], places[-1], 2001)
    return float(fine[np.polynomial.Polynomial.fit(places, heights, 3)(fine).argmax()])
