"""The best of several points that share their seeds, and how surely it is ahead of the next."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sim.experiment.jobs import Row
from sim.experiment.measures import Direction
from sim.experiment.statistics import Interval, difference, interval

Values = Mapping[int, Mapping[int, float]]
"""A metric's values by point, then by replication."""


@dataclass(frozen=True)
class Best:
    """The point with the best mean, the next one, and what lies between them.

    ``gap`` is the mean of next - best over the replications that both have; None if there is no
    next one, or no replication in common.
    """

    point: int
    next: int | None
    gap: Interval | None

    @property
    def sure(self) -> bool:
        """Whether the 95 % interval of the gap leaves out zero."""
        gap = self.gap
        return gap is not None and gap.half_width is not None and abs(gap.mean) > gap.half_width


def best_of(values: Values, better: Direction) -> Best | None:
    """The best point in a direction; None if there are no values, or better has no meaning."""
    known = {point: of_rep for point, of_rep in values.items() if of_rep}
    if not known or better is Direction.NEUTRAL:
        return None
    means = {point: interval(list(of_rep.values())).mean for point, of_rep in known.items()}
    best, *others = sorted(means, key=lambda point: (-better * means[point], point))
    if not others:
        return Best(best, None, None)
    ours, theirs = known[best], known[others[0]]
    common = sorted(ours.keys() & theirs.keys())
    gap = difference([ours[r] for r in common], [theirs[r] for r in common]) if common else None
    return Best(best, others[0], gap)


def values_by_point(rows: Sequence[Row], metric: str) -> dict[int, dict[int, float]]:
    """A metric's values of some rows, by point and replication."""
    found: dict[int, dict[int, float]] = {}
    for row in rows:
        value = row.numbers.get(metric)
        if value is not None:
            found.setdefault(row.point, {})[row.rep] = float(value)
    return found
