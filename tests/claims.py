"""What a scenario's first comment expects, tested: figures over replications, with intervals."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from sim.experiment.jobs import seed_of
from sim.experiment.measures import Numbers
from sim.experiment.measuring import measure
from sim.experiment.statistics import Interval, difference, interval
from sim.scenario import load

SCENARIOS = Path(__file__).parents[1] / "scenarios"
REPS = 4


class Replications:
    """A scenario under several seeds; `World` runs in this process, every law checked."""

    def __init__(
        self, name: str, overrides: Mapping[str, object] | None = None, reps: int = REPS
    ) -> None:
        self.rows: list[Numbers] = []
        for rep in range(reps):
            plain = load(SCENARIOS / f"{name}.yaml", overrides or {})
            seeded = plain.model_copy(update={"seed": seed_of(plain.seed, rep)})
            self.rows.append(measure(seeded).numbers)

    def values(self, metric: str) -> Sequence[float]:
        """A metric of each replication."""
        return [float(row[metric] or 0) for row in self.rows]

    def interval(self, metric: str) -> Interval:
        """The mean of a metric with its 95 % interval."""
        return interval(self.values(metric))

    def less(self, other: "Replications", metric: str) -> Interval:
        """This scenario's metric less the other's, on common random numbers."""
        return difference(other.values(metric), self.values(metric))

    def between(self, metric: str, base: str) -> Interval:
        """One metric less another, run by run."""
        return difference(self.values(base), self.values(metric))


def above(found: Interval, limit: float) -> bool:
    """Whether the whole interval is above a limit."""
    return found.low is not None and found.low > limit


def below(found: Interval, limit: float) -> bool:
    """Whether the whole interval is below a limit."""
    return found.high is not None and found.high < limit
