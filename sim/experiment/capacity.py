"""Capacity: the largest load, as a multiple of the scenario's, under which a condition holds."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from sim.experiment.conditions import Condition
from sim.experiment.jobs import Job, Row
from sim.experiment.measures import Number
from sim.experiment.replicate import at_least, values_of
from sim.experiment.session import Session
from sim.experiment.statistics import Interval, interval
from sim.experiment.store import Experiment
from sim.facts import Fault, ScenarioError, ToolError
from sim.scenario import Scenario

LOOKS: Final = 4
DOUBLINGS: Final = 10
CONFIDENCE: Final = 0.95


@dataclass(frozen=True)
class Probe:
    """One load that was tried.

    ``value`` is the metric's mean over the runs, its interval at the level of a single look;
    ``sure`` whether the interval leaves the limit out; ``holds`` the decision; ``verdict`` the
    worst of the runs' (stable, backlogged, overloaded).
    """

    load: float
    value: Interval | None
    holds: bool
    sure: bool
    verdict: str


@dataclass(frozen=True)
class Capacity:
    """Between which loads the condition ceases to hold.

    ``holds`` is the largest load found to hold it (None if even the smallest tried did not),
    ``fails`` the smallest found not to (None if even the largest tried did).
    """

    condition: Condition
    holds: float | None
    fails: float | None
    probes: list[Probe]


def plan(scenario: Scenario, condition: Condition) -> Experiment:
    """The experiment behind `capacity`."""
    settings = {"slo": condition.text}
    return Experiment(kind="capacity", designs={scenario.name: scenario}, settings=settings)


def loaded(scenario: Scenario, load: float) -> dict[str, Number]:
    """The arrival rates of all groups times ``load``, by path."""
    return {
        f'groups."{name}".arrival.per_hour': float(f"{group.arrival.per_hour * load:.12g}")
        for name, group in scenario.groups.items()
    }


def capacity(
    scenario: Scenario, condition: Condition, session: Session, reps: int = 3,
    tolerance: float = 0.02,
) -> Capacity:  # fmt: skip
    """The largest multiple of all arrival rates that keeps a condition, by bisection.

    Doubles or halves the load until the answer changes, then halves the gap between, in ratio,
    until it is within ``tolerance``. At each load the sign is tested before it is believed, as
    bisection under noise must (Waeber, Frazier, Henderson 2013, "Bisection search with noisy
    responses", SIAM J. Control Optim. 51(3)): there are at most four looks, at ``reps``, 2, 4 and 8
    times ``reps`` runs, each with a t-interval at the level 1 - 5 % / 4 (Bonferroni), so that a
    load is misjudged with at most 5 %. What is undecided then is judged by its mean and marked.
    All loads share their seeds, so the same tasks come, only faster. A run without a value (no
    call was answered) does not hold the condition.

    Raises:
        ScenarioError: fewer than two replications, a tolerance outside (0, 1).
        ToolError: every run at some load failed.
    """
    at_least("--reps", reps, 2)
    if not 0 < tolerance < 1:
        raise ScenarioError((Fault("--tolerance", f"{tolerance:g}", "above 0 and below 1, as 2%"),))
    probes: list[Probe] = []

    def holds(load: float) -> bool:
        probes.append(_probe(scenario, condition, session, load, len(probes), reps))
        return probes[-1].holds

    low, high = _bracket(holds)
    while low is not None and high is not None and high / low > 1 + tolerance:
        middle = _rounded(math.sqrt(low * high))
        low, high = (middle, high) if holds(middle) else (low, middle)
    return Capacity(condition, low, high, probes)


def _bracket(holds: Callable[[float], bool]) -> tuple[float | None, float | None]:
    up = holds(1.0)
    last = 1.0
    for doubling in range(1, DOUBLINGS + 1):
        load = 2.0 ** (doubling if up else -doubling)
        if holds(load) != up:
            return (last, load) if up else (load, last)
        last = load
    return (last, None) if up else (None, last)


def _probe(
    scenario: Scenario, condition: Condition, session: Session, load: float, point: int, reps: int
) -> Probe:
    changes = loaded(scenario, load)
    session.note = f"load {load:g}"
    look, probe = 0, None
    while probe is None or (not probe.sure and look < LOOKS):
        jobs = [Job(point, rep, scenario, {"load": load}, changes) for rep in range(reps << look)]
        look, probe = look + 1, _judged(condition, load, session.rows(jobs))
    return probe


def _judged(condition: Condition, load: float, rows: list[Row]) -> Probe:
    ended = [row for row in rows if row.error is None]
    if not ended:
        msg = f"every run at load {load:g} failed: {rows[0].error}"
        raise ToolError(msg)
    values = values_of(ended, condition.metric)
    if len(values) < len(ended):
        return Probe(load, None, False, True, worst(rows))
    found = interval(values, 1 - (1 - CONFIDENCE) / LOOKS)
    excess = condition.excess(found.mean)
    sure = found.half_width is not None and abs(excess) > found.half_width
    return Probe(load, found, excess <= 0, sure, worst(rows))


def worst(rows: list[Row]) -> str:
    """The worst verdict of some runs."""
    order: Mapping[str | None, int] = {"stable": 0, "backlogged": 1, "overloaded": 2}
    return max((str(row.verdict) for row in rows if row.verdict), key=lambda v: order[v])


def _rounded(load: float) -> float:
    return float(f"{load:.6g}")


def per_hour(scenario: Scenario) -> float:
    """The tasks that all agents of a scenario post per hour."""
    return sum(group.count * group.arrival.per_hour for group in scenario.groups.values())
