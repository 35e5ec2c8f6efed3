"""Shares of the market over time: calls, tokens, spend and right answers, side by side."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from sim.report.markup import Table
from sim.report.palette import OTHER, Palette, origins_of
from sim.report.picture import (
    Key,
    Layout,
    Picture,
    Trace,
    axis,
    layout,
    merged,
    numbered,
    panel_title,
    plain,
    split,
    ticked,
)
from sim.report.reading import Record
from sim.report.timeline import Grid
from sim.report.wording import NONE, duration, percent
from sim.units import Int64Array

MEASURES = {"calls": "Calls", "tokens": "Tokens", "charge": "Spend", "right": "Right answers"}
TABLE_ROWS = 8
HEIGHT, NARROW_HEIGHT = 300, 470
NARROW_DOMAINS = (
    ([0.0, 0.46], [0.57, 1.0]), ([0.54, 1.0], [0.57, 1.0]),
    ([0.0, 0.46], [0.0, 0.43]), ([0.54, 1.0], [0.0, 0.43]),
)  # fmt: skip


@dataclass(frozen=True)
class Band:
    """One band of the picture: a model, an origin, or all others together.

    ``sums`` are those of `Grid`, by name, over its bins.
    """

    name: str
    colour: str
    sums: Mapping[str, Int64Array]


def model_bands(record: Record, grid: Grid, palette: Palette) -> list[Band]:
    """A band per model with a colour of its own, then one for all others."""
    position = {name: at for at, name in enumerate(record.models)}
    bands = [
        _band(name, palette.model(name), grid, [position[name]])
        for name in palette.named
        if name in position
    ]
    others = [at for name, at in position.items() if name not in palette.named]
    return [*bands, _band(f"{len(others)} others", OTHER, grid, others)] if others else bands


def origin_bands(record: Record, grid: Grid, palette: Palette) -> list[Band]:
    """A band per origin with a colour of its own, then one for all others."""
    of_model = origins_of(record)
    bands, others = [], []
    for origin in palette.origins:
        rows = [at for at, found in enumerate(of_model) if found == origin]
        if origin in palette.named_origins and rows:
            bands.append(_band(origin, palette.origin(origin), grid, rows))
        else:
            others += rows
    return [*bands, _band("other origins", OTHER, grid, others)] if others else bands


def _band(name: str, colour: str, grid: Grid, rows: Sequence[int]) -> Band:
    sums = {measure: getattr(grid, measure)[list(rows)].sum(axis=0) for measure in MEASURES}
    return Band(name, colour, sums)


def shares_over_time(bands: Sequence[Band], measure: str) -> list[list[float | None]]:
    """Each band's share of each bin in per cent, to two places; None where the bin is empty."""
    table = np.array([band.sums[measure] for band in bands])
    whole = table.sum(axis=0)
    return [
        [
            round(100 * part / of_all, 2) if of_all else None
            for part, of_all in zip(row, whole.tolist(), strict=True)
        ]
        for row in table.tolist()
    ]


def shares_picture(record: Record, grid: Grid, bands: Sequence[Band], by: str) -> Picture:
    """The picture of the shares of ``bands``; ``by`` is ``model`` or ``origin``."""
    traces = [
        trace
        for at, measure in enumerate(MEASURES)
        for trace in _traces(grid, bands, at, shares_over_time(bands, measure))
    ]
    wide, narrow = _layouts(grid)
    first = max(bands, key=lambda band: int(band.sums["calls"].sum()))
    shares = (f"{percent(_overall(bands, first, key))} of {key}" for key in ("calls", "tokens"))
    return Picture(
        id=f"shares-{by}-{record.key}",
        title=f"Shares by {by}",
        caption="Of the calls posted in each interval. Where a colour is thicker in spend than in "
        "right answers, that money bought less than the average.",
        alternative=f"Four stacked areas over time, one colour per {by}: shares of calls, tokens, "
        f"spend and right answers. Overall {first.name} has {' and '.join(shares)}, "
        f"{percent(_overall(bands, first, 'charge'))} of spend and "
        f"{percent(_overall(bands, first, 'right'))} of right answers.",
        traces=traces,
        layout=wide,
        narrow=narrow,
        table=_table(grid, bands, by),
        legend=[Key(band.name, band.colour) for band in bands],
    )


