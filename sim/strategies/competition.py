"""Price competition: what a seller's best price is against its rivals', and where that settles.

Prices, costs and worths are dollars, or any one unit, for one task. A demand says how a seller's
share falls with its price; the best response is where the gain from a dearer sale,
1 / (p - c), is the loss of sales, - d ln s / dp.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

HALVINGS = 80


class Demand(Protocol):
    """What a seller's share of the tasks is at a price of its own, rivals' prices given."""

    def share(self, price: float) -> float:
        """Of the tasks, those it gets."""
        ...

    def loss(self, price: float) -> float:
        """- d ln share / d price, in 1 / unit."""
        ...


@dataclass(frozen=True, slots=True)
class Logit:
    """Share exp((worth - p) / temperature) over the sum of all sellers', and of the outside's.

    Args:
        rivals: (worth - price) of every other seller, and of an outside good if there is one.
    """

    worth: float
    rivals: tuple[float, ...]
    temperature: float

    def share(self, price: float) -> float:
        """McFadden's (1974) choice probability."""
        own = self.worth - price
        top = max((own, *self.rivals))
        others = sum([math.exp((rival - top) / self.temperature) for rival in self.rivals])
        mine = math.exp((own - top) / self.temperature)
        return mine / (mine + others)

    def loss(self, price: float) -> float:
        """(1 - share) / temperature."""
        return (1 - self.share(price)) / self.temperature


@dataclass(frozen=True, slots=True)
class InversePower:
    """Share p^-eta over the sum of all sellers': what the router of that name makes of prices."""

    rivals: tuple[float, ...]
    eta: float

    def share(self, price: float) -> float:
        """1 / sum of (p / p_j)^eta; 0 beside a rival that is free."""
        if not all(self.rivals):
            return 0.0
        return 1 / (1 + sum([math.pow(price / rival, self.eta) for rival in self.rivals]))

    def loss(self, price: float) -> float:
        """Eta (1 - share) / p."""
        return self.eta * (1 - self.share(price)) / price


def best_response(demand: Demand, cost: float, highest: float) -> float:
    """The price from ``cost`` to ``highest`` at which profit, (p - c) share(p), is greatest.

    Bisection on 1 / (p - c) - loss(p), which falls through 0 once; ``highest`` if it never does.
    """
    low, high = cost, highest
    if high <= low or (high - cost) * demand.loss(high) <= 1:
        return max(low, high)
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        if middle <= cost or (middle - cost) * demand.loss(middle) < 1:
            low = middle
        else:
            high = middle
    return (low + high) / 2


def logit_monopoly_margin(
    surpluses: Sequence[float], outside: Sequence[float], temperature: float
) -> float:
    """The margin, one for all, at which one owner of all sellers earns most.

    Solves m = temperature / (share of what is outside) by bisection; endless without an outside.

    Args:
        surpluses: worth - cost of each seller. outside: the surplus of whatever else there is.
    """
    if not outside:
        return math.inf
    low = temperature
    high = temperature * (1 + len(surpluses)) + max(0.0, max(surpluses) - max(outside))
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        if middle < temperature * (1 + _sold(surpluses, outside, middle, temperature)):
            low = middle
        else:
            high = middle
    return (low + high) / 2


def _sold(
    surpluses: Sequence[float], outside: Sequence[float], margin: float, temperature: float
) -> float:
    """How much one owner sells at a margin, over what is bought elsewhere."""
    top = max(outside)
    elsewhere = sum([math.exp((each - top) / temperature) for each in outside])
    return sum([math.exp((each - margin - top) / temperature) for each in surpluses]) / elsewhere
