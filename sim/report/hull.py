"""The Zero router: the non-decreasing concave hull of the single models' cost and quality."""

from collections.abc import Sequence
from itertools import pairwise

Point = tuple[float, float]


def concave_hull(points: Sequence[Point]) -> list[Point]:
    """The corners of the hull over (cost, quality), costs rising, the dearest of them the best.

    A mix of two models reaches every point of the line between them (Hu et al. 2024, RouterBench).
    """
    best: dict[float, float] = {}
    for cost, quality in points:
        best[cost] = max(quality, best.get(cost, quality))
    corners: list[Point] = []
    for point in sorted(best.items()):
        if corners and point[1] <= corners[-1][1]:
            continue
        while len(corners) > 1 and not _turns_down(corners[-2], corners[-1], point):
            corners.pop()
        corners.append(point)
    return corners


def _turns_down(first: Point, middle: Point, last: Point) -> bool:
    """Whether the middle lies above the line from first to last."""
    risen = (middle[1] - first[1]) * (last[0] - first[0])
    return risen > (last[1] - first[1]) * (middle[0] - first[0])


def quality_at(corners: Sequence[Point], cost: float) -> float | None:
    """The hull's quality at a cost; None below its cheapest model."""
    if not corners or cost < corners[0][0]:
        return None
    for (low, worse), (high, better) in pairwise(corners):
        if cost <= high:
            return worse + (better - worse) * (cost - low) / (high - low)
    return corners[-1][1]


def cost_of(corners: Sequence[Point], quality: float) -> float | None:
    """The least cost at which the hull has a quality; None above its best model."""
    if not corners or quality > corners[-1][1]:
        return None
    if quality <= corners[0][1]:
        return corners[0][0]
    for (low, worse), (high, better) in pairwise(corners):
        if quality <= better:
            return low + (high - low) * (quality - worse) / (better - worse)
    return corners[-1][0]
