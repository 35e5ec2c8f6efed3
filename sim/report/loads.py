"""Capacity: a figure against the load, the limit it was to keep, and where it ceases to."""

from collections.abc import Sequence

from pydantic import BaseModel, ConfigDict

from sim.report.markup import Html, Json, Table, join, tag
from sim.report.measured import Measured, Metric
from sim.report.picture import (
    Key,
    Picture,
    Trace,
    axis,
    layout,
    log_range,
    log_ticks,
    rounded,
    ticked,
)
from sim.report.wording import NONE, counted, number, whole

KINDS = (("held", True, "@accent"), ("did not hold", False, "@m1"))


class Mean(BaseModel):
    """A mean and its half width."""

    mean: float
    half_width: float | None


class Probe(BaseModel):
    """One load that was tried."""

    load: float
    value: Mean | None
    holds: bool
    sure: bool
    verdict: str


class Found(BaseModel):
    """What a search for the capacity wrote down."""

    model_config = ConfigDict(extra="ignore")

    slo: str
    metric: str
    limit: float
    holds: float | None
    fails: float | None
    holds_per_hour: float | None
    probes: list[Probe]


def loads_section(measured: Measured, found: Found) -> Html:
    """The words and the picture of a capacity."""
    metric = measured.metric(found.metric)
    probes = sorted(found.probes, key=lambda probe: probe.load)
    asked = f"The largest load that keeps {found.slo}; {counted(len(probes), 'load')} tried."
    return join(
        [
            tag("p", asked),
            tag("p", _sentence(found), class_="finding"),
            _picture(measured.key, found, metric, probes).html(),
        ]
    )


def _sentence(found: Found) -> str:
    if found.holds is None:
        return f"No load that was tried keeps {found.slo}."
    held = (
        f"It holds at {number(found.holds)} times the scenario’s load, "
        f"{whole(found.holds_per_hour)} tasks per hour"
    )
    if found.fails is None:
        return f"{held}, the largest that was tried."
    return f"{held}, and no longer at {number(found.fails)} times."


def _picture(key: str, found: Found, metric: Metric, probes: Sequence[Probe]) -> Picture:
    known = [probe for probe in probes if probe.value is not None]
    before, after = metric.affixes
    spread = [probe.load for probe in probes]
    ticks = ticked(log_ticks(min(spread), max(spread)))
    return Picture(
        id=f"load-{key}",
        title=f"{metric.words} against load",
        caption="Means at each load with their intervals; the line is the limit. A hollow mark "
        "is a load whose side of the limit is not sure.",
        alternative=_sentence(found),
        traces=[
            _limit(found, metric, min(spread), max(spread)),
            *(_marks(name, holds, colour, known, metric) for name, holds, colour in KINDS),
        ],
        layout=layout(
            380,
            margin={"l": 8, "r": 12, "t": 10, "b": 8},
            xaxis=axis("load, times the scenario’s", type="log",
                       range=log_range(min(spread), max(spread)), **ticks),
            yaxis=axis(metric.words, tickprefix=before, ticksuffix=after, nticks=7,
                       rangemode="tozero"),
        ),
        narrow={"height": 320},
        table=_table(metric, probes),
        legend=[*(Key(name, colour, "circle") for name, _, colour in KINDS),
                Key("limit", "@soft", "line")],
    )  # fmt: skip


def _limit(found: Found, metric: Metric, low: float, high: float) -> Trace:
    limit = metric.scaled(found.limit)
    return {
        "type": "scatter", "mode": "lines", "name": "limit", "meta": "limit",
        "x": [low / 1.2, high * 1.2], "y": [limit, limit], "hoverinfo": "skip",
        "line": {"color": "@soft", "width": 1.5, "dash": "dash"},
    }  # fmt: skip


def _marks(name: str, holds: bool, colour: str, known: Sequence[Probe], metric: Metric) -> Trace:
    mine = [(probe, probe.value) for probe in known if probe.holds is holds]
    means = [metric.scaled(value.mean) for _, value in mine if value]
    halves = [metric.scaled(value.half_width or 0.0) for _, value in mine if value]
    symbols: Json = ["circle" if probe.sure else "circle-open" for probe, _ in mine]
    return {
        "type": "scatter", "mode": "markers", "name": name, "meta": name,
        "x": rounded([probe.load for probe, _ in mine]), "y": rounded(means),
        "error_y": {"type": "data", "array": rounded(halves), "color": colour, "thickness": 1.5,
                    "width": 0},
        "marker": {"color": colour, "size": 10, "symbol": symbols,
                   "line": {"width": 2, "color": colour}},
        "text": [f"load {number(probe.load)}: {_told(metric, value)}, {probe.verdict}"
                 for probe, value in mine],
        "hovertemplate": "%{text}<extra></extra>",
    }  # fmt: skip


def _told(metric: Metric, value: Mean | None) -> str:
    if value is None:
        return NONE
    half = "" if value.half_width is None else f" ± {metric.shown(value.half_width)}"
    return f"{metric.shown(value.mean)}{half}"


def _table(metric: Metric, probes: Sequence[Probe]) -> Table:
    rows = [
        [number(probe.load), _told(metric, probe.value), "yes" if probe.holds else "no",
         "yes" if probe.sure else "no", probe.verdict]
        for probe in probes
    ]  # fmt: skip
    return Table("Loads tried", ["load", metric.words, "holds", "surely", "verdict"], rows)
