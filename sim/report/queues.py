"""Queues: calls waiting and being served over time, and how full each model is."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

from sim.report.markup import Json, Table
from sim.report.palette import Palette
from sim.report.picture import Key, Layout, Picture, Trace, axis, layout, panel_title, plain
from sim.report.reading import Record
from sim.report.timeline import Bins, spread
from sim.report.wording import number, percent, shortened
from sim.scenario.phases import phases

Floats = npt.NDArray[np.float64]
INSTANTS = ("posted_us", "started_us", "finished_us")
ROWS_MOST = 16
ROW_PX = 21
LINES_PX = 250
TOPS = (1, 2, 5, 10, 20, 30, 40, 60, 80)


@dataclass(frozen=True)
class Load:
    """Mean numbers of calls within each bin, (models, bins): waiting, and being served."""

    bins: Bins
    waiting: Floats
    served: Floats


def load_queries(calls: pl.LazyFrame, bins: Bins) -> list[pl.LazyFrame]:
    """For each of `INSTANTS`: by bin and model, how many, and the sum of times since its start."""
    return [
        calls.group_by(bins.of(name), pl.col("model").to_physical()).agg(
            count=pl.len(), since=(pl.col(name) % bins.width_us).sum()
        )
        for name in INSTANTS
    ]


def load_of(rows: list[pl.DataFrame], models: int, bins: Bins, duration_us: int) -> Load:
    """The time-weighted means, exact: each instant adds its call from there on."""
    posted, started, finished = (_integral(table, models, bins) for table in rows)
    spans = np.full(bins.count, bins.width_us)
    spans[-1] = max(1, duration_us - (bins.count - 1) * bins.width_us)
    # The last bin ends with the run, when nothing waits, so nothing is cut off with it.
    return Load(bins, (posted - started) / spans, (started - finished) / spans)


def _integral(rows: pl.DataFrame, models: int, bins: Bins) -> npt.NDArray[np.int64]:
    """Within each bin, the integral over time of how many instants have passed."""
    count = spread(rows, "count", models, bins)
    since = spread(rows, "since", models, bins)
    before = np.cumsum(count, axis=1) - count
    return before * bins.width_us + count * bins.width_us - since


def slots_of(
    first: Mapping[str, int], changes: pl.DataFrame, bins: Bins, duration_us: int
) -> Floats:
    """The mean number of slots that each model has within each bin, (models, bins).

    Args:
        first: what each has at the start. changes: the record's, in mid-run.
    """
    edges = np.arange(bins.count + 1) * bins.width_us
    edges[-1] = max(edges[-2] + 1, duration_us)
    found = np.empty((len(first), bins.count))
    for at, (name, slots) in enumerate(first.items()):
        mine = changes.filter(pl.col("model") == name)
        times = np.array([0, *mine["time_us"], edges[-1]])
        had = np.cumsum([0, *(np.array([slots, *mine["slots"]]) * np.diff(times))])
        found[at] = np.diff(np.interp(edges, times, had)) / np.diff(edges)
    return found


def queues_picture(record: Record, load: Load, palette: Palette, most: float | None) -> Picture:
    """The picture of queues; ``most`` is the top of its axis, where pictures share one."""
    models = phases(record.scenario).first.models.items()
    first = {name: model.capacity.slots for name, model in models}
    slots = slots_of(first, record.slots, load.bins, record.manifest.duration_us)
    order = [name for name in palette.models if name in record.models][:ROWS_MOST]
    places = [record.models.index(name) for name in order]
    waiting, served = load.waiting.sum(axis=0), load.served.sum(axis=0)
    full = load.served[places] / slots[places]
    top = next((top for top in TOPS if top >= 100 * float(full.max())), 100)
    busiest = int(np.argmax(full.mean(axis=1)))
    left = f" Shown are the {ROWS_MOST} with most calls." if len(record.models) > ROWS_MOST else ""
    return Picture(
        id=f"queues-{record.key}",
        title="Queues",
        caption="Mean number of calls waiting for a slot and being served, and below, by model, "
        f"the share of its slots in use.{left}",
        alternative=f"Over time: on average {number(float(waiting.mean()))} calls wait, at most "
        f"{number(float(waiting.max()))}; {number(float(served.mean()))} are being served. "
        f"Busiest is {order[busiest]}, with {percent(float(full[busiest].mean()))} of its slots in "
        "use on average.",
        traces=[*_lines(load, waiting, served), _map(load, full, order, top)],
        layout=_layout(load, len(order), most),
        narrow={"xaxis": {"nticks": 5}},
        table=_table(record, load, slots),
        legend=[
            Key("waiting", "@wait", "line"),
            Key("being served", "@served"),
            Key(f"0 to {top} % of slots in use", "@heat1", "ramp", toggles=False),
        ],
    )


def top_of(load: Load) -> float:
    """The most calls that wait or are being served in any bin."""
    return float(max(load.waiting.sum(axis=0).max(), load.served.sum(axis=0).max()))


def _lines(load: Load, waiting: Floats, served: Floats) -> list[Trace]:
    x: Json = load.bins.middles()
    common: Trace = {"type": "scatter", "mode": "lines", "x": x, "yaxis": "y"}
    return [
        common | {
            "name": "being served", "meta": "being served", "y": _list(served), "fill": "tozeroy",
            "fillcolor": "@served/30", "line": {"color": "@served", "width": 1.2},
            "hovertemplate": "being served %{y:.3~g}<extra></extra>",
        },
        common | {
            "name": "waiting", "meta": "waiting", "y": _list(waiting),
            "line": {"color": "@wait", "width": 2},
            "hovertemplate": "waiting %{y:.3~g}<extra></extra>",
        },
    ]  # fmt: skip


def _list(values: Floats) -> list[float]:
    return [round(value, 3) for value in values.tolist()]


def _map(load: Load, full: Floats, order: list[str], top: int) -> Trace:
    return {
        "type": "heatmap", "x": load.bins.middles(),
        "y": [plain(shortened(name)) for name in order],
        "z": [[round(100 * value, 1) for value in row] for row in full.tolist()],
        "yaxis": "y2", "ygap": 2, "zmin": 0, "zmax": top, "showscale": False,
        "colorscale": [[0, "@heat0"], [0.5, "@heat1"], [1, "@heat2"]],
        "hovertemplate": "%{y}<br>%{z:.0f} % of its slots in use<extra></extra>",
    }  # fmt: skip


def _height(rows: int) -> int:
    return LINES_PX + 70 + rows * ROW_PX + 60


def _split(rows: int) -> tuple[float, float]:
    """Where the lines begin, and where the map ends, in shares of the picture."""
    plotted = _height(rows) - 80
    return round(1 - (LINES_PX - 26) / plotted, 4), round(rows * ROW_PX / plotted, 4)


def _layout(load: Load, rows: int, most: float | None) -> Layout:
    lines, mapped = _split(rows)
    return layout(
        _height(rows),
        hovermode="x",
        xaxis=axis(load.bins.title, showgrid=False, nticks=8, anchor="y2"),
        yaxis=axis(
            domain=[lines, 1], range=[0, 1.06 * (most or top_of(load) or 1)], nticks=5, anchor="x",
        ),
        yaxis2=axis(
            domain=[0, mapped], autorange="reversed", showgrid=False, anchor="x", type="category",
            dtick=1,
        ),
        annotations=[
            panel_title("Calls", 0, 1.005), panel_title("Slots in use", 0, mapped + 0.004),
        ],
    )  # fmt: skip


def _table(record: Record, load: Load, slots: Floats) -> Table:
    rows = []
    for at, name in enumerate(record.models):
        waiting, served = load.waiting[at], load.served[at]
        rows.append([
            name, number(float(slots[at].mean())), number(float(served.mean())),
            percent(float(served.mean() / slots[at].mean())), number(float(waiting.mean())),
            number(float(waiting.max())),
        ])  # fmt: skip
    heads = ["slots, mean", "served, mean", "in use", "waiting, mean", "waiting, most"]
    return Table("Queues by model", ["model", *heads], rows)
