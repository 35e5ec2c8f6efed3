"""Prices and scores over time, a line per model."""

from collections.abc import Callable, Sequence

import numpy as np

from sim.report.markup import Json, Table
from sim.report.palette import Palette
from sim.report.picture import (
    Layout,
    Picture,
    Trace,
    log_range,
    log_ticks,
    numbered,
    plain,
    rounded,
    ticked,
    two_panels,
)
from sim.report.reading import Record
from sim.report.timeline import Grid
from sim.report.wording import NONE, number, percent
from sim.units import Int64Array

BINS_MOST = 60
ANSWERS_PER_BIN = 80
ANSWERS_LEAST = 10
LOG_FROM = 8
LINES_MOST = 40


def fitting(grid: Grid) -> Grid:
    """A grid so coarse that a model with a typical share has answers enough in a bin."""
    answers = np.sort(grid.answers.sum(axis=1))
    typical = int(answers[len(answers) // 2])
    return grid.coarser(max(6, min(BINS_MOST, typical // ANSWERS_PER_BIN)))


def price_over_time(grid: Grid, per_call: bool) -> list[list[float | None]]:
    """Dollars per 1,000 calls answered, or per million tokens, of bins with answers enough."""
    if per_call:
        return [
            [
                charge / n / 1000 if n >= ANSWERS_LEAST else None
                for charge, n in zip(*row, strict=True)
            ]
            for row in _rows(grid.charge, grid.answers)
        ]
    return [
        [
            charge / tokens if tokens and n >= ANSWERS_LEAST else None
            for charge, tokens, n in zip(*row, strict=True)
        ]
        for row in _rows(grid.charge, grid.tokens, grid.answers)
    ]


def score_over_time(grid: Grid) -> list[list[float | None]]:
    """The mean verdict of the answers to calls posted in each bin, from 0 to 1."""
    return [
        [score / n / 1e6 if n >= ANSWERS_LEAST else None for score, n in zip(*row, strict=True)]
        for row in _rows(grid.score, grid.answers)
    ]


def _rows(*tables: Int64Array) -> list[tuple[list[int], ...]]:
    return list(zip(*(table.tolist() for table in tables), strict=True))


def priced_per_call(record: Record) -> bool:
    """Whether every model asks a price per call."""
    return all(model.price.kind == "per_call" for model in record.scenario.models.values())


def prices_picture(record: Record, grid: Grid, palette: Palette) -> Picture:
    """The picture of prices and scores over time."""
    per_call = priced_per_call(record)
    prices, scores = price_over_time(grid, per_call), score_over_time(grid)
    unit = "1,000 answers" if per_call else "million tokens"
    wide, narrow = two_panels(
        (f"Price, dollars per {unit}", "Score"), grid.bins.title, *_scales(prices, scores)
    )
    known = [value for row in prices for value in row if value]
    spread = f"from ${number(min(known))} to ${number(max(known))}" if known else "of no call"
    traces = [
        *_lines(record, grid, palette, prices, 0, "$%{y:.4~g}"),
        *_lines(record, grid, palette, scores, 1, "%{y:.3f}"),
    ]
    return Picture(
        id=f"prices-{record.key}",
        title="Prices and scores",
        caption=f"What was charged per {unit}, and the validators’ mean verdict, of the calls "
        "posted in each interval, where it has ten or more answers. A charge moves with the mix "
        "of sizes and cache hits even while the list price stands.",
        alternative=f"Two panels of lines over time, one per model: the price per {unit}, "
        f"{spread}, and the mean score from 0 to 1.",
        traces=traces,
        layout=wide,
        narrow=narrow,
        table=_table(record, grid, unit, prices, scores),
        legend=palette.lines(record.models),
    )


def _lines(
    record: Record, grid: Grid, palette: Palette, values: Sequence[Sequence[float | None]],
    at: int, shown: str,
) -> list[Trace]:  # fmt: skip
    lines: list[Trace] = []
    middles: Json = grid.bins.middles()
    order = sorted(record.models, key=palette.models.index)[:LINES_MOST]
    for name in reversed(order):
        own = name in palette.named
        lines.append({
            "type": "scatter", "mode": "lines", "x": middles, "connectgaps": own,
            "y": rounded(values[record.models.index(name)]), "name": plain(name),
            "meta": name if own else "others", "legendgroup": plain(name),
            "showlegend": at == 0 and own, "xaxis": numbered("x", at), "yaxis": numbered("y", at),
            "line": {"color": palette.model(name), "width": 2 if own else 1,
                     "dash": palette.dash(name)},
            "hovertemplate": f"<b>{plain(name)}</b>  {shown}<extra></extra>",
        })  # fmt: skip
    return lines


def _scales(
    prices: Sequence[Sequence[float | None]], scores: Sequence[Sequence[float | None]]
) -> tuple[Layout, Layout]:
    """The y axes: money, logarithmic where prices are far apart; and scores up to 1."""
    known = [value for row in prices for value in row if value]
    least, most = min(known, default=1.0), max(known, default=1.0)
    money: Layout = {"range": [0, most * 1.08], "tickprefix": "$", "nticks": 6}
    if most > LOG_FROM * least:
        money = {"type": "log", "range": log_range(least, most)}
        money |= ticked(log_ticks(least, most), before="$")
    seen = [value for row in scores for value in row if value is not None]
    low = max(0.0, min(seen, default=0.0) - 0.05)
    return money, {"range": [low, 1.02], "nticks": 6}


def _table(
    record: Record, grid: Grid, unit: str, prices: Sequence[Sequence[float | None]],
    scores: Sequence[Sequence[float | None]],
) -> Table:  # fmt: skip
    rows = []
    for at, name in enumerate(record.models):
        price = [value for value in prices[at] if value is not None]
        score = [value for value in scores[at] if value is not None]
        rows.append([name, *_ends(price, lambda v: f"${number(v)}"), *_ends(score, percent)])
    heads = [f"{what} {when}" for what in ("price", "score") for when in ("first", "last")]
    return Table(
        f"Prices in dollars per {unit}, and scores, in the first and last of "
        f"{grid.bins.count} intervals",
        ["model", *heads],
        rows,
    )


def _ends(values: Sequence[float], words: Callable[[float], str]) -> list[str]:
    return [words(values[0]), words(values[-1])] if values else [NONE, NONE]
