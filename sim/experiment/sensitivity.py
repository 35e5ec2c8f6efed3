"""Sensitivity: which parameters move a metric; Morris's screening and Sobol's indices by SALib."""

import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import Final, TypedDict

import numpy as np
import numpy.typing as npt

from sim.experiment.jobs import Job, Row
from sim.experiment.measures import Number, known
from sim.experiment.replicate import at_least, values_of
from sim.experiment.session import Session
from sim.experiment.space import Space
from sim.experiment.store import Experiment
from sim.facts import Fault, ScenarioError, ToolError


class Problem(TypedDict):
    """What SALib takes: how many parameters, their names, their least and most."""

    num_vars: int
    names: list[str]
    bounds: list[list[float]]


Floats = npt.NDArray[np.float64]
Evaluate = Callable[[list[list[float]]], Mapping[str, Sequence[float]]]
"""From points, as shares in [0, 1] of each parameter's range, to each metric's values there."""

METHODS: Final = ("morris", "sobol")
LEVELS: Final = 4
RESAMPLES: Final = 200
EXTRA: Final = "telex sensitivity needs SALib: pip install 'telex[sensitivity]'"


@dataclass(frozen=True)
class Index:
    """One index of one parameter, and the half width of its 95 % interval (bootstrap)."""

    value: float
    half_width: float


@dataclass(frozen=True)
class Indices:
    """How a metric depends on each parameter.

    ``of`` gives by parameter: for ``morris`` mu (mean elementary effect over the whole range),
    mu_star (mean absolute effect) and sigma (their deviation: curvature and interaction); for
    ``sobol`` S1 (share of the variance that it explains alone) and ST (with all interactions).
    """

    method: str
    metric: str
    of: dict[str, dict[str, Index]]
    runs: int


def indices(
    names: Sequence[str], evaluate: Evaluate, method: str, points: int, seed: int
) -> list[Indices]:
    """Samples the unit cube, evaluates, and analyses every metric that comes back.

    Morris (1991) with mu* of Campolongo, Cariboni, Saltelli (2007): ``points`` trajectories of
    len(names) + 1 evaluations. Sobol (2001) with the estimators of Saltelli et al. (2010):
    ``points`` (a power of two) times len(names) + 2 evaluations.

    Raises:
        ScenarioError: a method or number of points there is not. ToolError: SALib is missing.
    """
    _check(method, points)
    problem: Problem = {
        "num_vars": len(names), "names": list(names), "bounds": [[0.0, 1.0]] * len(names)
    }  # fmt: skip
    sample = _sample(problem, method, points, seed)
    found = evaluate(sample.tolist())
    return [
        Indices(
            method, metric, _analysed(problem, method, sample, np.array(values), seed), len(sample)
        )
        for metric, values in found.items()
    ]


def _check(method: str, points: int) -> None:
    if method not in METHODS:
        raise ScenarioError((Fault("--method", repr(method), " | ".join(METHODS)),))
    at_least("--points", points, 2)
    if method == "sobol" and points & (points - 1):
        near = 1 << (points - 1).bit_length()
        fault = Fault(
            "--points", str(points), "a power of two for sobol", f"{near // 2} or {near}?"
        )
        raise ScenarioError((fault,))


def _salib(name: str) -> Callable[..., Mapping[str, Floats]]:
    """A function of SALib, by module and name."""
    module, _, function = name.rpartition(".")
    try:
        found: Callable[..., Mapping[str, Floats]] = getattr(import_module(module), function)
    except ImportError as error:
        raise ToolError(EXTRA) from error
    return found


def _sample(problem: Problem, method: str, points: int, seed: int) -> Floats:
    seed32 = seed % 2**32
    if method == "morris":
        made = _salib("SALib.sample.morris.sample")(problem, points, num_levels=LEVELS, seed=seed32)
    else:
        sample = _salib("SALib.sample.sobol.sample")
        made = sample(problem, points, calc_second_order=False, seed=seed32)
    return np.asarray(made)