def _overall(bands: Sequence[Band], band: Band, measure: str) -> float | None:
    whole = sum(int(each.sums[measure].sum()) for each in bands)
    return int(band.sums[measure].sum()) / whole if whole else None


def _traces(
    grid: Grid, bands: Sequence[Band], at: int, shares: Sequence[Sequence[float | None]]
) -> list[Trace]:
    filled = [bin_ for bin_ in range(grid.bins.count) if shares[0][bin_] is not None]
    middles = grid.bins.middles()
    return [
        {
            "type": "scatter", "mode": "lines", "name": plain(band.name), "stackgroup": str(at),
            "x": [middles[bin_] for bin_ in filled], "y": [row[bin_] for bin_ in filled],
            "line": {"width": 0.8, "color": "@paper"}, "fillcolor": band.colour,
            "xaxis": numbered("x", at), "yaxis": numbered("y", at), "showlegend": at == 0,
            "legendgroup": plain(band.name),
            "hovertemplate": "%{y:.1f} %", "meta": band.name,
        }
        for band, row in zip(bands, shares, strict=True)
    ]  # fmt: skip


def _layouts(grid: Grid) -> tuple[Layout, Layout]:
    wide = layout(HEIGHT, hovermode="x unified")
    narrow: Layout = {"height": NARROW_HEIGHT}
    titles, narrow_titles = [], []
    for at, (title, domain) in enumerate(zip(MEASURES.values(), split(4, 0.035), strict=True)):
        x, y = numbered("xaxis", at), numbered("yaxis", at)
        named: Layout = {
            "anchor": numbered("y", at),
            "domain": domain,
            "nticks": 5,
            "showgrid": False,
        }
        wide[x] = axis(grid.bins.unit, **named)
        wide[y] = axis(
            range=[0, 100], anchor=numbered("x", at), showticklabels=at == 0,
            **ticked((0, 25, 50, 75, 100), after=" %"),
        )  # fmt: skip
        across, up = NARROW_DOMAINS[at]
        narrow[x] = {
            "domain": across, "nticks": 4, "title": {"text": grid.bins.unit if at > 1 else ""},
        }  # fmt: skip
        narrow[y] = {"domain": up, "showticklabels": at % 2 == 0}
        titles.append(panel_title(title, domain[0], 1.01))
        narrow_titles.append(panel_title(title, across[0], up[1] + 0.005))
    return merged(wide, {"annotations": titles}), merged(narrow, {"annotations": narrow_titles})


def _table(grid: Grid, bands: Sequence[Band], by: str) -> Table:
    """The shares over a few long intervals, and over the whole run."""
    step = -(-grid.bins.count // TABLE_ROWS)
    spans = [(at, min(at + step, grid.bins.count)) for at in range(0, grid.bins.count, step)]
    rows = []
    for start, stop in [*spans, (0, grid.bins.count)]:
        whole = (start, stop) == (0, grid.bins.count)
        times = f"{_time(grid, start)} to {_time(grid, stop)}"
        cells = [_cell(bands, band, slice(start, stop)) for band in bands]
        rows.append(["whole run" if whole else times, *cells])
    return Table(
        f"Shares by {by}, in per cent of calls / tokens / spend / right answers",
        ["time", *(band.name for band in bands)],
        rows if len(spans) > 1 else rows[-1:],
    )


def _time(grid: Grid, bin_: int) -> str:
    return duration(bin_ * grid.bins.width_us) if bin_ else "0"


def _cell(bands: Sequence[Band], band: Band, span: slice) -> str:
    parts = []
    for measure in MEASURES:
        whole = sum(int(each.sums[measure][span].sum()) for each in bands)
        part = int(band.sums[measure][span].sum())
        parts.append(f"{100 * part / whole:.1f}" if whole else NONE)
    return " / ".join(parts)
