"""Routers that look at time: the fastest, and the least busy."""

from collections.abc import Sequence
from typing import Literal

from pydantic import Field

from sim.chance import below, mix
from sim.facts import Task
from sim.parameters import Parameters, PositiveCount
from sim.routers.drawing import TIE, least, some
from sim.routers.pool import MarketPool


class Fastest(Parameters):
    """The least expected service time: first token + output tokens / speed; the first of equals."""

    kind: Literal["fastest"] = "fastest"

    def pick(self, task: Task, attempt: int, models: Sequence[int], pool: MarketPool) -> int:
        """The model of least expected time."""
        del attempt
        return least(models, pool.latencies(task, models))


class LeastBusy(Parameters):
    """The least (calls served or waiting) / slots; any of equals, with equal chance.

    With ``choices``, of so many models drawn at random: two are nearly as good as all of them, and
    far better than one (Mitzenmacher 2001, "The power of two choices in load balancing").
    """

    kind: Literal["least-busy"] = "least-busy"
    choices: PositiveCount | None = Field(default=None, le=1000)

    def pick(self, task: Task, attempt: int, models: Sequence[int], pool: MarketPool) -> int:
        """The model of least load."""
        if self.choices is not None and self.choices < len(models):
            models = some(models, self.choices, task, attempt)
        loads = pool.loads(models)
        low = min(loads)
        tied = [model for model, load in zip(models, loads, strict=True) if load == low]
        return tied[below(mix(task.draw, TIE, attempt), len(tied))]
