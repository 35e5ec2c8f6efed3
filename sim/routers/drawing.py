"""What routers share: drawing by weight, the cheapest, the best, and models by their names."""

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from itertools import accumulate
from typing import Annotated

from pydantic import Field

from sim.chance import below, key, mix
from sim.facts import Task
from sim.routers.pool import MarketPool, Pool
from sim.units import PPM, ppm_nearest

EXPLORE = key("router/explore")
GRACE = key("router/grace")
RANK = key("router/rank")
TIE = key("router/tie")
Fallbacks = Annotated[int, Field(ge=0, le=100, strict=True)]
ModelName = Annotated[str, Field(min_length=1, max_length=64)]


def drawn(models: Sequence[int], weights: Iterable[int], task: Task, attempt: int) -> int:
    """A model drawn in proportion to whole weights; with equal chance if all of them are 0."""
    steps = list(accumulate(weights))
    bits = mix(task.draw, RANK, attempt)
    if not steps[-1]:
        return models[below(bits, len(models))]
    return models[bisect_right(steps, below(bits, steps[-1]))]


def some(models: Sequence[int], count: int, task: Task, attempt: int) -> list[int]:
    """So many different models, any with equal chance (Floyd's algorithm; Bentley 1987)."""
    bits = mix(task.draw, RANK, attempt)
    found: list[int] = []
    for last in range(len(models) - count, len(models)):
        place = below(mix(bits, TIE, last), last + 1)
        found.append(models[place] if models[place] not in found else models[last])
    return found


def explores(task: Task, attempt: int, chance: float) -> bool:
    """Whether this is one of the picks that are left to chance."""
    return below(mix(task.draw, EXPLORE, attempt), PPM) < ppm_nearest(chance)


def least(models: Sequence[int], values: Sequence[int]) -> int:
    """The model of the least value; the first of equals."""
    return models[values.index(min(values))]


def cheapest(task: Task, models: Sequence[int], pool: Pool) -> int:
    """The model of least expected cost; the first of equals."""
    return least(models, pool.expected_costs(task, models))


def best(task: Task, models: Sequence[int], pool: Pool) -> int:
    """The model of highest score; the first of equals."""
    return max(models, key=pool.scores[task.intent].__getitem__)


def offered(names: Iterable[str], models: Sequence[int], pool: MarketPool) -> list[int]:
    """Those of the named models that are on offer, in the order of the names."""
    by_name = {pool.ids[model]: model for model in models}
    return [by_name[name] for name in names if name in by_name]
