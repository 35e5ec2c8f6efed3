"""Routers that look at time: the fastest, and the least busy."""

from collections.abc import Sequence
from typing import Literal

from sim.chance import below, mix
from sim.facts import Task
from sim.parameters import Parameters
from sim.routers.drawing import TIE, least
from sim.routers.pool import MarketPool


class Fastest(Parameters):
    """The least expected service time: first token + output tokens / speed; the first of equals."""

    kind: Literal["fastest"] = "fastest"

    def pick(self, task: Task, attempt: int, models: Sequence[int], pool: MarketPool) -> int:
        """The model of least expected time."""
        del attempt
        return least(models, pool.latencies(task, models))


class LeastBusy(Parameters):
    """The least (calls served or waiting) / slots; any of equals, with equal chance."""

    kind: Literal["least-busy"] = "least-busy"

    def pick(self, task: Task, attempt: int, models: Sequence[int], pool: MarketPool) -> int:
        """The model of least load."""
        loads = pool.loads(models)
        low = min(loads)
        tied = [model for model, load in zip(models, loads, strict=True) if load == low]
        return tied[below(mix(task.draw, TIE, attempt), len(tied))]
