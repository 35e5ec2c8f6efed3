"""Routers that look at the validators' scores, and at cost beside them."""

import math
from bisect import bisect_right
from collections.abc import Sequence
from functools import cached_property
from itertools import accumulate
from typing import Annotated, Literal

from pydantic import Field

from sim.chance import below, mix
from sim.facts import Task
from sim.parameters import Parameters, Positive, PositiveUsd, Share
from sim.routers.drawing import GRACE, RANK, TIE, Fallbacks, drawn
from sim.routers.pool import Pool
from sim.units import PPM, micros_from_usd_exact, ppm_nearest

FINE = 1 << 40


class Leaderboard(Parameters):
    """Telegraph's rule: fixed shares of the tasks to the first, second, third by score.

    With fewer models than shares, the shares left are scaled up; models of equal score share the
    sum of their places equally. While models are in grace, ``grace_percent`` of the tasks go to
    them, to each as likely, and the shares divide what is left; whoever is alone on offer, ranked
    or in grace, gets all. Where an outage takes a call, the next in rank is asked in its place, at
    the same attempt of its agent, and so up to ``fallbacks`` times.
    """

    kind: Literal["leaderboard"] = "leaderboard"
    shares_percent: tuple[Annotated[int, Field(ge=1, le=100, strict=True)], ...] = Field(
        default=(70, 20, 10), min_length=1
    )
    grace_percent: Annotated[int, Field(ge=0, le=100, strict=True)] = 5
    fallbacks: Fallbacks = 0

    @cached_property
    def _steps(self) -> list[int]:
        return list(accumulate(self.shares_percent))

    def pick(self, task: Task, attempt: int, models: Sequence[int], pool: Pool) -> int:
        """The model at a place drawn with the shares; among equals at that place, any."""
        newcomers = pool.newcomers.get(task.intent)
        if newcomers:
            models = self._divide(task, attempt, models, newcomers)
            if models[0] in newcomers:
                return models[below(mix(task.draw, TIE, attempt), len(models))]
        scores = pool.scores[task.intent]
        ranked = sorted(models, key=scores.__getitem__, reverse=True)
        steps = self._steps[: len(ranked)]
        draw = below(mix(task.draw, RANK, attempt), steps[-1])
        place = bisect_right(steps, draw)
        score = scores[ranked[place]]
        equal_above = place > 0 and scores[ranked[place - 1]] == score
        equal_below = place + 1 < len(ranked) and scores[ranked[place + 1]] == score
        if not equal_above and not equal_below:
            return ranked[place]
        tied = [model for model in ranked if scores[model] == score]
        return tied[below(mix(task.draw, TIE, attempt), len(tied))]

    def behind(self, task: Task, attempt: int, models: Sequence[int], pool: Pool) -> int:
        """The best scored, of equals any; one in grace only if no other is on offer."""
        newcomers = pool.newcomers.get(task.intent, frozenset())
        ranked = [model for model in models if model not in newcomers] or models
        scores = pool.scores[task.intent]
        top = max(scores[model] for model in ranked)
        tied = [model for model in ranked if scores[model] == top]
        return tied[below(mix(task.draw, TIE, attempt), len(tied))]

    def _divide(
        self, task: Task, attempt: int, models: Sequence[int], newcomers: frozenset[int]
    ) -> Sequence[int]:
        """Those on offer that are in grace, or those that are ranked."""
        new = [model for model in models if model in newcomers]
        ranked = [model for model in models if model not in newcomers]
        gets_new = below(mix(task.draw, GRACE, attempt), 100) < self.grace_percent
        return new if new and (gets_new or not ranked) else ranked


class QualityFloor(Parameters):
    """The cheapest model whose score is at least ``floor``; the best scored if none reaches it."""

    kind: Literal["quality-floor"] = "quality-floor"
    floor: Share

    def pick(self, task: Task, attempt: int, models: Sequence[int], pool: Pool) -> int:
        """The cheapest above the floor, else the best."""
        del attempt
        scores = pool.scores[task.intent]
        floor_ppm = ppm_nearest(self.floor)
        good = [model for model in models if scores[model] >= floor_ppm]
        if not good:
            return max(models, key=scores.__getitem__)
        costs = pool.expected_costs(task, good)
        return good[costs.index(min(costs))]


class WillingnessToPay(Parameters):
    """The most expected surplus: value times believed quality, less expected cost.

    ``value_usd`` is what a right answer is taken to be worth; the group's own value when left out.
    """

    kind: Literal["willingness-to-pay"] = "willingness-to-pay"
    value_usd: PositiveUsd | None = None

    @cached_property
    def _value_micros(self) -> int | None:
        return None if self.value_usd is None else micros_from_usd_exact(self.value_usd)

    def pick(self, task: Task, attempt: int, models: Sequence[int], pool: Pool) -> int:
        """The model of greatest value * quality - cost (both in millionths of a micro)."""
        del attempt
        value = task.value_micros if self._value_micros is None else self._value_micros
        scores = pool.scores[task.intent]
        costs = pool.expected_costs(task, models)
        surplus = [value * scores[m] - cost for m, cost in zip(models, costs, strict=True)]
        return models[surplus.index(max(surplus))]


class Logit(Parameters):
    """P(i) proportional to exp((value q_i - c_i) / ``temperature_usd``): McFadden's logit (1974).

    q is the score, c the expected cost, and ``value_usd`` what a right answer is taken to be worth;
    the task's own value when left out. The cooler, the more the best one gets.
    """

    kind: Literal["logit"] = "logit"
    temperature_usd: Positive = Field(default=0.01, ge=1e-9, le=1e6)
    value_usd: PositiveUsd | None = None

    def pick(self, task: Task, attempt: int, models: Sequence[int], pool: Pool) -> int:
        """A model drawn by its expected surplus."""
        value = task.value_micros
        if self.value_usd is not None:
            value = micros_from_usd_exact(self.value_usd)
        scores, costs = pool.scores[task.intent], pool.expected_costs(task, models)
        surplus = [value * scores[m] - cost for m, cost in zip(models, costs, strict=True)]
        top, scale = max(surplus), PPM * PPM * self.temperature_usd
        weights = [round(FINE * math.exp((each - top) / scale)) for each in surplus]
        return drawn(models, weights, task, attempt)
