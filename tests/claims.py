"""What a scenario's first comment expects, tested: figures over replications, with intervals."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Self

from sim.experiment.jobs import seed_of
from sim.experiment.measures import Numbers
from sim.experiment.measuring import measure
from sim.experiment.statistics import Interval, difference, interval, relative_difference
from sim.scenario import load
from sim.units import US_PER_HOUR

SCENARIOS = Path(__file__).parents[1] / "scenarios"
REPS = 4
Changes = Mapping[str, object]
"""Values by path, as ``--set`` takes them."""


class Replications:
    """A shipped scenario under several seeds, in this process, every law checked.

    Two of the same scenario share their seeds, so that they are compared pair by pair. Tasks
    posted in the first ``warm_up_h`` hours are left out.
    """

    def __init__(
        self, name: str, changes: Changes | None = None, reps: int = REPS, warm_up_h: int = 0
    ) -> None:
        self.name, self.changes, self.reps, self.warm_up_h = name, changes or {}, reps, warm_up_h
        plain = load(SCENARIOS / f"{name}.yaml", self.changes)
        seeds = [seed_of(plain.seed, rep) for rep in range(reps)]
        self.rows: list[Numbers] = [
            measure(plain.model_copy(update={"seed": seed}), warm_up_h * US_PER_HOUR).numbers
            for seed in seeds
        ]

    def but(self, changes: Changes) -> Self:
        """The same under the same seeds, but for these changes."""
        return type(self)(self.name, {**self.changes, **changes}, self.reps, self.warm_up_h)

    def values(self, metric: str) -> Sequence[float]:
        """A metric of each replication."""
        return [float(row[metric] or 0) for row in self.rows]

    def interval(self, metric: str) -> Interval:
        """The mean of a metric with its 95 % interval."""
        return interval(self.values(metric))

    def less(self, other: "Replications", metric: str) -> Interval:
        """This scenario's metric less the other's."""
        return difference(other.values(metric), self.values(metric))

    def over(self, other: "Replications", metric: str) -> Interval:
        """By which share of the other's metric this scenario's is above it."""
        found = relative_difference(other.values(metric), self.values(metric))
        assert found is not None
        return found

    def between(self, metric: str, base: str) -> Interval:
        """One metric less another, run by run."""
        return difference(self.values(base), self.values(metric))


def above(found: Interval, limit: float) -> bool:
    """Whether the whole interval is above a limit."""
    return found.low is not None and found.low > limit


def below(found: Interval, limit: float) -> bool:
    """Whether the whole interval is below a limit."""
    return found.high is not None and found.high < limit


def within(found: Interval, least: float, most: float) -> bool:
    """Whether the whole interval lies between two values, or on them."""
    if found.low is None or found.high is None:
        return False
    return least <= found.low and found.high <= most
