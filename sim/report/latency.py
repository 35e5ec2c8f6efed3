"""Latency by model: median, 95 % and 99 % of posted to finished."""

from dataclasses import dataclass

import polars as pl

from sim.record import ANSWERED_NAMES
from sim.report.markup import Json, Table
from sim.report.palette import Palette
from sim.report.picture import (
    Key,
    Layout,
    Picture,
    Trace,
    axis,
    layout,
    log_range,
    log_ticks,
    plain,
    rounded,
    ticked,
)
from sim.report.reading import Record
from sim.report.wording import duration, shortened, whole
from sim.units import US_PER_S

ROWS_MOST = 24
ROW_PX = 24
TICKS_NARROW = 4
MARKS = {"median": "circle", "95 %": "line-ns-open", "99 %": "line-ns-open"}


@dataclass(frozen=True, slots=True)
class Latency:
    """Quantiles of one model's answered calls, nearest rank, and the mean wait for a slot; us."""

    model: str
    answers: int
    p50: int
    p95: int
    p99: int
    wait_us: int


def latency_query(calls: pl.LazyFrame) -> pl.LazyFrame:
    """The quantiles by model."""
    latency = pl.col("finished_us") - pl.col("posted_us")
    ranks = {f"p{q}": latency.quantile(q / 100, interpolation="nearest") for q in (50, 95, 99)}
    return (
        calls.filter(pl.col("reason").is_in(ANSWERED_NAMES))
        .filter(pl.col("status") != "in_flight")
        .group_by("model")
        .agg(
            pl.len().alias("answers"),
            *(rank.cast(pl.Int64).alias(name) for name, rank in ranks.items()),
            ((pl.col("started_us") - pl.col("posted_us")).sum() // pl.len()).alias("wait_us"),
        )
        .with_columns(pl.col("model").cast(pl.String))
        .sort("p50", "model")
    )


def latencies(rows: pl.DataFrame) -> list[Latency]:
    """One per model that answered, the quickest first."""
    return [Latency(*row) for row in rows.iter_rows()]


def reach_of(every: list[Latency]) -> tuple[float, float]:
    """The least median and the greatest 99 %, in seconds."""
    least = min((each.p50 for each in every), default=US_PER_S)
    most = max((each.p99 for each in every), default=US_PER_S)
    return max(least, 1) / US_PER_S, max(most, 1) / US_PER_S


def latency_picture(
    record: Record, every: list[Latency], palette: Palette, reach: tuple[float, float]
) -> Picture:
    """The picture of latencies; ``every`` is not empty, ``reach`` the range of its axis in s."""
    by_calls = sorted(every, key=lambda each: palette.models.index(each.model))[:ROWS_MOST]
    shown = sorted(by_calls, key=lambda each: (-each.p50, each.model))
    slowest = max(every, key=lambda each: each.p95)
    quickest = every[0]
    left = f" Shown are the {ROWS_MOST} models with most calls." if len(every) > ROWS_MOST else ""
    return Picture(
        id=f"latency-{record.key}",
        title="Latency",
        caption="From posted to finished, waiting included, of answered calls: the dot is the "
        f"median, the marks are the 95 % and 99 % quantiles.{left}",
        alternative=f"A row per model. Quickest is {quickest.model}, half of its answers within "
        f"{duration(quickest.p50)}; the longest 95 % quantile has {slowest.model}, "
        f"{duration(slowest.p95)}.",
        traces=_traces(shown, palette),
        layout=_layout(len(shown), reach),
        narrow={"xaxis": ticked(log_ticks(*reach, TICKS_NARROW), after=" s")},
        table=_table(every),
        legend=[
            Key("median", "@soft", "circle", toggles=False),
            Key("95 %", "@soft", "tick", toggles=False),
            Key("99 %", "@soft", "tick thin", toggles=False),
        ],
    )


def _traces(shown: list[Latency], palette: Palette) -> list[Trace]:
    names: Json = [plain(shortened(each.model)) for each in shown]
    colours: Json = [palette.model(each.model) for each in shown]
    bars: list[Trace] = [
        {
            "type": "scatter", "mode": "lines", "hoverinfo": "skip", "showlegend": False,
            "x": _seconds([each.p50, each.p99]), "y": [plain(shortened(each.model))] * 2,
            "line": {"color": palette.model(each.model), "width": 2},
        }
        for each in shown
    ]  # fmt: skip
    dots: list[Trace] = [
        {
            "type": "scatter", "mode": "markers", "name": name, "y": names,
            "x": _seconds([getattr(each, key) for each in shown]),
            "marker": {
                "symbol": symbol, "color": colours, "size": 10 if key == "p50" else size,
                "line": {"width": 2 if key != "p50" else 0, "color": colours},
            },
            "hovertemplate": f"%{{y}}<br>{name} %{{x:.3~g}} s<extra></extra>",
        }
        for (name, symbol), key, size in zip(
            MARKS.items(), ("p50", "p95", "p99"), (10, 14, 8), strict=True
        )
    ]  # fmt: skip
    return [*bars, *dots]


def _seconds(times: list[int]) -> list[float | None]:
    return rounded([time / US_PER_S for time in times])


def _layout(rows: int, reach: tuple[float, float]) -> Layout:
    return layout(
        rows * ROW_PX + 56,
        margin={"l": 8, "r": 8, "t": 4, "b": 8},
        xaxis=axis(
            "", type="log", range=log_range(*reach), **ticked(log_ticks(*reach), after=" s"),
        ),
        yaxis=axis(type="category", showgrid=False, dtick=1, range=[-0.6, rows - 0.4]),
    )  # fmt: skip


def _table(every: list[Latency]) -> Table:
    rows = [
        [each.model, whole(each.answers), duration(each.p50), duration(each.p95),
         duration(each.p99), duration(each.wait_us)]
        for each in every
    ]  # fmt: skip
    heads = ["model", "answers", "median", "95 %", "99 %", "mean wait for a slot"]
    return Table("Latency by model", heads, rows)
