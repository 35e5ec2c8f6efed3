"""Sellers: the models whose list price moves, period by period."""

import math
from collections.abc import Iterable
from dataclasses import dataclass

from sim.clock import Clock
from sim.facts import Task
from sim.models.endpoint import Endpoint, list_tariff
from sim.models.pool import Pool
from sim.scenario.demand import Size
from sim.scenario.phases import Phases
from sim.scenario.schema import Group, Scenario
from sim.strategies import LogitBestResponse, PowerBestResponse, Repricing, Selling, Surge, Undercut
from sim.strategies.competition import (
    InversePower,
    Logit,
    best_response,
    logit_monopoly_margin,
)
from sim.units import BPS, MICROS_PER_USD, PPM, us_from_hours_nearest


@dataclass(frozen=True, slots=True)
class Typical:
    """The task that a model's prices are compared by: of mean sizes, in its most asked intent.

    ``value_micros`` is the mean worth of a right answer, ``limit_micros`` the most anyone pays.
    """

    task: Task
    value_micros: float
    limit_micros: float


def typical(scenario: Scenario, intents: Iterable[int]) -> Typical | None:
    """The mean over what agents ask for in these intents; None if they ask for nothing there."""
    names = [scenario.intents[intent] for intent in intents]
    asked = [
        (_rate(group, name), group, demand, name)
        for group in scenario.groups.values()
        for name, demand in group.intents.items()
        if name in names
    ]
    if not asked:
        return None
    total = sum(rate for rate, *_ in asked)
    entry = sum(rate * _mean(demand.input_tokens) for rate, _, demand, _ in asked) / total
    output = sum(rate * _mean(demand.output_tokens) for rate, _, demand, _ in asked) / total
    value = sum(rate * float(group.value_usd) * group.values.mean for rate, group, *_ in asked)
    limit = max(float(group.max_price_usd) for _, group, *_ in asked)
    intent = scenario.intents.index(max(asked, key=lambda each: each[0])[3])
    task = Task(0, 0, intent, round(entry), round(output), 0, 0, 0, 0, 0, 0)
    return Typical(task, value / total * MICROS_PER_USD, limit * MICROS_PER_USD)


def _rate(group: Group, intent: str) -> float:
    """Tasks an hour of an intent that a group's agents post together."""
    share = group.intents[intent].share / sum(each.share for each in group.intents.values())
    return group.count * group.arrival.per_hour * share


def _mean(size: Size) -> float:
    return size.median * math.exp(size.sigma**2 / 2)


