"""Replications: one scenario under many seeds, and the mean of every metric with its interval."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from sim.experiment.jobs import Job, Row
from sim.experiment.measures import known
from sim.experiment.measuring import measure
from sim.experiment.session import Session
from sim.experiment.statistics import Interval, interval
from sim.experiment.store import Experiment
from sim.experiment.warmup import warm_up_us
from sim.facts import Fault, ScenarioError
from sim.scenario import Scenario
from sim.units import us_from_hours_nearest

PRECISE: Final = ("success_rate", "cost_per_success_micros")
FIRST: Final = 5
MOST: Final = 1000
WarmUp = float | Literal["auto"] | None


@dataclass(frozen=True)
class Replicated:
    """What replications say: the rows, each metric's interval, whether the precision was reached.

    ``reached`` is None if none was asked for. Failed rows count in ``rows`` alone.
    """

    rows: list[Row]
    metrics: dict[str, Interval]
    reached: bool | None


def replications(
    scenario: Scenario, kind: str = "replicate", **settings: str
) -> Experiment:  # fmt: skip
    """The experiment that replicates one scenario."""
    return Experiment(kind=kind, designs={scenario.name: scenario}, settings=settings)


def replicate(
    scenario: Scenario, session: Session, reps: int, warm_up_us: int = 0
) -> Replicated:  # fmt: skip
    """Runs replications 0 to ``reps - 1``.

    Raises `ScenarioError` if ``reps`` is below 1.
    """
    at_least("--reps", reps, 1)
    rows = session.rows(_jobs(scenario, range(reps), warm_up_us))
    return Replicated(rows, intervals(rows), None)


def to_precision(
    scenario: Scenario,
    session: Session,
    precision: float,
    names: Sequence[str] = PRECISE,
    first: int = FIRST,
    most: int = MOST,
    warm_up_us: int = 0,
) -> Replicated:
    """Adds replications until each named metric's half width is within ``precision`` of its mean.

    The sequential procedure of Law (2015, "Simulation modeling and analysis", 9.4.1): the half
    width is held against precision / (1 + precision) of the estimate, so that the true relative
    error is at most ``precision``. How many are added is guessed from the width so far (it falls
    with the root of their number), never more than there are already.

    Raises:
        ScenarioError: a name that is no metric, a precision outside (0, 1), too few replications.
    """
    check_precision(scenario, precision, names, first)
    target = precision / (1 + precision)
    reps = first
    while True:
        result = replicate(scenario, session, reps, warm_up_us)
        widths = [_width(result.metrics.get(name)) for name in names]
        if max(widths) <= target:
            return Replicated(result.rows, result.metrics, True)
        if reps >= most or math.inf in widths:
            return Replicated(result.rows, result.metrics, False)
        wanted = math.ceil(reps * (max(widths) / target) ** 2)
        reps = min(most, 2 * reps, max(reps + 1, wanted))


def check_precision(scenario: Scenario, precision: float, names: Sequence[str], first: int) -> None:
    """Raises `ScenarioError` for what `to_precision` cannot do."""
    for name in names:
        known(name, scenario, "--of")
    if not 0 < precision < 1:
        fault = Fault("--precision", f"{precision:g}", "a share above 0 and below 1, as 2%")
        raise ScenarioError((fault,))
    at_least("--reps", first, 2)


def _width(found: Interval | None) -> float:
    relative = found.relative if found else None
    return math.inf if relative is None else relative


def _jobs(scenario: Scenario, reps: range, warm_up_us: int) -> list[Job]:
    return [Job(0, rep, scenario, warm_up_us=warm_up_us) for rep in reps]


def intervals(rows: Sequence[Row]) -> dict[str, Interval]:
    """The mean and 95 % t-interval of every metric, over the rows in which it has a value."""
    names = dict.fromkeys(name for row in rows for name in row.numbers)
    found: dict[str, Interval] = {}
    for name in names:
        values = values_of(rows, name)
        if values:
            found[name] = interval(values)
    return found


def values_of(rows: Sequence[Row], name: str) -> list[float]:
    """A metric's values, of the rows in which it has one."""
    every = (row.numbers.get(name) for row in rows)
    return [float(value) for value in every if value is not None]


def warm_up(designs: Mapping[str, Scenario], asked: WarmUp) -> int:
    """The warm-up of an experiment in microseconds, the same for all its designs.

    Args:
        asked: hours; or ``auto``: replication 0 of each design runs once more, and the longest
            warm-up that MSER-5 finds on them is taken; or None, for none.

    Raises:
        ScenarioError: hours below zero; or a run too short for MSER-5 to tell.
    """
    if asked is None:
        return 0
    if asked != "auto":
        if not 0 <= asked < math.inf:
            raise ScenarioError((Fault("--warm-up", f"{asked:g}", "hours from 0, or auto"),))
        return us_from_hours_nearest(asked)
    found = {name: warm_up_us(measure(scenario).frames) for name, scenario in designs.items()}
    faults = [
        Fault(
            f"--warm-up of {name}",
            "a transient as long as half the run, by MSER-5",
            "a longer run, or a warm-up in hours",
        )
        for name, us in found.items()
        if us is None
    ]
    if faults:
        raise ScenarioError(tuple(faults))
    return max(us or 0 for us in found.values())


def at_least(option: str, value: int, least: int) -> None:
    """Raises `ScenarioError` if an option's value is below the least that makes sense."""
    if value < least:
        raise ScenarioError((Fault(option, str(value), f"a whole number from {least}"),))
