"""Comparisons on common random numbers: which design beats which, by how much, how surely."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sim.experiment.conditions import Objective
from sim.experiment.jobs import Job, Row
from sim.experiment.measures import Direction, direction, known
from sim.experiment.replicate import at_least
from sim.experiment.selection import Selected, select
from sim.experiment.session import Session
from sim.experiment.statistics import Interval, difference, interval, relative_difference
from sim.experiment.store import Experiment
from sim.facts import Fault, ScenarioError, ToolError
from sim.scenario import Scenario


@dataclass(frozen=True)
class Difference:
    """One design against the base in one metric, over the replications that both have.

    ``difference`` is other - base, ``relative`` the same over the base's mean (None where that is
    zero). ``winner`` is the better one's name, None if the interval covers zero or the metric says
    nothing of better.
    """

    metric: str
    base: str
    other: str
    means: tuple[float, float]
    difference: Interval
    relative: Interval | None
    winner: str | None
    words: str


@dataclass(frozen=True)
class Comparison:
    """All designs against the first, in every metric that both have; the base's own means too."""

    base: str
    means: dict[str, dict[str, Interval]]
    """By design, then metric."""
    differences: dict[str, dict[str, Difference]]
    """By the other design's name, then metric."""
    rows: list[Row]


def named(scenarios: Sequence[tuple[str, Scenario]]) -> dict[str, Scenario]:
    """Designs by name, all under the first's seed; a name taken gets a number: ``a``, ``a (2)``.

    Raises `ScenarioError` if there are fewer than two.
    """
    if len(scenarios) < 2:
        fault = Fault(
            "designs", str(len(scenarios)), "two scenarios, or one and its --set variants"
        )
        raise ScenarioError((fault,))
    seed = scenarios[0][1].seed
    designs: dict[str, Scenario] = {}
    for name, scenario in scenarios:
        free, number = name, 2
        while free in designs:
            free, number = f"{name} ({number})", number + 1
        designs[free] = scenario.model_copy(update={"seed": seed})
    return designs


def comparison(designs: Mapping[str, Scenario], **settings: str) -> Experiment:
    """The experiment that compares these designs."""
    return Experiment(kind="compare", designs=dict(designs), settings=settings)


def compare(
    designs: Mapping[str, Scenario], session: Session, reps: int, warm_up_us: int = 0
) -> Comparison:
    """Runs every design under the same ``reps`` seeds and holds them against the first.

    Raises:
        ScenarioError: fewer than two replications. ToolError: a design of which no run succeeded.
    """
    at_least("--reps", reps, 2)
    jobs = [
        Job(number, rep, scenario, {"design": name}, warm_up_us=warm_up_us)
        for rep in range(reps)
        for number, (name, scenario) in enumerate(designs.items())
    ]
    return compared(list(designs), session.rows(jobs))


def compared(names: Sequence[str], rows: Sequence[Row]) -> Comparison:
    """A comparison made of rows whose ``point`` is the position in ``names``."""
    by_design: dict[str, dict[int, Row]] = {name: {} for name in names}
    for row in rows:
        if row.error is None:
            by_design[names[row.point]][row.rep] = row
    for name, found in by_design.items():
        if not found:
            errors = sorted({str(row.error) for row in rows if names[row.point] == name})
            msg = f"no run of {name} succeeded: {'; '.join(errors) or 'there is none'}"
            raise ToolError(msg)
    base, *others = names
    means = {name: _means(list(found.values())) for name, found in by_design.items()}
    differences = {
        other: _differences(base, by_design[base], other, by_design[other]) for other in others
    }
    return Comparison(base, means, differences, list(rows))


def _means(rows: Sequence[Row]) -> dict[str, Interval]:
    names = dict.fromkeys(name for row in rows for name in row.numbers)
    values = {name: [v for row in rows if (v := row.numbers.get(name)) is not None]
              for name in names}  # fmt: skip
    return {name: interval([float(v) for v in found]) for name, found in values.items() if found}


def _differences(
    base: str, of_base: Mapping[int, Row], other: str, of_other: Mapping[int, Row]
) -> dict[str, Difference]:
    found: dict[str, Difference] = {}
    reps = sorted(of_base.keys() & of_other.keys())
    names = dict.fromkeys(name for rep in reps for name in of_base[rep].numbers)
    for name in names:
        pairs = [(of_base[rep].numbers.get(name), of_other[rep].numbers.get(name)) for rep in reps]
        both = [(float(a), float(b)) for a, b in pairs if a is not None and b is not None]
        if both:
            found[name] = _difference(name, base, other, both)
    return found