class Seller:
    """One model that sets its list price anew, so often, while its rule says so."""

    def __init__(self, endpoint: Endpoint, pool: Pool, scenario: Scenario, at: Typical) -> None:
        self.endpoint, self.pool, self.at = endpoint, pool, at
        self._rules = 0
        self._take_terms(scenario)

    def adopt(self, scenario: Scenario) -> None:
        """Goes on by a later phase's prices, fee, demand, and rivals; or by another rule."""
        before = self.rule
        self.at = typical(scenario, self.endpoint.abilities) or self.at
        self._take_terms(scenario)
        if self.rule != before:
            self.start(self.clock)

    def _take_terms(self, scenario: Scenario) -> None:
        self.rule: Selling = scenario.models[self.endpoint.id].selling
        self.listed = list_tariff(scenario.models[self.endpoint.id])
        self.listed_micros = self.pool.list_cost(self.at.task, self.endpoint, self.listed) / PPM
        self.kept = 1 - scenario.rail.fee_bps / BPS
        self.rivals = [
            other
            for other in self.pool.endpoints
            if other is not self.endpoint
            and self.at.task.intent in other.abilities
            and scenario.models[other.id].listed
        ]

    def start(self, clock: Clock) -> None:
        """Begins to set prices, period by period, if its rule has periods."""
        self.clock = clock
        self._rules += 1
        if isinstance(self.rule, Repricing):
            period_us = max(1, us_from_hours_nearest(self.rule.period_h))
            clock.after(period_us, self._again, (self._rules, period_us))

    def _again(self, what: tuple[int, int]) -> None:
        number, period_us = what
        if number == self._rules:
            self.set_price()
            self.clock.after(period_us, self._again, what)

    def set_price(self) -> None:
        """Lists the price that the rule gives now."""
        rule = self.rule
        if isinstance(rule, Surge):
            load = self.endpoint.occupied / self.endpoint.slots
            self.list_at(self.listed_micros * (1 + rule.slope * max(0.0, load - rule.above)))
        elif isinstance(rule, Undercut):
            cheapest = min(map(self._price_micros, self.rivals), default=math.inf)
            asked = min(self._price_micros(self.endpoint), cheapest * (1 - rule.by))
            self.list_at(max(self._cost_micros(self.endpoint), asked))
        elif isinstance(rule, LogitBestResponse):
            self.list_at(self._logit_micros(rule))
        elif isinstance(rule, PowerBestResponse):
            demand = InversePower(tuple(map(self._price_micros, self.rivals)), rule.eta)
            cost = self._cost_micros(self.endpoint)
            self.list_at(best_response(demand, cost, self.at.limit_micros))

    def margin_micros(self) -> float:
        """What a sale of the typical task brings: the price less the fee and the cost."""
        return (self._price_micros(self.endpoint) - self._cost_micros(self.endpoint)) * self.kept

    def log_appeal(self) -> float:
        """The logarithm of how often it is chosen, up to what is the same for all sellers."""
        price = self._price_micros(self.endpoint)
        if isinstance(self.rule, LogitBestResponse):
            surplus = self._worth_micros(self.endpoint) - price
            return surplus / (self.rule.temperature_usd * MICROS_PER_USD)
        if isinstance(self.rule, PowerBestResponse):
            return -self.rule.eta * math.log(max(1.0, price))
        return 0.0

    def _logit_micros(self, rule: LogitBestResponse) -> float:
        temperature = rule.temperature_usd * MICROS_PER_USD
        others = [each for each in self.rivals if not self._colludes_with(each)]
        surpluses = [self._worth_micros(each) - self._price_micros(each) for each in others]
        if rule.outside_usd is not None:
            surpluses.append(float(rule.outside_usd) * MICROS_PER_USD)
        cost = self._cost_micros(self.endpoint)
        if rule.conduct == "compete":
            demand = Logit(self._worth_micros(self.endpoint), tuple(surpluses), temperature)
            return best_response(demand, cost, self.at.limit_micros)
        owned = [self.endpoint, *(each for each in self.rivals if self._colludes_with(each))]
        margin = logit_monopoly_margin(
            [self._worth_micros(each) - self._cost_micros(each) for each in owned],
            surpluses,
            temperature,
        )
        return max(cost, min(cost + margin, self.at.limit_micros))

    def _colludes_with(self, other: Endpoint) -> bool:
        return self._colludes(self.endpoint) and self._colludes(other)

    @staticmethod
    def _colludes(endpoint: Endpoint) -> bool:
        rule = endpoint.selling
        return isinstance(rule, LogitBestResponse) and rule.conduct == "collude"

    def _price_micros(self, endpoint: Endpoint) -> float:
        """What a model charges for a right answer to the typical task, as it lists it now."""
        return self.pool.expected_costs(self.at.task, [endpoint.index])[0] / PPM

    def _cost_micros(self, endpoint: Endpoint) -> float:
        """What it must be paid for the same, fee included, to lose nothing."""
        return endpoint.mean_cost_micros(self.at.task) / self.kept if self.kept else math.inf

    def _worth_micros(self, endpoint: Endpoint) -> float:
        score_ppm = self.pool.scores[self.at.task.intent][endpoint.index]
        return self.at.value_micros * score_ppm / PPM

    def list_at(self, price_micros: float) -> None:
        """Lists a price for the typical task, to the nearest micro of the tariff."""
        if self.listed_micros and math.isfinite(price_micros):
            tariff = self.listed.scaled_nearest(price_micros / self.listed_micros)
            self.pool.reprice(self.endpoint, tariff)


def sellers(pool: Pool, every: Phases) -> list[Seller]:
    """The models of a scenario whose prices move in some phase."""
    found = []
    for endpoint in pool.endpoints:
        at = typical(every.first, endpoint.abilities)
        rules = [phase.scenario.models[endpoint.id].selling for phase in every]
        if at is not None and any(isinstance(rule, Repricing) for rule in rules):
            found.append(Seller(endpoint, pool, every.first, at))
    return found
