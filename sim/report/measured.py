"""An experiment as the report reads it: its points, and intervals of the metrics that matter."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import polars as pl
from pydantic import BaseModel, ValidationError

from sim.experiment.documents import RESULT
from sim.experiment.measures import Direction, direction, measures
from sim.experiment.statistics import Interval, interval
from sim.experiment.store import MANIFEST, Experiment, read
from sim.facts import Fault, ScenarioError
from sim.files import is_file
from sim.report.wording import NBSP, NONE, capital, dollars, duration, number, percent
from sim.units import MICROS_PER_USD, US_PER_S

PLAIN = ("point", "rep", "seed", "verdict", "laws_ok", "error", "digest", "wall_s")
WORDS = {
    "success_rate": "tasks solved in time",
    "cost_per_success_micros": "cost per success",
    "latency_us.p50": "median latency",
    "latency_us.p95": "95 % latency",
    "spend_micros": "spend",
    "market.hhi_spend": "concentration of spend",
    "market.regret_micros": "regret",
    "market.welfare_micros": "welfare",
    "calls.made": "calls",
    "rail.gas_micros": "gas",
}
SCALES = {"micros": 1 / MICROS_PER_USD, "us": 1 / US_PER_S, "share": 100.0}
UNITS = {"micros": ("$", ""), "us": ("", " s"), "share": ("", " %")}
SHOWN: dict[str, Callable[[float], str]] = {"micros": dollars, "us": duration, "share": percent}

Result = TypeVar("Result", bound=BaseModel)


@dataclass(frozen=True, slots=True)
class Metric:
    """A metric: its name in the dictionary, its words, its unit, which way is better."""

    name: str
    words: str
    unit: str

    @property
    def better(self) -> Direction:
        """Which way it is better."""
        return direction(self.name)

    def scaled(self, value: float) -> float:
        """A value as pictures show it: dollars, seconds, per cent."""
        return value * SCALES.get(self.unit, 1.0)

    def shown(self, value: float | None) -> str:
        """A value in words."""
        return NONE if value is None else SHOWN.get(self.unit, number)(value)

    def told(self, found: Interval) -> str:
        """A mean with its half width."""
        half = "" if found.half_width is None else f" ±{NBSP}{self.half(found.half_width)}"
        return f"{self.shown(found.mean)}{half}"

    def half(self, width: float) -> str:
        """A half width in words, to two digits."""
        before, after = self.affixes
        return f"{before}{number(self.scaled(width), 2)}{after.replace(' ', NBSP)}"

    @property
    def affixes(self) -> tuple[str, str]:
        """What stands before and after a number on an axis."""
        return UNITS.get(self.unit, ("", ""))


@dataclass(frozen=True)
class Point:
    """One point: its labels, the intervals of its metrics, how many of its runs failed."""

    labels: dict[str, str | float]
    found: dict[str, Interval]
    failed: int


@dataclass(frozen=True)
class Measured:
    """One experiment.

    ``labels`` are the columns that tell points apart: the parameters, or ``design``;
    ``directory`` is where it is saved.
    """

    key: str
    experiment: Experiment
    table: pl.DataFrame
    labels: tuple[str, ...]
    metrics: tuple[Metric, ...]
    points: tuple[Point, ...]
    directory: Path = Path()

    @property
    def name(self) -> str:
        """The first scenario's name."""
        return next(iter(self.experiment.designs.values())).name

    @property
    def reps(self) -> int:
        """Replications of the point that has most."""
        return int(self.table["rep"].n_unique())

    def metric(self, name: str) -> Metric:
        """Any metric of the first scenario by its name, in the words there are for it."""
        found = measures(next(iter(self.experiment.designs.values())))[name]
        return Metric(name, capital(WORDS.get(name, name)), found.unit)

    def values(self, name: str) -> dict[int, dict[int, float]]:
        """A metric's values by position in ``points``, then by replication."""
        rows = self.table.select("point", "rep", name).drop_nulls().sort("point", "rep")
        places = {point: at for at, point in enumerate(self.table["point"].unique().sort())}
        found: dict[int, dict[int, float]] = {}
        for point, rep, value in rows.iter_rows():
            found.setdefault(places[point], {})[rep] = float(value)
        return found

    @property
    def errors(self) -> list[str]:
        """What runs died of, each once."""
        return sorted({str(error) for error in self.table["error"].drop_nulls()})


def result_of(directory: Path, kind: type[Result]) -> Result | None:
    """``result.json`` of an experiment's directory; None if the experiment has not ended.

    Raises `ScenarioError` if it is that of another version.
    """
    file = directory / RESULT
    try:
        return kind.model_validate_json(file.read_bytes()) if file.is_file() else None
    except (OSError, ValidationError) as error:
        found = f"a {RESULT} that this version does not read"
        fault = Fault(str(directory), found, "an experiment of this version", "run it again")
        raise ScenarioError((fault,)) from error


def is_experiment(directory: Path) -> bool:
    """Whether a directory is an experiment's."""
    return is_file(directory / MANIFEST)


def open_experiment(directory: Path, key: str) -> Measured:
    """Reads the directory of an experiment; raises `ScenarioError` if it is none."""
    experiment, table = read(directory)
    known = {name: each for each in experiment.designs.values() for name in measures(each)}
    labels = tuple(name for name in table.columns if name not in PLAIN and name not in known)
    metrics = tuple(_metrics(experiment, labels))
    parts = table.sort("point", "rep").partition_by("point", maintain_order=True)
    points = tuple(_point(part, labels, metrics) for part in parts)
    return Measured(key, experiment, table, labels, metrics, points, directory)


def _metrics(experiment: Experiment, labels: Sequence[str]) -> list[Metric]:
    """Those of `WORDS`; and of every model whose own number is varied, revenue and share."""
    first = measures(next(iter(experiment.designs.values())))
    words = {name: text for name, text in WORDS.items() if name in first}
    models = dict.fromkeys(
        label.split(".")[1] for label in labels if label.startswith("models.") and "." in label
    )
    for model in models:
        words[f"models.{model}.revenue_micros"] = f"revenue of {model}"
        words[f"models.{model}.share_calls"] = f"share of calls of {model}"
    asked = [name for name in first if name in experiment.settings.get("objectives", "").split()]
    words |= {name: words.get(name, name) for name in asked}
    return [Metric(name, capital(text), first[name].unit) for name, text in words.items()]


def _point(rows: pl.DataFrame, labels: Sequence[str], metrics: Sequence[Metric]) -> Point:
    found = {}
    for metric in metrics:
        values = [float(value) for value in rows[metric.name].drop_nulls()]
        if values:
            found[metric.name] = interval(values)
    first = rows.row(0, named=True)
    failed = int(rows["error"].is_not_null().sum())
    return Point({label: first[label] for label in labels}, found, failed)


def label_of(point: Point) -> str:
    """A point in words."""
    return ", ".join(
        f"{name.rsplit('.', 1)[-1]} {value if isinstance(value, str) else number(value, 4)}"
        for name, value in point.labels.items()
    )
