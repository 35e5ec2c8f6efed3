"""Routers that look at nothing but names or chance, and the one that knows everything."""

from collections.abc import Sequence
from typing import Annotated, Literal

from pydantic import Field

from sim.chance import below, mix
from sim.facts import Task
from sim.parameters import Parameters
from sim.routers.drawing import RANK, ModelName, cheapest, drawn, offered
from sim.routers.pool import MarketPool, Pool
from sim.units import ppm_nearest


class Single(Parameters):
    """Always the same ``model``; the cheapest on offer while that one is not."""

    kind: Literal["single"] = "single"
    model: ModelName

    @property
    def names(self) -> tuple[str, ...]:
        """The models that are named."""
        return (self.model,)

    def pick(self, task: Task, attempt: int, models: Sequence[int], pool: MarketPool) -> int:
        """The named one, or the cheapest."""
        del attempt
        return cheapest(task, offered(self.names, models, pool) or models, pool)


class Random(Parameters):
    """Any model that fits, with equal chance."""

    kind: Literal["random"] = "random"

    def pick(self, task: Task, attempt: int, models: Sequence[int], pool: Pool) -> int:
        """A model drawn uniformly."""
        del pool
        return models[below(mix(task.draw, RANK, attempt), len(models))]


class Weighted(Parameters):
    """Fixed ``weights`` by name: P(i) = w_i / sum of w on offer; any, if none of those is."""

    kind: Literal["weighted"] = "weighted"
    weights: dict[ModelName, Annotated[float, Field(ge=1e-6, le=1e6)]] = Field(min_length=1)

    @property
    def names(self) -> tuple[str, ...]:
        """The models that are named."""
        return tuple(self.weights)

    def pick(self, task: Task, attempt: int, models: Sequence[int], pool: MarketPool) -> int:
        """A model drawn by its weight."""
        weights = [ppm_nearest(self.weights.get(pool.ids[model], 0.0)) for model in models]
        return drawn(models, weights, task, attempt)


class Oracle(Parameters):
    """The cheapest model that will be right, else the cheapest: the bound that no router beats."""

    kind: Literal["oracle"] = "oracle"

    def pick(self, task: Task, attempt: int, models: Sequence[int], pool: MarketPool) -> int:
        """The cheapest of those that are right at this attempt."""
        ladder = sorted(zip(pool.expected_costs(task, models), models, strict=True))
        right = (model for _, model in ladder if pool.rights(task, attempt, [model])[0])
        return next(right, ladder[0][1])
