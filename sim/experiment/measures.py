"""The numbers of a run by one flat name each: their types, units, and which way is better."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import IntEnum
from fnmatch import fnmatchcase
from types import NoneType, UnionType
from typing import TypeAlias, get_args, get_origin

from pydantic import BaseModel

from sim.facts import Fault, ScenarioError
from sim.metrics import Figures
from sim.scenario import Scenario
from sim.scenario.library import nearest
from sim.units import MICROS_PER_USD, US_PER_HOUR, US_PER_MINUTE, US_PER_MS, US_PER_S

Number: TypeAlias = int | float
Numbers: TypeAlias = dict[str, Number | None]


class Direction(IntEnum):
    """Which way a metric is better: -1 lower, 1 higher, 0 neither by itself."""

    LOWER = -1
    NEUTRAL = 0
    HIGHER = 1


# What is better is so for the one whom the figure is about: agents, a model's provider, the market.
DIRECTIONS = {
    "success_rate": Direction.HIGHER,
    "tasks.succeeded": Direction.HIGHER,
    "tasks.failed": Direction.LOWER,
    "tasks.rejected": Direction.LOWER,
    "tasks.expired": Direction.LOWER,
    "calls.refunded": Direction.LOWER,
    "calls.unpaid": Direction.LOWER,
    "cost_per_success_micros": Direction.LOWER,
    "latency_us.*": Direction.LOWER,
    "models.*.score": Direction.HIGHER,
    "models.*.revenue_micros": Direction.HIGHER,
    "models.*.profit_micros": Direction.HIGHER,
    "groups.*.succeeded": Direction.HIGHER,
    "groups.*.success_rate": Direction.HIGHER,
    "groups.*.cost_per_success_micros": Direction.LOWER,
    "groups.*.value_micros": Direction.HIGHER,
    "groups.*.surplus_micros": Direction.HIGHER,
    "protocol.rounds_failed": Direction.LOWER,
    "judges.*.net_machina_mean": Direction.HIGHER,
    "conduct.abandoned": Direction.LOWER,
    "conduct.departures": Direction.LOWER,
    "market.hhi_*": Direction.LOWER,
    "market.regret_micros": Direction.LOWER,
    "market.welfare_micros": Direction.HIGHER,
    "rail.delay_us_*": Direction.LOWER,
    "rail.gas": Direction.LOWER,
    "rail.gas_micros": Direction.LOWER,
    "rail.locked_micros": Direction.LOWER,
    "rail.at_risk_micros": Direction.LOWER,
}
NOT_MEASURED = ("seed",)
SCALES: dict[str, dict[str, float]] = {
    "us": {"us": 1, "ms": US_PER_MS, "s": US_PER_S, "min": US_PER_MINUTE, "h": US_PER_HOUR},
    "micros": {"micros": 1, "usd": MICROS_PER_USD, "$": MICROS_PER_USD},
    "share": {"%": 0.01},
}
QUANTITY = re.compile(r"([-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)\s*([A-Za-z%$]*)")


@dataclass(frozen=True)
class Measure:
    """One number of a run: its name, unit and formula, and whether it is a whole number."""

    name: str
    unit: str
    formula: str
    whole: bool

    @property
    def direction(self) -> Direction:
        """Which way it is better."""
        return direction(self.name)


def direction(name: str) -> Direction:
    """Which way a metric is better, by the table above; neutral if it says nothing."""
    found = (way for pattern, way in DIRECTIONS.items() if fnmatchcase(name, pattern))
    return next(found, Direction.NEUTRAL)


def numbers(figures: Figures) -> Numbers:
    """The numbers of a run by flat name, in the order of the summary; None where there is none."""
    return dict(_flat(figures, ""))


def _flat(part: BaseModel, prefix: str) -> Iterator[tuple[str, Number | None]]:
    for name, field in type(part).model_fields.items():
        value = getattr(part, name)
        if isinstance(value, BaseModel):
            yield from _flat(value, f"{prefix}{name}.")
        elif isinstance(value, Mapping):
            for key, below in value.items():
                yield from _flat(below, f"{prefix}{name}.{key}.")
        elif _number_type(field.annotation) and f"{prefix}{name}" not in NOT_MEASURED:
            yield f"{prefix}{name}", value


def _number_type(annotation: object) -> type[int] | type[float] | None:
    union = get_origin(annotation) is UnionType
    types = [part for part in get_args(annotation) if part is not NoneType] if union else ()
    only = types[0] if len(types) == 1 else annotation
    return int if only is int else float if only is float else None


def measures(scenario: Scenario) -> dict[str, Measure]:
    """Every metric that a run of this scenario has, by name, before it has run."""
    return {each.name: each for each in _measures(Figures, "", scenario)}


def _measures(part: type[BaseModel], prefix: str, scenario: Scenario) -> Iterator[Measure]:
    for name, field in part.model_fields.items():
        kind = field.annotation
        unit, _, formula = (field.description or "").partition(": ")
        number = _number_type(kind)
        if get_origin(kind) is dict:
            keys: Iterable[str] = getattr(scenario, name, ())
            for key in keys:
                yield from _measures(get_args(kind)[1], f"{prefix}{name}.{key}.", scenario)
        elif isinstance(kind, type) and issubclass(kind, BaseModel):
            yield from _measures(kind, f"{prefix}{name}.", scenario)
        elif number and f"{prefix}{name}" not in NOT_MEASURED:
            yield Measure(f"{prefix}{name}", unit, formula, number is int)


def known(name: str, scenario: Scenario, option: str) -> Measure:
    """The metric of this name; raises `ScenarioError` with the nearest name if there is none."""
    every = measures(scenario)
    if name in every:
        return every[name]
    heads = sorted({each.partition(".")[0] for each in every})
    allowed = f"a metric of this scenario: {', '.join(heads)} and their parts"
    within = min((each for each in every if name and name in each), key=len, default="")
    hint = nearest(name, list(every)) or (f"did you mean {within}?" if within else "")
    raise ScenarioError((Fault(option, repr(name), allowed, hint),))


def quantity(text: str, measure: Measure, option: str) -> float:
    """A limit such as ``0.9``, ``90%``, ``8s`` or ``0.02usd`` in the metric's own unit.

    A number without a unit is in the metric's own. Raises `ScenarioError` for any other unit.
    """
    scales = SCALES.get(measure.unit, {})
    match = QUANTITY.fullmatch(text.strip())
    if match and (not match[2] or match[2].lower() in scales):
        return float(match[1]) * (scales[match[2].lower()] if match[2] else 1)
    units = f", or one with {' | '.join(scales)}" if scales else ""
    allowed = f"a number in {measure.unit}{units}"
    raise ScenarioError((Fault(f"{option} {measure.name}", repr(text), allowed),))
