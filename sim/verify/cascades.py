"""Cascades: one model after the other until an answer is right, at what cost in which order."""

import math
from collections.abc import Sequence
from itertools import permutations
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from sim.parameters import OpenShare
from sim.units import MICROS_PER_USD
from sim.verify.case import Case, Found, Known, Tasks
from sim.verify.markets import INTENT, agents, market, model, priced, ran
from sim.verify.solving import quality_of


class CascadeOrder(Case):
    """Models with independent success: ascending c / q costs least (Weitzman 1979, in this case).

    Args:
        costs: dollars for an answer of each. chances: that it is right.
    """

    kind: Literal["cascade"] = "cascade"
    costs: tuple[Annotated[float, Field(ge=0.001, le=1000)], ...] = (0.01, 0.3, 0.08)
    chances: tuple[OpenShare, ...] = (0.7, 0.8, 0.6)
    tasks: Tasks = 1_600

    @model_validator(mode="after")
    def _pairs(self) -> Self:
        if not 2 <= len(self.costs) == len(self.chances) <= 6:
            msg = "two to six costs, and as many chances"
            raise ValueError(msg)
        return self

    def _cost(self, order: Sequence[int]) -> float:
        """The sum of c_i times the chance that all before it are wrong."""
        reached = 1.0
        paid = []
        for place in order:
            paid.append(self.costs[place] * reached)
            reached *= 1 - self.chances[place]
        return math.fsum(paid)

    def _orders(self) -> tuple[list[int], list[int], list[int]]:
        """The order by c / q, the best of the others, and the worst."""
        every = range(len(self.costs))
        best = sorted(every, key=lambda place: self.costs[place] / self.chances[place])
        others = sorted(map(list, permutations(every)), key=self._cost)
        return best, next(order for order in others if order != best), others[-1]

    def known(self) -> list[Known]:
        """What the order by c / q costs, the worst, and the least that it saves over any other."""
        best, second, worst = map(self._cost, self._orders())
        words = "sum of c_i x product of (1 - q_j) before"
        return [
            Known("cost by ascending c / q, $", words, best),
            Known("cost in the worst order, $", words, worst),
            Known("least saving over another, $", "of all orders, by that sum", second - best),
        ]

    def observe(self, seed: int) -> Found:
        """One run for each of the three orders."""
        best, second, worst = (self._spent(order, seed) for order in self._orders())
        return Found([best, worst, second - best])

    def _spent(self, order: Sequence[int], seed: int) -> float:
        """Dollars per task in this order."""
        models = {
            f"m{place}": model(price=priced(cost), quality={INTENT: quality_of(chance)})
            for place, (cost, chance) in enumerate(zip(self.costs, self.chances, strict=True))
        }
        router = {"kind": "cascade", "order": [f"m{place}" for place in order]}
        asked = {"a": agents(1, retries=len(order) - 1)}
        calls = ran(market(models, asked, self.tasks, seed, router=router)).frames.calls
        return int(calls["charge_micros"].sum()) / MICROS_PER_USD / self.tasks
