"""How a simulated table compares with a measured one: success, correlation, cost, and replay."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from math import hypot, sqrt

from sim.replay.run import Replay
from sim.replay.table import Floats, Table

ERRORS_MOST = 2.0
CORRELATION_MOST, COST_MOST = 0.05, 0.10
HALF_WIDTHS = 3.92


@dataclass(frozen=True)
class Check:
    """One figure, measured and simulated.

    Args:
        figure: success, correlation, cost_mean, cost_deviation, or one of a replay.
        of: the model, the pair of models, or the router.
        error: standard error of the difference. ok: within the tolerance or two standard errors.
    """

    figure: str
    of: str
    measured: float
    simulated: float
    error: float
    ok: bool


def check(figure: str, of: str, one: float, other: float, error: float, most: float) -> Check:
    """A check with an absolute tolerance beside the two standard errors."""
    ok = abs(one - other) <= max(most, ERRORS_MOST * error)
    return Check(figure, of, float(one), float(other), float(error), bool(ok))


def checks(measured: Table, simulated: Table) -> list[Check]:
    """Success per model, correlation per pair, mean and deviation of cost per model.

    Standard errors are of the difference between two independent tables.
    """
    found = []
    sizes = (len(measured.tasks), len(simulated.tasks))
    for at, model in enumerate(measured.models):
        one, other = measured.success[:, at], simulated.success[:, at]
        error = one.std() * sqrt(sum(1 / size for size in sizes))
        found.append(check("success", model, one.mean(), other.mean(), error, 0.0))
    for first, second in combinations(range(len(measured.models)), 2):
        found += _correlation(measured, simulated, first, second)
    for at, model in enumerate(measured.models):
        if measured.cost_usd is not None and simulated.cost_usd is not None:
            costs = measured.cost_usd[:, at], simulated.cost_usd[:, at]
            found += _cost(model, *costs)
    return found


def _correlation(measured: Table, simulated: Table, first: int, second: int) -> list[Check]:
    pairs = [(t.success[:, first], t.success[:, second]) for t in (measured, simulated)]
    if any(values.std() == 0 for pair in pairs for values in pair):
        return []
    (one, _), (other, deviation) = (correlation(*pair) for pair in pairs)
    sizes = (len(measured.tasks), len(simulated.tasks))
    error = deviation * sqrt(sum(1 / size for size in sizes))
    of = f"{measured.models[first]} & {measured.models[second]}"
    return [check("correlation", of, one, other, error, CORRELATION_MOST)]


def correlation(one: Floats, other: Floats) -> tuple[float, float]:
    """Pearson's r, and sqrt(n) times its standard error, for values that need not be normal.

    The error is the deviation of r's influence, z1 z2 - r (z1^2 + z2^2) / 2 (Devlin et al. 1975).
    """
    first, second = ((each - each.mean()) / each.std() for each in (one, other))
    r = float((first * second).mean())
    return r, float((first * second - r * (first**2 + second**2) / 2).std())


def _cost(model: str, one: Floats, other: Floats) -> list[Check]:
    mean, deviation = one.mean(), one.std()
    error = hypot(deviation / sqrt(len(one)), other.std() / sqrt(len(other)))
    found = [check("cost_mean", model, mean, other.mean(), error, COST_MOST * mean)]
    wrong = hypot(_error_of_deviation(one), _error_of_deviation(other))
    return [*found, check("cost_deviation", model, deviation, other.std(), wrong,
                          COST_MOST * deviation)]  # fmt: skip


def _error_of_deviation(values: Floats) -> float:
    """Standard error of a standard deviation: sqrt((m4 - v^2) / (4 v n))."""
    variance = float(values.var())
    if not variance:
        return 0.0
    fourth = float(((values - values.mean()) ** 4).mean())
    return sqrt(max(fourth - variance**2, 0.0) / (4 * variance * len(values)))


def agreement(measured: Replay, simulated: Replay) -> list[Check]:
    """Success and cost per task of every router, on both tables, within the intervals' width."""
    found = []
    others = {row.label: row for row in simulated.rows}
    for row in measured.rows:
        other = others[row.label]
        error = hypot(_error(row.success_interval), _error(other.success_interval))
        found.append(check("success", row.label, row.success, other.success, error, 0.0))
        one, two = row.cost_usd_per_task, other.cost_usd_per_task
        if one is not None and two is not None:
            error = hypot(*(_error(each.cost_usd_per_task_interval) for each in (row, other)))
            found.append(check("cost_usd_per_task", row.label, one, two, error, 0.0))
    return found


def _error(span: tuple[float, float] | None) -> float:
    return (span[1] - span[0]) / HALF_WIDTHS if span else 0.0


def held(found: Sequence[Check]) -> str:
    """``23 of 24``."""
    return f"{sum(each.ok for each in found)} of {len(found)}"
