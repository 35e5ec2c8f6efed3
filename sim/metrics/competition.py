"""Where price competition would settle, and what one owner of all would earn, per call."""

import math

from sim.models import Seller, pool_of, sellers
from sim.scenario.phases import phases
from sim.scenario.schema import Scenario
from sim.strategies import LogitBestResponse, PowerBestResponse

ROUNDS = 100
Demand = tuple[str, float, str]


def collusion_index(scenario: Scenario, profit_micros: float | None) -> float | None:
    """How far profit per settled call is from Nash (0) to monopoly (1).

    None where it is not defined: the models do not all respond to one demand, an event changes what
    they respond to, there are fewer than two, or the two profits are the same.
    """
    first, *later = (phase.scenario for phase in phases(scenario))
    if any(_responded_to(each) != _responded_to(first) for each in later):
        return None
    rules = [model.selling for model in scenario.models.values()]
    if profit_micros is None or len(rules) < 2 or len({_demand(rule) for rule in rules}) != 1:
        return None
    if _demand(rules[0]) is None:
        return None
    nash, monopoly = _nash(scenario), _monopoly(scenario)
    gap = monopoly - nash
    return (profit_micros - nash) / gap if gap > 0 and math.isfinite(gap) else None


def _responded_to(scenario: Scenario) -> tuple[object, ...]:
    """What best responses depend on."""
    return scenario.models, scenario.groups, scenario.rail.fee_bps


def _demand(rule: object) -> Demand | None:
    """The demand that a strategy takes for granted."""
    if isinstance(rule, LogitBestResponse):
        return rule.kind, rule.temperature_usd, str(rule.outside_usd)
    return (rule.kind, rule.eta, "") if isinstance(rule, PowerBestResponse) else None


def _nash(scenario: Scenario) -> float:
    """Profit per sale once every seller has responded to the others often enough."""
    everyone = _sellers(scenario, "compete")
    for _ in range(ROUNDS):
        for seller in everyone:
            seller.set_price()
    return _profit(everyone)


def _monopoly(scenario: Scenario) -> float:
    """Profit per sale at the prices of one owner: as high as anyone pays, without an outside."""
    everyone = _sellers(scenario, "collude")
    for seller in everyone:
        seller.list_at(seller.at.limit_micros)
        if isinstance(seller.rule, LogitBestResponse):
            seller.set_price()
    return _profit(everyone)


def _sellers(scenario: Scenario, conduct: str) -> list[Seller]:
    models = {
        name: model.model_copy(
            update={"selling": model.selling.model_copy(update={"conduct": conduct})}
        )
        if isinstance(model.selling, LogitBestResponse)
        else model
        for name, model in scenario.models.items()
    }
    changed = scenario.model_copy(update={"models": models, "events": ()})
    return sellers(pool_of(changed), phases(changed))


def _profit(everyone: list[Seller]) -> float:
    logarithms = [seller.log_appeal() for seller in everyone]
    appeals = [math.exp(each - max(logarithms)) for each in logarithms]
    gains = [a * seller.margin_micros() for a, seller in zip(appeals, everyone, strict=True)]
    return sum(gains) / sum(appeals)
