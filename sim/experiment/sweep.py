"""Sweeps: every point of a design under every seed, one row each."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from typing import Final

from sim.experiment.jobs import Job, Row
from sim.experiment.measures import Number, measures
from sim.experiment.replicate import at_least
from sim.experiment.session import Session
from sim.experiment.space import POINTS_MAX, Parameter, Space
from sim.experiment.store import Experiment
from sim.facts import Fault, ScenarioError
from sim.scenario import Scenario

DESIGNS: Final = ("grid", "sobol", "lhs")
RESERVED: Final = ("point", "rep", "verdict", "laws_ok", "error", "digest", "wall_s")


@dataclass(frozen=True)
class Sweep:
    """A sweep that is ready to run: its space and its points."""

    space: Space
    points: list[dict[str, Number]]
    experiment: Experiment


def plan(
    scenario: Scenario,
    parameters: Sequence[Parameter],
    design: str = "grid",
    points: int | None = None,
    warm_up_us: int = 0,
) -> Sweep:
    """What a sweep would run.

    Args:
        design: ``grid``: every combination of the parameters' values, the last moving fastest;
            ``sobol``: a scrambled Sobol sequence (Owen 1998), ``lhs``: a Latin hypercube (McKay,
            Beckman, Conover 1979), both by SciPy and seeded with the scenario's seed.
        points: how many, for the latter two.

    Raises:
        ScenarioError: see `Space`; and a grid over a range without steps, or no number of points.
    """
    space = Space(scenario, parameters)
    taken = {*RESERVED, *measures(scenario)}
    clashes = [each.path for each in parameters if each.path in taken]
    if clashes:
        allowed = "a path that is no column's name"
        raise ScenarioError(tuple(Fault(path, "a metric's name", allowed) for path in clashes))
    if design not in DESIGNS:
        raise ScenarioError((Fault("--design", repr(design), " | ".join(DESIGNS)),))
    if design == "grid":
        found = _grid(space, points)
    else:
        shares = _shares(design, len(parameters), points or 0, scenario.seed)
        found = [space.at(row) for row in shares]
    settings = {"parameters": ", ".join(each.path for each in parameters), "design": design,
                "points": repr(found), "warm_up_us": str(warm_up_us)}  # fmt: skip
    designs = {scenario.name: scenario}
    return Sweep(space, found, Experiment(kind="sweep", designs=designs, settings=settings))


def _grid(space: Space, points: int | None) -> list[dict[str, Number]]:
    faults = [
        Fault(each.path, f"a range without steps, {each.low:g}:{each.high:g}",
              "LO:HI:N or A,B,C in a grid, or --design sobol | lhs with --points", "", "--param")
        for each in space.parameters
        if not each.values
    ]  # fmt: skip
    if points is not None:
        faults.append(Fault("--points", str(points), "no such option with a grid"))
    if not faults and math.prod(len(each.values) for each in space.parameters) > POINTS_MAX:
        faults.append(Fault("--param", "a grid of more points", f"at most {POINTS_MAX}"))
    if faults:
        raise ScenarioError(tuple(faults))
    return [space.point(values) for values in product(*(each.values for each in space.parameters))]


def _shares(design: str, dimensions: int, points: int, seed: int) -> list[list[float]]:
    at_least(f"--points with --design {design}", points, 1)
    from scipy.stats import qmc

    if design == "lhs":
        sample = qmc.LatinHypercube(dimensions, rng=seed).random(points)
    else:  # a net is drawn whole, for it is balanced only so, and cut
        power = math.ceil(math.log2(points))
        sample = qmc.Sobol(dimensions, scramble=True, rng=seed).random_base2(power)[:points]
    shares: list[list[float]] = sample.tolist()
    return shares


def sweep(what: Sweep, session: Session, reps: int = 1, warm_up_us: int = 0) -> list[Row]:
    """Runs every point under ``reps`` seeds, replication by replication, and returns their rows.

    A failed run is a row with its error. All points share the seeds (common random numbers).
    """
    at_least("--reps", reps, 1)
    jobs = [
        Job(number, rep, what.space.scenario, point, point, warm_up_us)
        for rep in range(reps)
        for number, point in enumerate(what.points)
    ]
    return session.rows(jobs)
