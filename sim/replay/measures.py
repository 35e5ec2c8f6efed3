"""Figures of replay: AIQ, PGR, APGR, CPT, arena score, and intervals by bootstrap."""

import math
from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from sim.chance import stream
from sim.replay.table import Floats, mean
from sim.report.hull import Point, concave_hull, quality_at
from sim.units import Int64Array

RESAMPLES = 1000
GROUPS_MAX = 5000
TAILS = (2.5, 97.5)
ARENA_WEIGHT, ARENA_LEAST_USD, ARENA_MOST_USD = 0.1, 0.0044, 200.0
Span = tuple[float, float] | None


def arena_score(success: float, cost_usd_per_task: float) -> float:
    """RouterArena's S = 1.1 A C / (0.1 A + C), with A the success (Lu et al. 2025).

    C = (log2 200 - log2 c) / (log2 200 - log2 0.0044), c in dollars per 1,000 tasks, kept to the
    range from 0.0044 to 200.
    """
    cost = min(max(1000 * cost_usd_per_task, ARENA_LEAST_USD), ARENA_MOST_USD)
    thrift = math.log2(ARENA_MOST_USD / cost) / math.log2(ARENA_MOST_USD / ARENA_LEAST_USD)
    below = ARENA_WEIGHT * success + thrift
    return (1 + ARENA_WEIGHT) * success * thrift / below if below else 0.0


def aiq(points: Sequence[Point], least: float, most: float) -> float:
    """Mean quality of the points' non-decreasing concave hull over costs from least to most.

    Below the cheapest point, tasks are left out at random: the hull starts at cost 0, quality 0,
    the null router (Hu et al. 2024, "RouterBench", 3).
    """
    return mean_quality(concave_hull([(0.0, 0.0), *points]), least, most)


def mean_quality(corners: Sequence[Point], least: float, most: float) -> float:
    """The mean of a hull between two costs: the integral over its length, exact by trapezoids."""
    if most <= least:
        return quality_at(corners, least) or 0.0
    costs = sorted({least, most, *(cost for cost, _ in corners if least < cost < most)})
    heights = [quality_at(corners, cost) or 0.0 for cost in costs]
    areas = [(b - a) * (low + high) / 2 for (a, low), (b, high) in
             pairwise(zip(costs, heights, strict=True))]  # fmt: skip
    return math.fsum(areas) / (most - least)


def curve(need: Int64Array, weak: Floats, strong: Floats) -> list[Point]:
    """(share of strong calls, mean of the outcome) over all thresholds of need, highest first.

    Tasks of equal need are taken in any order, so the curve is straight between their ends.

    Args:
        weak, strong: (tasks,) the outcome, success or cost, under either model.
    """
    order = np.argsort(-need, kind="stable")
    gains = np.cumsum((strong - weak)[order])
    ends = np.flatnonzero(np.diff(need[order], append=need.min() - 1))
    start = mean(weak)
    rest = zip(((ends + 1) / len(need)).tolist(), (gains[ends] / len(need)).tolist(), strict=True)
    return [(0.0, start), *((share, start + gain) for share, gain in rest)]


def recovered(points: Sequence[Point], weak: float, strong: float) -> list[Point]:
    """PGR = (quality - weak) / (strong - weak) at each share (Ong et al. 2024, "RouteLLM")."""
    return [(share, (quality - weak) / (strong - weak)) for share, quality in points]


def apgr(points: Sequence[Point]) -> float:
    """The mean of PGR over the share of strong calls, from 0 to 1 (area by trapezoids)."""
    return math.fsum((b - a) * (low + high) / 2 for (a, low), (b, high) in pairwise(points))


def cpt(points: Sequence[Point], needed: float) -> float | None:
    """CPT: the smallest share of strong calls at which PGR reaches ``needed``; None if never."""
    for (a, low), (b, high) in pairwise(points):
        if low >= needed:
            return a
        if high >= needed:
            return a + (b - a) * (needed - low) / (high - low)
    return None


class Bootstrap:
    """Resamples of tasks with replacement, the same for every router (Efron 1979).

    Above 5,000 tasks, random groups of tasks are resampled instead of single ones: as wide in
    expectation, at a fixed price.
    """

    def __init__(self, tasks: int, seed: int) -> None:
        random = stream(seed, "replay", "bootstrap")
        self.groups = min(tasks, GROUPS_MAX)
        self.group = np.arange(tasks) % self.groups
        if tasks > self.groups:
            self.group = random.permutation(self.group)
        shares = np.full(self.groups, 1 / self.groups)
        self._times = random.multinomial(self.groups, shares, size=RESAMPLES).astype(np.float64)
        self._sizes = self.sums(np.ones(tasks))

    def sums(self, values: Floats) -> Floats:
        """The sum of a value per task over each resample."""
        grouped = np.bincount(self.group, values, minlength=self.groups)
        sums: Floats = np.einsum("rg,g->r", self._times, grouped)
        return sums

    def mean(self, values: Floats) -> Span:
        """The 95 % interval (percentiles) of the mean of a value per task."""
        return _span(self.sums(values) / self._sizes)

    def ratio(self, above: Floats, below: Floats) -> Span:
        """The 95 % interval of a ratio of sums; None if a resample has nothing to divide by."""
        parts = self.sums(below)
        return _span(self.sums(above) / parts) if (parts > 0).all() else None


def _span(values: Floats) -> Span:
    low, high = np.percentile(values, TAILS).tolist()
    return low, high
