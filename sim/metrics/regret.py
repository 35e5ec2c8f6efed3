"""Regret: what better picks would have been worth, at the tasks' true difficulties."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from sim.mechanisms import Posted
from sim.metrics.asked import ForSlots, ask_micros, at_ask, at_award, cap_micros
from sim.metrics.listed import Listed, ListPrice
from sim.metrics.supplies import Flags, Floats, Supply
from sim.record import Asks, Calls
from sim.scenario.phases import Phases
from sim.scenario.schema import Scenario
from sim.units import Int64Array

CHUNK = 65_536
Offers = Iterator[tuple[Floats, Flags]]
"""Of each model: the expected surplus of every call, in micros, and whether it could be had."""


class Terms(NamedTuple):
    """Of each call: its agent's group, the value of a right answer, the most that it may cost."""

    group: Int64Array
    value_micros: Int64Array
    limit_micros: Int64Array

    def take(self, rows: Int64Array | slice) -> "Terms":
        """Those of some calls."""
        return Terms(*(each[rows] for each in self))


class Prices(NamedTuple):
    """What models listed as each call was quoted, and what they asked where costs are drawn."""

    listed: Listed
    asks: Asks

    def of(self, model: int, calls: Calls) -> ListPrice:
        """What a model listed when these calls were quoted."""
        return self.listed.of(model, calls.call_id)

    def asks_of(self, model: int) -> Asks:
        """What a model asked."""
        return self.asks.take(np.flatnonzero(self.asks.model == model))


def regret_micros(every: Phases, prices: Prices, calls: Calls, terms: Terms) -> int:
    """The sum of each call's regret, rounded per call, by the phase in which it was posted."""
    number = every.of(calls.posted_us)
    total = 0
    for place, phase in enumerate(every):
        rows = np.flatnonzero(number == place) if len(every) > 1 else slice(None)
        total += _regret_micros(phase.scenario, prices, calls.take(rows), terms.take(rows))
    return total


def _regret_micros(scenario: Scenario, prices: Prices, calls: Calls, terms: Terms) -> int:
    supplies = [Supply(scenario, model) for model in scenario.models.values()]
    offers = _by_list if isinstance(scenario.mechanism, Posted) else _by_ask
    total = 0
    for start in range(0, len(calls), CHUNK):
        rows = slice(start, start + CHUNK)
        part = calls.take(rows)
        best = np.full(len(part), -np.inf)
        chosen = np.empty(len(part))
        found = offers(scenario, supplies, prices, part, terms.take(rows))
        for number, (surplus, offered) in enumerate(found):
            mine = part.model == number
            np.copyto(chosen, surplus, where=mine)
            best = np.maximum(best, np.where(offered | mine, surplus, -np.inf))
        total += int(np.rint(best - chosen).astype(np.int64).sum())
    return total


def _by_list(
    scenario: Scenario, supplies: list[Supply], prices: Prices, calls: Calls, terms: Terms
) -> Offers:
    """Where prices are posted: by what models list, times the protocol's multiplier."""
    listed = [prices.of(number, calls) for number in range(len(supplies))]
    times = _multipliers(scenario, listed, calls)
    pays_any = scenario.rail.settle_on == "delivered"
    for supply, price in zip(supplies, listed, strict=True):
        chance, (right, wrong) = supply.chance(calls), supply.charges(calls, price)
        lost = (1 - chance) * (times * wrong if pays_any else 0)
        fits = supply.quote_micros(calls, price) * times <= terms.limit_micros
        yield (
            chance * (terms.value_micros - times * right) - lost,
            supply.could(calls, terms.group) & fits,
        )


def _by_ask(
    scenario: Scenario, supplies: list[Supply], prices: Prices, calls: Calls, terms: Terms
) -> Offers:
    """In auctions: by what models asked; who won one among models, by its award."""
    mechanism, rail = scenario.mechanism, scenario.rail
    pays_any = rail.settle_on == "delivered"
    cap = cap_micros(mechanism, terms.limit_micros)
    for number, supply in enumerate(supplies):
        price, asks = prices.of(number, calls), prices.asks_of(number)
        asked, chance = ask_micros(supply, calls, price, scenario, asks), supply.chance(calls)
        surplus = at_ask(mechanism, chance, terms.value_micros, asked, pays_any=pays_any)
        if not isinstance(mechanism, ForSlots):
            agreed = calls.quote_micros, calls.bid_micros
            award = at_award(
                mechanism, chance, terms.value_micros, *agreed,
                pays_any=pays_any, fee_bps=rail.fee_bps,
            )  # fmt: skip
            surplus = np.where(calls.model == number, award, surplus)
        yield surplus, supply.could(calls, terms.group) & (asked <= cap)


def _multipliers(scenario: Scenario, prices: list[ListPrice], calls: Calls) -> Floats | float:
    """What floors were multiplied by for each call: 1, unless a protocol does so."""
    if scenario.protocol is None or scenario.protocol.pricing is None:
        return 1.0
    floors = np.zeros(len(calls), np.int64)
    for number, price in enumerate(prices):
        floors = np.where(calls.model == number, price.per_call, floors)
    return np.rint(10 * calls.quote_micros / floors) / 10