def _analysed(
    problem: Problem, method: str, sample: Floats, values: Floats, seed: int
) -> dict[str, dict[str, Index]]:
    names, seed32 = problem["names"], seed % 2**32
    if not np.ptp(values):  # nothing moves it, and there is no variance to share
        symbols = ("mu", "mu_star", "sigma") if method == "morris" else ("S1", "ST")
        return {name: dict.fromkeys(symbols, Index(0.0, 0.0)) for name in names}
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        if method == "morris":
            found = _salib("SALib.analyze.morris.analyze")(
                problem, sample, values, num_levels=LEVELS, num_resamples=RESAMPLES, seed=seed32
            )
            return _morris(names, found, len(sample) // (len(names) + 1))
        found = _salib("SALib.analyze.sobol.analyze")(
            problem, values, calc_second_order=False, num_resamples=RESAMPLES, seed=seed32
        )
    return {
        name: {key: Index(float(found[key][i]), float(found[f"{key}_conf"][i]))
               for key in ("S1", "ST")}
        for i, name in enumerate(names)
    }  # fmt: skip


def _morris(
    names: Sequence[str], found: Mapping[str, Floats], trajectories: int
) -> dict[str, dict[str, Index]]:
    made = {}
    for i, name in enumerate(names):
        sigma = float(found["sigma"][i])
        # SALib gives an interval of mu_star alone; mu is a mean of independent effects, and the
        # relative error of a standard deviation is about 1 / sqrt(2 (n - 1)).
        of_mu = 1.96 * sigma / trajectories**0.5
        of_sigma = 1.96 * sigma / (2 * max(1, trajectories - 1)) ** 0.5
        made[name] = {
            "mu": Index(float(found["mu"][i]), of_mu),
            "mu_star": Index(float(found["mu_star"][i]), float(found["mu_star_conf"][i])),
            "sigma": Index(sigma, of_sigma),
        }
    return made


def plan(space: Space, metrics: Sequence[str], method: str, points: int, reps: int) -> Experiment:
    """The experiment behind `sensitivity`; raises `ScenarioError` for a name that is no metric."""
    _check(method, points)
    at_least("--reps", reps, 1)
    for metric in metrics:
        known(metric, space.scenario, "--of")
    settings = {"parameters": repr(space.parameters), "method": method, "points": str(points)}
    designs = {space.scenario.name: space.scenario}
    return Experiment(kind="sensitivity", designs=designs, settings=settings)


def sensitivity(
    space: Space,
    metrics: Sequence[str],
    session: Session,
    method: str,
    points: int,
    reps: int = 1,
) -> list[Indices]:
    """How each metric, as a mean over ``reps`` shared seeds, depends on the parameters.

    Raises `ToolError` if at some point no run succeeds: indices cannot do without one.
    """

    def evaluate(shares: list[list[float]]) -> dict[str, list[float]]:
        found = [space.at(row) for row in shares]
        places: dict[tuple[Number, ...], int] = {}
        numbers = [places.setdefault(tuple(point.values()), len(places)) for point in found]
        unique = dict(zip(numbers, found, strict=True))
        jobs = [
            Job(number, rep, space.scenario, point, point)
            for rep in range(reps)
            for number, point in unique.items()
        ]
        rows: dict[int, list[Row]] = {number: [] for number in unique}
        for row in session.rows(jobs):
            rows[row.point].append(row)
        return {
            metric: [_mean(metric, rows[number], unique[number]) for number in numbers]
            for metric in metrics
        }

    names = [parameter.path for parameter in space.parameters]
    return indices(names, evaluate, method, points, space.scenario.seed)


def _mean(metric: str, rows: Sequence[Row], point: Mapping[str, Number]) -> float:
    values = values_of(rows, metric)
    if not values:
        msg = f"{metric} has no value at {dict(point)}: {rows[0].error or 'none there'}"
        raise ToolError(msg)
    return sum(values) / len(values)
