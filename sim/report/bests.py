"""The best points of an experiment, in words: where a figure is best, and how surely."""

from collections.abc import Sequence

from sim.experiment.best import Best, best_of
from sim.experiment.measures import Direction
from sim.report.measured import Measured, Metric, Point, label_of
from sim.report.wording import NBSP


def best_point(points: Sequence[Point], metric: Metric) -> Point | None:
    """The point with the best mean of a metric; None if nothing is better, or nothing is known."""
    known = [point for point in points if metric.name in point.found]
    if not known or metric.better is Direction.NEUTRAL:
        return None
    return max(known, key=lambda point: metric.better * point.found[metric.name].mean)


def best_in_words(measured: Measured, metrics: Sequence[Metric]) -> str:
    """Where each metric is best, and how surely; what went wrong if nothing was measured."""
    sentences = [_best(measured, metric) for metric in metrics]
    told = " ".join(each for each in sentences if each)
    return told or f"Nothing was measured: {'; '.join(measured.errors)}."


def _best(measured: Measured, metric: Metric) -> str:
    """Where a metric is best, and by how much that is ahead of the next, pair by pair."""
    best = best_of(measured.values(metric.name), metric.better)
    if best is None:
        return ""
    point = measured.points[best.point]
    told = metric.told(point.found[metric.name])
    if best.next is None:
        return f"{metric.words}: {told}."
    way = "highest" if metric.better is Direction.HIGHER else "lowest"
    return (
        f"{metric.words} is {way}, {told}, at {label_of(point)}; "
        f"{_ahead(best, metric, label_of(measured.points[best.next]))}."
    )


def _ahead(best: Best, metric: Metric, rival: str) -> str:
    gap = best.gap
    if gap is None or gap.half_width is None:
        return f"one run cannot say how surely it is ahead of {rival}"
    if not gap.mean and not gap.half_width:
        return f"{rival} is as good"
    by = f"{metric.shown(abs(gap.mean))} ±{NBSP}{metric.half(gap.half_width)} on common seeds"
    return f"{'' if best.sure else 'not surely '}ahead of {rival}, by {by}"
