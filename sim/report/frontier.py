"""Cost against quality: what each model gave for its money, the best mix of them, the market."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt

import polars as pl

from sim.report.hull import Point, concave_hull, quality_at
from sim.report.markup import Json, Table
from sim.report.palette import Palette, origins_of
from sim.report.picture import (
    Key,
    Layout,
    Picture,
    Trace,
    axis,
    layout,
    log_range,
    log_ticks,
    merged,
    numbered,
    panel_title,
    plain,
    rounded,
    split,
    ticked,
)
from sim.report.reading import Record
from sim.report.wording import dollars, percent, shortened, whole

PANELS = 4
CALLS_LEAST = 20
LOG_FROM = 8
STEPS = 24
TICKS_NARROW = 5
NORMAL_95 = 1.959964
PER_CALLS = 1000


@dataclass(frozen=True, slots=True)
class Spot:
    """A model, or the market, on calls of one intent: sums over its calls; charge in micros."""

    name: str
    calls: int
    right: int
    charge: int

    @property
    def point(self) -> Point:
        """Cost in dollars per 1,000 calls, and the share of calls answered right in time."""
        return self.charge / self.calls * PER_CALLS / 1e6, self.right / self.calls

    @property
    def half_width(self) -> float:
        """Half of the 95 % interval of the share (Wilson 1927)."""
        n, p, z2 = self.calls, self.right / self.calls, NORMAL_95**2
        return NORMAL_95 * sqrt(p * (1 - p) / n + z2 / (4 * n * n)) / (1 + z2 / n)


@dataclass(frozen=True)
class Frontier:
    """One intent: its models, the corners of their hull, and the market itself."""

    intent: str
    models: tuple[Spot, ...]
    corners: tuple[Point, ...]
    market: Spot

    @property
    def gap(self) -> float | None:
        """The hull's quality at the market's cost less the market's, in shares."""
        cost, quality = self.market.point
        best = quality_at(self.corners, cost)
        return None if best is None else best - quality


def frontier_query(calls: pl.LazyFrame) -> pl.LazyFrame:
    """Sums per intent and model of all calls made."""
    return calls.group_by(pl.col("intent", "model").cast(pl.String)).agg(
        calls=pl.len(), right=pl.col("success").sum(), charge=pl.col("charge_micros").sum()
    )


def frontiers(rows: pl.DataFrame, models: Sequence[str]) -> list[Frontier]:
    """One per intent, those with most calls first; the hull is over models with enough calls."""
    found: dict[str, list[Spot]] = {}
    for intent, model, *sums in rows.sort("intent", "model").iter_rows():
        found.setdefault(intent, []).append(Spot(model, *map(int, sums)))
    made = []
    for intent, spots in found.items():
        spots.sort(key=lambda spot: models.index(spot.name))
        market = Spot("the market", *(sum(getattr(s, k) for s in spots) for k in _SUMS))
        enough = [spot.point for spot in spots if spot.calls >= CALLS_LEAST]
        made.append(Frontier(intent, tuple(spots), tuple(concave_hull(enough)), market))
    return sorted(made, key=lambda each: (-each.market.calls, each.intent))


_SUMS = ("calls", "right", "charge")


@dataclass(frozen=True, slots=True)
class Reach:
    """The range of costs over all panels that stand side by side; ``log`` if it is wide."""

    least: float
    most: float

    @property
    def log(self) -> bool:
        """Whether the axis is logarithmic."""
        return self.least > 0 and self.most > LOG_FROM * self.least


def reach_of(every: Sequence[Frontier]) -> Reach:
    """The range that holds every point."""
    costs = [
        spot.point[0]
        for each in every[:PANELS]
        for spot in (*each.models, each.market)
        if spot.calls >= CALLS_LEAST or spot is each.market
    ]
    return Reach(min(costs, default=0.0), max(costs, default=1.0) or 1.0)


