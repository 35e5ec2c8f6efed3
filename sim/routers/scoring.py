"""Routers that weigh quality, speed, cost and load against one another."""

import math
from collections.abc import Sequence
from functools import lru_cache
from typing import Annotated, Literal

from pydantic import Field

from sim.facts import Task
from sim.parameters import Parameters, Positive, Share
from sim.routers.drawing import least
from sim.routers.pool import MarketPool
from sim.units import PPM, US_PER_S, ppm_nearest

Weight = Annotated[float, Field(ge=0, le=1000)]
CLIP = 3.0
FINE = 1 << 40


def places(values: Sequence[int], weight: float) -> list[float]:
    """Each value from 0 for the least to ``weight`` for the greatest; 0 if all are equal."""
    low, span = min(values), max(values) - min(values)
    scale = weight / span if span else 0.0
    return [(value - low) * scale for value in values]


class WeightedScore(Parameters):
    """The most of the sum of w * min-max of quality, 1 - latency, 1 - cost and 1 - load.

    Only models with a score of ``min_quality`` and an expected service time of ``max_latency_s``
    take part, as long as there are any. Min-max makes the choice depend on irrelevant alternatives:
    a model that nobody picks can change which one is picked.
    """

    kind: Literal["weighted-score"] = "weighted-score"
    quality: Weight = 0.4
    latency: Weight = 0.2
    cost: Weight = 0.3
    load: Weight = 0.1
    min_quality: Share = 0.0
    max_latency_s: Positive | None = None

    def pick(self, task: Task, attempt: int, models: Sequence[int], pool: MarketPool) -> int:
        """The model of the greatest sum; the first of equals."""
        del attempt
        able = self._able(task, models, pool) or models
        scores = pool.scores[task.intent]
        columns = zip(
            places([-scores[model] for model in able], self.quality),
            places(pool.latencies(task, able) if self.latency else [0] * len(able), self.latency),
            places(pool.expected_costs(task, able), self.cost),
            places(pool.loads(able), self.load),
            strict=True,
        )
        return least(able, [round((a + b + c + d) * FINE) for a, b, c, d in columns])

    def _able(self, task: Task, models: Sequence[int], pool: MarketPool) -> Sequence[int]:
        floor, scores = ppm_nearest(self.min_quality), pool.scores[task.intent]
        good = [model for model in models if scores[model] >= floor] if floor else models
        if self.max_latency_s is None:
            return good
        limit_us = round(self.max_latency_s * US_PER_S)
        times = pool.latencies(task, good)
        return [model for model, time_us in zip(good, times, strict=True) if time_us <= limit_us]


def normal_places(values: Sequence[int]) -> list[float]:
    """Each value's z-score, clipped at 3 and moved from [-3, 3] to [0, 1]; 1/2 if all are equal."""
    mean = sum(values) / len(values)
    spread = math.sqrt(sum([(value - mean) ** 2 for value in values]) / len(values))
    if not spread:
        return [0.5] * len(values)
    scale, shift = 1 / (2 * CLIP * spread), 0.5 - mean / (2 * CLIP * spread)
    found = [value * scale + shift for value in values]
    if min(found) < 0 or max(found) > 1:
        return [min(1.0, max(0.0, place)) for place in found]
    return found


@lru_cache(1024)
def known_places(values: tuple[int, ...]) -> list[float]:
    """The same for what never changes about the models on offer, remembered."""
    return normal_places(values)


class ScorePerPrice(Parameters):
    """The most score per expected cost, as the Morpheus proxy router rates its providers.

    score = tps z(speed) + ttft (1 - z(first token)) + duration (1 - z(service time)) + success q^2
    + stake / 2, with z the clipped z-score among the models on offer; Telex has no stakes, so that
    all are equal.
    """

    kind: Literal["score-per-price"] = "score-per-price"
    tps: Weight = 0.24
    ttft: Weight = 0.08
    duration: Weight = 0.24
    success: Weight = 0.32
    stake: Weight = 0.12

    def pick(self, task: Task, attempt: int, models: Sequence[int], pool: MarketPool) -> int:
        """The model of the greatest score over cost; the first of equals."""
        del attempt
        scores, speed, first = pool.scores[task.intent], pool.millitokens_per_s, pool.first_token_us
        speeds = known_places(tuple(map(speed.__getitem__, models)))
        firsts = known_places(tuple(map(first.__getitem__, models)))
        times = normal_places(pool.latencies(task, models))
        tps, ttft, duration, success = self.tps, self.ttft, self.duration, self.success / PPM**2
        fixed = ttft + duration + self.stake / 2
        rated = [
            fixed + tps * fast - ttft * early - duration * long + success * scores[model] ** 2
            for model, fast, early, long in zip(models, speeds, firsts, times, strict=True)
        ]
        costs = pool.expected_costs(task, models)
        low = FINE * (min(costs) or 1)
        worth = [round(score * low / (cost or 1)) for score, cost in zip(rated, costs, strict=True)]
        return models[worth.index(max(worth))]
