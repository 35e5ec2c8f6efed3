"""Routers that learn from verdicts, or follow the money; what they learnt is kept by the pool."""

import math
from collections.abc import Sequence
from decimal import Decimal
from random import Random as Generator
from typing import Annotated, Literal

from pydantic import Field

from sim.chance import below, mix
from sim.facts import Task
from sim.parameters import OpenShare, Parameters, PositiveUsd, Share
from sim.routers.drawing import EXPLORE, RANK, drawn, explores
from sim.routers.pool import MarketPool
from sim.units import PPM, micros_from_usd_exact, ppm_nearest, us_from_hours_nearest

FINE = 1 << 40


class Bandit(Parameters):
    """Learns each model's success per intent from its verdicts, by one of four rules.

    ``thompson``: a draw from Beta(1 + right, 1 + wrong) (Thompson 1933). ``ucb1``: mean +
    sqrt(2 ln N / n), untried ones first (Auer, Cesa-Bianchi, Fischer 2002). ``epsilon-greedy``: the
    best mean, but any model with chance ``explore``. These pick the most of (1 - cheapness) index +
    cheapness (least cost / cost). ``exp3`` (Auer et al. 2002): P(i) = (1 - explore) w_i / sum of w
    + explore / K with w_i = exp(explore G_i / K), where each verdict adds verdict / P(i) to G_i, P
    taken when the verdict comes; it does not look at cost.
    """

    kind: Literal["bandit"] = "bandit"
    rule: Literal["thompson", "ucb1", "epsilon-greedy", "exp3"] = "thompson"
    cheapness: Share = 0.3
    explore: OpenShare = 0.1

    def pick(self, task: Task, attempt: int, models: Sequence[int], pool: MarketPool) -> int:
        """The model of the greatest index; the first of equals."""
        if self.rule == "exp3":
            weights = self._exp3(task.intent, pool)
            return drawn(models, [weights[model] for model in models], task, attempt)
        if self.rule == "epsilon-greedy" and explores(task, attempt, self.explore):
            return models[below(mix(task.draw, RANK, attempt), len(models))]
        costs = pool.expected_costs(task, models)
        low = min(costs)
        values = [
            ppm_nearest(
                (1 - self.cheapness) * index + self.cheapness * (low / cost if cost else 1.0)
            )
            for index, cost in zip(self._indices(task, attempt, models, pool), costs, strict=True)
        ]
        return models[values.index(max(values))]

    def _indices(
        self, task: Task, attempt: int, models: Sequence[int], pool: MarketPool
    ) -> list[float]:
        """Each model's, by how often it was tried and was right."""
        tried, won = pool.tried[task.intent], pool.won[task.intent]
        if self.rule == "thompson":
            bits = mix(task.draw, RANK, attempt)
            return [
                Generator(mix(bits, EXPLORE, model)).betavariate(
                    1 + won[model] / PPM, 1 + tried[model] - won[model] / PPM
                )
                for model in models
            ]
        if self.rule == "ucb1":
            width = 2 * math.log(max(1, sum(tried)))
            return [
                won[model] / PPM / tried[model] + math.sqrt(width / tried[model])
                if tried[model]
                else PPM
                for model in models
            ]
        scores = pool.scores[task.intent]
        return [
            won[model] / PPM / tried[model] if tried[model] else scores[model] / PPM
            for model in models
        ]

    def _exp3(self, intent: int, pool: MarketPool) -> list[int]:
        gains = pool.notes.get(intent)
        if not isinstance(gains, list):
            gains = pool.notes[intent] = [0.0] * len(pool.ids)
        for lesson in pool.lessons(intent):
            weights = self._weights(gains)
            gains[lesson.model] += lesson.score_ppm / PPM * sum(weights) / weights[lesson.model]
        return self._weights(gains)

    def _weights(self, gains: Sequence[float]) -> list[int]:
        top, models = max(gains), len(gains)
        raw = [math.exp(self.explore * (gain - top) / models) for gain in gains]
        total = sum(raw)
        return [
            round(FINE * ((1 - self.explore) * weight / total + self.explore / models))
            for weight in raw
        ]


class MarketShare(Parameters):
    """P(i) proportional to the spending on model i for this intent in the last ``window_h``.

    Follows the market's leaderboards of usage, and so reinforces itself. Every model starts with
    ``prior_usd``, which never runs out.
    """

    kind: Literal["market-share"] = "market-share"
    window_h: Annotated[float, Field(gt=0, le=1e6)] = 168.0
    prior_usd: PositiveUsd = Decimal("0.01")

    def pick(self, task: Task, attempt: int, models: Sequence[int], pool: MarketPool) -> int:
        """A model drawn by its share of the spending."""
        since_us = task.posted_us - us_from_hours_nearest(self.window_h)
        prior = micros_from_usd_exact(self.prior_usd)
        spent = pool.spend(task.intent, models, since_us)
        return drawn(models, [prior + micros for micros in spent], task, attempt)
