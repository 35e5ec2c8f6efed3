"""Routers that learn from what became of similar tasks.

They see a task's intent and the sizes of its prompt and of a reference answer, on a log scale: what
is known before it is served. They see neither its difficulty nor how an answer will turn out.
"""

import math
from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Annotated, Literal, Protocol

import numpy as np
from pydantic import Field

from sim.chance import below, mix
from sim.facts import Task
from sim.parameters import Parameters, PositiveCount, Share
from sim.routers.drawing import RANK, explores
from sim.routers.pool import Lesson, MarketPool
from sim.units import PPM, ppm_nearest

PER_E = 1000
Place = tuple[int, int]


def place_of(task: Task) -> Place:
    """Where a task is among the others of its intent: log sizes in thousandths."""
    return (
        round(PER_E * math.log1p(task.input_tokens)),
        round(PER_E * math.log1p(task.output_tokens)),
    )


class Memory(Protocol):
    """What is known of an intent's tasks so far."""

    def take(self, lesson: Lesson) -> None:
        """Takes one more verdict."""
        ...

    def performances(self, place: Place, models: Sequence[int], scores: Sequence[int]) -> list[int]:
        """Each model's performance at a place, in ppm; ``scores`` are the validators', of all."""
        ...


class _Similar(Parameters, ABC):
    """What both rules share.

    Args:
        alpha: the weight of performance; the rest is that of efficiency, least cost / cost.
        explore: in a market, the chance that any model gets the task. Never on a recorded table,
            where the outcomes of all models on other tasks are known beforehand.
    """

    alpha: Share = 0.8
    explore: Share = 0.05

    def pick(self, task: Task, attempt: int, models: Sequence[int], pool: MarketPool) -> int:
        """The model of most alpha performance + (1 - alpha) efficiency; the first of equals."""
        if pool.online and explores(task, attempt, self.explore):
            return models[below(mix(task.draw, RANK, attempt), len(models))]
        known = self._known(task.intent, pool)
        performances = known.performances(place_of(task), models, pool.scores[task.intent])
        costs = pool.expected_costs(task, models)
        low, alpha = min(costs), ppm_nearest(self.alpha)
        values = [
            alpha * performance + (PPM - alpha) * (PPM * low // cost if cost else PPM)
            for performance, cost in zip(performances, costs, strict=True)
        ]
        return models[values.index(max(values))]

    def _known(self, intent: int, pool: MarketPool) -> Memory:
        """What is known of an intent, the latest verdicts included; the pool keeps it."""
        known = pool.notes.get(intent)
        if not isinstance(known, (_Neighbours, _Clusters)):
            known = pool.notes[intent] = self._blank(len(pool.ids))
        for lesson in pool.lessons(intent):
            known.take(lesson)
        return known

    @abstractmethod
    def _blank(self, models: int) -> "_Neighbours | _Clusters":
        """What is known of an intent before its first verdict."""


class Knn(_Similar):
    """The best by the verdicts on its ``neighbours`` most similar tasks, cost considered.

    A model's performance is the mean verdict on the nearest of its last ``memory`` tasks of the
    intent, the validators' score counting as one more (Hu et al. 2024, "RouterBench").
    """

    kind: Literal["knn"] = "knn"
    neighbours: PositiveCount = Field(default=20, le=10_000)
    memory: PositiveCount = Field(default=1000, le=100_000)

    def _blank(self, models: int) -> "_Neighbours":
        return _Neighbours(models, self.memory, self.neighbours)


class Cluster(_Similar):
    """The best by the verdicts on tasks of the same cluster, cost considered.

    Tasks of an intent fall into ``clusters`` around means that move with them (sequential k-means,
    MacQueen 1967); a model's performance is its mean verdict in the task's cluster, the validators'
    score counting as ``prior`` more.
    """

    kind: Literal["cluster"] = "cluster"
    clusters: PositiveCount = Field(default=8, le=1000)
    prior: Annotated[int, Field(ge=1, le=10_000, strict=True)] = 5

    def _blank(self, models: int) -> "_Clusters":
        return _Clusters(models, self.clusters, self.prior)


class _Neighbours:
    """Per model, the places and verdicts of its last tasks, in rings."""

    def __init__(self, models: int, memory: int, neighbours: int) -> None:
        self.size, self.neighbours, self.counts = memory, neighbours, [0] * models
        self.rings = [np.zeros((3, 0), np.int64) for _ in range(models)]

    def take(self, lesson: Lesson) -> None:
        ring, count = self.rings[lesson.model], self.counts[lesson.model]
        if count == ring.shape[1] < self.size:
            wider = min(self.size, max(64, 2 * count))
            ring = np.concatenate([ring, np.zeros((3, wider - count), np.int64)], axis=1)
            self.rings[lesson.model] = ring
        ring[:, count % self.size] = (*place_of(lesson.task), lesson.score_ppm)
        self.counts[lesson.model] = count + 1

    def performances(self, place: Place, models: Sequence[int], scores: Sequence[int]) -> list[int]:
        """The mean verdict nearby, with the score as one verdict more, rounded down."""
        return [self._mean(model, place, scores[model]) for model in models]

    def _mean(self, model: int, place: Place, score_ppm: int) -> int:
        known, neighbours = min(self.counts[model], self.size), self.neighbours
        inputs, outputs, verdicts = self.rings[model][:, :known]
        if known > neighbours:
            apart = (inputs - place[0]) ** 2 + (outputs - place[1]) ** 2
            # No two are equally far, so that the nearest are the same on any processor.
            nearest = np.argpartition(apart * known + np.arange(known), neighbours - 1)
            verdicts = verdicts[nearest[:neighbours]]
        return (int(verdicts.sum()) + score_ppm) // (len(verdicts) + 1)


class _Clusters:
    """Sums of places and of verdicts, per cluster."""

    def __init__(self, models: int, most: int, prior: int) -> None:
        self.most, self.prior, self.none = most, prior, [0] * models
        self.sums: list[list[int]] = []
        self.means: list[Place] = []
        self.tried: list[list[int]] = []
        self.won: list[list[int]] = []

    def _nearest(self, place: Place) -> int:
        x, y = place
        apart = [(x - a) ** 2 + (y - b) ** 2 for a, b in self.means]
        return apart.index(min(apart))

    def take(self, lesson: Lesson) -> None:
        place = place_of(lesson.task)
        if len(self.means) < self.most and place not in self.means:
            at = len(self.means)
            self.means.append(place)
            self.sums.append([0, 0, 0])
            self.tried.append(self.none.copy())
            self.won.append(self.none.copy())
        else:
            at = self._nearest(place)
        sums = self.sums[at]
        sums[0], sums[1], sums[2] = sums[0] + place[0], sums[1] + place[1], sums[2] + 1
        self.means[at] = (sums[0] // sums[2], sums[1] // sums[2])
        self.tried[at][lesson.model] += 1
        self.won[at][lesson.model] += lesson.score_ppm

    def performances(self, place: Place, models: Sequence[int], scores: Sequence[int]) -> list[int]:
        """The mean verdict in the place's cluster, with the score as some more, rounded down."""
        tried, won, prior = self.none, self.none, self.prior
        if self.means:
            at = self._nearest(place)
            tried, won = self.tried[at], self.won[at]
        return [(won[m] + prior * scores[m]) // (tried[m] + prior) for m in models]