def frontier_picture(
    record: Record, every: Sequence[Frontier], reach: Reach, palette: Palette
) -> Picture:
    """Cost against quality, a panel per intent; ``every`` is not empty."""
    shown = every[:PANELS]
    traces = [t for at, each in enumerate(shown) for t in _traces(record, each, at, reach, palette)]
    wide, narrow = _layouts(shown, reach)
    origins = [o for o in palette.origins if o in set(origins_of(record))]
    marks = [Key(o, "@soft", palette.symbol(o), toggles=False) for o in origins[1:] and origins]
    left = f" Shown are the {PANELS} intents with most calls." if len(every) > PANELS else ""
    return Picture(
        id=f"frontier-{record.key}",
        title="Cost against quality",
        caption="Each model where its calls put it, with the 95 % interval of its share of right "
        "answers in time. The line is the Zero router: the best that a fixed mix of single models "
        f"reaches at that cost. The star is what the market as a whole got.{left}",
        alternative=" ".join(_words(each) for each in shown),
        traces=traces,
        layout=wide,
        narrow=narrow,
        table=_table(every),
        legend=[
            Key("Zero router", "@ink", "line"), Key("the market", "@ink", "star", toggles=False),
            *marks,
        ],
    )  # fmt: skip


def _words(each: Frontier) -> str:
    cost, quality = each.market.point
    best = quality_at(each.corners, cost)
    rest = "" if best is None else f"; the Zero router {percent(best)}"
    price = f"{dollars(cost * 1e6)} per 1,000 calls"
    return f"{each.intent}: the market got {percent(quality)} right at {price}{rest}."


def _traces(record: Record, each: Frontier, at: int, reach: Reach, palette: Palette) -> list[Trace]:
    axes = {"xaxis": numbered("x", at), "yaxis": numbered("y", at)}
    hull = _line(each.corners, reach)
    line: Trace = {
        "type": "scatter", "mode": "lines", "name": "Zero router", "meta": "Zero router",
        "line": {"color": "@ink", "width": 1.5}, "hoverinfo": "skip", "showlegend": at == 0,
        "x": rounded([cost for cost, _ in hull]),
        "y": rounded([100 * quality for _, quality in hull]),
    }  # fmt: skip
    return [line | axes, _models(record, each, palette) | axes, _market(each, at) | axes]


def _models(record: Record, each: Frontier, palette: Palette) -> Trace:
    spots = [spot for spot in each.models if spot.calls >= CALLS_LEAST]
    origin = dict(zip(record.models, origins_of(record), strict=True))
    return {
        "type": "scatter", "mode": "markers+text", "name": "models", "showlegend": False,
        "x": rounded([spot.point[0] for spot in spots]),
        "y": rounded([100 * spot.point[1] for spot in spots]),
        "text": [plain(shortened(spot.name)) for spot in spots], "textposition": "top center",
        "textfont": {"color": "@ink", "size": 11}, "cliponaxis": False,
        "customdata": [[plain(spot.name), whole(spot.calls)] for spot in spots],
        "hovertemplate": "<b>%{customdata[0]}</b><br>$%{x} per 1,000 calls<br>"
        "%{y:.1f} % right in time<br>%{customdata[1]} calls<extra></extra>",
        "error_y": {
            "type": "data", "array": rounded([100 * spot.half_width for spot in spots], 3),
            "color": "@soft/55", "thickness": 1, "width": 0,
        },
        "marker": {
            "size": 10, "line": {"width": 1.5, "color": "@paper"}, "opacity": 1,
            "color": [palette.model(spot.name) for spot in spots],
            "symbol": [palette.symbol(origin[spot.name]) for spot in spots],
        },
    }  # fmt: skip


def _market(each: Frontier, at: int) -> Trace:
    cost, quality = each.market.point
    return {
        "type": "scatter", "mode": "markers+text", "name": "the market", "showlegend": at == 0,
        "x": rounded([cost]), "y": rounded([100 * quality]), "cliponaxis": False,
        "text": ["<b>the market</b>"], "textposition": "bottom center",
        "textfont": {"color": "@ink", "size": 12},
        "marker": {"symbol": "star", "size": 16, "color": "@ink",
                   "line": {"width": 1.5, "color": "@paper"}},
        "hovertemplate": "<b>the market</b><br>$%{x} per 1,000 calls<br>"
        "%{y:.1f} % right in time<extra></extra>",
    }  # fmt: skip


