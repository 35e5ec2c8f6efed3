"""Routers that look at price alone."""

from collections.abc import Sequence
from typing import Annotated, Literal

from pydantic import Field

from sim.facts import Task
from sim.parameters import Parameters
from sim.routers.drawing import Fallbacks, cheapest, drawn, least
from sim.routers.pool import MarketPool, Pool

FINE = 1 << 40


class Cheapest(Parameters):
    """The least expected cost, whatever the quality; the first of equals."""

    kind: Literal["cheapest"] = "cheapest"

    def pick(self, task: Task, attempt: int, models: Sequence[int], pool: Pool) -> int:
        """The model of least expected cost."""
        del attempt
        return cheapest(task, models, pool)


class CheapestList(Parameters):
    """The least list price, input plus output: the naive rule, blind to length and caching."""

    kind: Literal["cheapest-list"] = "cheapest-list"

    def pick(self, task: Task, attempt: int, models: Sequence[int], pool: MarketPool) -> int:
        """The model of least list price."""
        del task, attempt
        return least(models, [pool.list_prices[model] for model in models])


class InversePower(Parameters):
    """P(i) proportional to c_i^-eta, c the expected cost (OpenRouter's documented rule: eta = 2).

    Prices 1, 2, 3 give 73.5, 18.4 and 8.2 %. Models that cost nothing share all. Where an outage
    takes a call, the cheapest other is asked in its place, at the same attempt of its agent, and so
    up to ``fallbacks`` times.
    """

    kind: Literal["inverse-power"] = "inverse-power"
    eta: Annotated[float, Field(ge=0, le=50)] = 2.0
    fallbacks: Fallbacks = 0

    def pick(self, task: Task, attempt: int, models: Sequence[int], pool: Pool) -> int:
        """A model drawn by its cost."""
        costs = pool.expected_costs(task, models)
        low, eta = min(costs), self.eta
        weights = [round(FINE * (low / cost) ** eta) if cost else FINE for cost in costs]
        return drawn(models, weights, task, attempt)

    def behind(self, task: Task, attempt: int, models: Sequence[int], pool: Pool) -> int:
        """The model of least expected cost."""
        del attempt
        return cheapest(task, models, pool)