def _difference(
    metric: str, base: str, other: str, pairs: Sequence[tuple[float, float]]
) -> Difference:
    ours, theirs = [a for a, _ in pairs], [b for _, b in pairs]
    absolute, relative = difference(ours, theirs), relative_difference(ours, theirs)
    means = interval(ours).mean, interval(theirs).mean
    way = direction(metric)
    sure = absolute.half_width is not None and abs(absolute.mean) > absolute.half_width
    winner = None
    if sure and way is not Direction.NEUTRAL:
        winner = other if (absolute.mean > 0) == (way is Direction.HIGHER) else base
    words = _words(base, other, absolute, relative, sure, winner)
    return Difference(metric, base, other, means, absolute, relative, winner, words)


def _words(
    base: str, other: str, absolute: Interval, relative: Interval | None, sure: bool,
    winner: str | None,
) -> str:  # fmt: skip
    if absolute.mean == 0 and not absolute.half_width:
        return f"{base} and {other} are equal"
    if not sure:
        return f"no difference shown between {base} and {other}: {_signed(absolute, relative)}"
    amount = _amount(absolute, relative)
    if winner is None:
        return f"{other} is {'higher' if absolute.mean > 0 else 'lower'} than {base} by {amount}"
    return f"{winner} beats {base if winner == other else other} by {amount}"


def _amount(absolute: Interval, relative: Interval | None) -> str:
    if relative is None or relative.half_width is None:
        return f"{abs(absolute.mean):.6g} +- {absolute.half_width:.2g}"
    return f"{abs(relative.mean) * 100:.3g} % +- {relative.half_width * 100:.2g} %"


def _signed(absolute: Interval, relative: Interval | None) -> str:
    if absolute.half_width is None:
        return "one replication shows none"
    amount = _amount(absolute, relative)
    return f"{'+' if absolute.mean > 0 else '-'}{amount}"


def best_of(
    designs: Mapping[str, Scenario], session: Session, objective: Objective, indifference: float,
    first: int = 10, confidence: float = 0.95, warm_up_us: int = 0,
) -> Selected:  # fmt: skip
    """Ranks designs by a metric and selects the best (`sim.experiment.selection.select`).

    ``indifference`` is the least difference that matters, in the metric's own unit.

    Raises:
        ScenarioError: no such metric, ... ToolError: a run failed or the metric has no value there.
    """
    known_in_all(objective.metric, designs)
    scenarios = list(designs.items())

    def observe(alive: Sequence[int], rep: int) -> list[float]:
        jobs = [
            Job(
                number,
                rep,
                scenarios[number][1],
                {"design": scenarios[number][0]},
                warm_up_us=warm_up_us,
            )
            for number in alive
        ]
        session.note = f"{len(alive)} designs left"
        return [-objective.sign * value_of(row, objective.metric) for row in session.rows(jobs)]

    return select(len(designs), indifference, observe, first, confidence)


def zone_of(found: Comparison, objective: Objective, share: float) -> float:
    """A share of the base's mean of a metric, as the least difference that matters."""
    mean = found.means[found.base].get(objective.metric)
    if mean is None or not mean.mean or not 0 < share < math.inf:
        said = (
            "no mean, or a mean of zero, to take a share of"
            if mean is None or not mean.mean
            else f"{share:g}"
        )
        raise ScenarioError((Fault("--indifference", said, "a share above 0, as 1%"),))
    return share * abs(mean.mean)


def known_in_all(metric: str, designs: Mapping[str, Scenario]) -> None:
    """Raises `ScenarioError`, with the nearest name, if a design has no such metric."""
    for scenario in designs.values():
        known(metric, scenario, "metric")


def value_of(row: Row, metric: str) -> float:
    """A row's value of a metric; raises `ToolError` if the run failed or has none."""
    value = row.numbers.get(metric)
    if value is None:
        label = ", ".join(f"{name} {value}" for name, value in row.labels.items())
        why = row.error or f"it has no {metric}"
        msg = f"run {row.place}{f' ({label})' if label else ''} cannot be judged: {why}"
        raise ToolError(msg)
    return float(value)