def _line(corners: Sequence[Point], reach: Reach) -> list[Point]:
    """The hull up to the dearest point: dense, as straight lines bend on a logarithmic axis."""
    if not corners:
        return []
    start, stop = corners[0][0], max(reach.most, corners[-1][0])
    costs = {cost for cost, _ in corners} | {stop}
    if reach.log and start > 0:
        costs |= {start * (stop / start) ** (step / STEPS) for step in range(1, STEPS)}
    return [(cost, quality_at(corners, cost) or 0.0) for cost in sorted(costs)]


def _layouts(shown: Sequence[Frontier], reach: Reach) -> tuple[Layout, Layout]:
    columns = min(2, len(shown))
    lines = -(-len(shown) // columns)
    wide = layout(400 * lines if columns > 1 else 460)
    tall = 330 * len(shown)
    narrow: Layout = {"height": tall}
    titles, narrow_titles = [], []
    across, up, down = split(columns, 0.1), split(lines, 0.16), split(len(shown), 76 / tall)
    for at, each in enumerate(shown):
        x, y = across[at % columns], up[lines - 1 - at // columns]
        bottom = at + columns >= len(shown)
        wide |= _axes(each, at, reach, bottom)
        places: Layout = {
            numbered("xaxis", at): {"domain": x},
            numbered("yaxis", at): {"domain": y},
        }
        wide = merged(wide, places)
        alone = down[len(shown) - 1 - at]
        narrow[numbered("xaxis", at)] = {"domain": [0, 1]} | _few(reach)
        narrow[numbered("yaxis", at)] = {"domain": alone}
        title = each.intent.replace("_", " ").lower()
        titles.append(panel_title(title, x[0], y[1] + 0.01))
        narrow_titles.append(panel_title(title, 0, alone[1] + 0.005))
    return wide | {"annotations": titles}, narrow | {"annotations": narrow_titles}


def _few(reach: Reach) -> Layout:
    return ticked(log_ticks(reach.least, reach.most, TICKS_NARROW), before="$") if reach.log else {}


def _axes(each: Frontier, at: int, reach: Reach, bottom: bool) -> Layout:
    title = "dollars per 1,000 calls" if bottom else ""
    shares = [100 * s.point[1] for s in (*each.models, each.market) if s.calls >= CALLS_LEAST]
    low, high = min(shares, default=0.0), max(shares, default=100.0)
    room = max(4.0, (high - low) * 0.22)
    span: Json = [max(-4.0, low - room), min(106.0, high + room)]
    more: Layout = {"range": [0, reach.most * 1.14], "tickprefix": "$", "nticks": 6}
    if reach.log:
        more = {"type": "log", "range": log_range(reach.least, reach.most, 1.6)}
        more |= ticked(log_ticks(reach.least, reach.most), before="$")
    return {
        numbered("xaxis", at): axis(title, anchor=numbered("y", at), **more),
        numbered("yaxis", at): axis(
            "right in time" if at % 2 == 0 else "", anchor=numbered("x", at), range=span,
            ticksuffix=" %", nticks=6,
        ),
    }  # fmt: skip


def _table(every: Sequence[Frontier]) -> Table:
    rows = []
    for each in every:
        for spot in (*each.models, each.market):
            cost, quality = spot.point
            best = quality_at(each.corners, cost)
            rows.append([
                each.intent, spot.name, whole(spot.calls), dollars(cost * 1000), percent(quality),
                f"± {spot.half_width * 100:.1f}", percent(best),
            ])  # fmt: skip
    return Table(
        "Cost and quality by intent and model",
        ["intent", "model", "calls", "a call", "right in time", "95 %", "Zero router there"],
        rows,
        texts=2,
    )
