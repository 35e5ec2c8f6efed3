"""Bids, asks and what was charged, over time: what an auction made of them."""

import polars as pl

from sim.report.markup import Json, Table
from sim.report.picture import Key, Layout, Picture, Trace, axis, layout, plain, rounded
from sim.report.reading import Record
from sim.report.timeline import Bins, bins_for
from sim.report.wording import NONE, number
from sim.units import MICROS_PER_USD

BINS_MOST = 60
LINES = {
    "bid": ("bids of all calls", "@other", "dot"),
    "won": ("bids of calls charged", "@o1", "dash"),
    "charge": ("charges", "@ink", "solid"),
    "ask": ("asks", "@o0", "dashdot"),
}
Means = dict[str, list[float | None]]


def means_of(record: Record, bins: Bins) -> Means:
    """The mean dollars of each line, by the bin in which calls were posted; None where none is."""
    charged = pl.col("charge_micros") > 0
    rows = (
        record.calls.group_by(bins.of("posted_us"))
        .agg(
            bid=pl.col("bid_micros").mean(),
            won=pl.col("bid_micros").filter(charged).mean(),
            charge=pl.col("charge_micros").filter(charged).mean(),
            ask=pl.col("ask_micros").mean(),
        )
        .collect()
    )
    found: Means = {name: [None] * bins.count for name in LINES}
    for row in rows.iter_rows(named=True):
        for name in LINES:
            value = row[name]
            found[name][row["bin"]] = None if value is None else value / MICROS_PER_USD
    return found


def bids_picture(record: Record) -> Picture:
    """The picture of bids, asks and charges over time."""
    bins = bins_for(record.manifest.duration_us, record.figures.calls.made, BINS_MOST)
    means, prices = means_of(record, bins), record.figures.prices
    kind = record.scenario.mechanism.kind
    shown = "none" if prices.clearing_micros_mean is None else _usd(prices.clearing_micros_mean)
    return Picture(
        id=f"bids-{record.key}",
        title="Bids, asks and charges",
        caption=f"Means over the calls posted in each interval, under {kind}: what agents offered "
        "at most, what those who were served had offered, what they were charged, and what models "
        "asked.",
        alternative=f"Lines over time of bids, asks and charges; the mean charge is {shown}.",
        traces=[_line(bins, name, means[name]) for name in LINES],
        layout=_layout(bins, means),
        narrow={},
        table=_table(record),
        legend=[Key(words, colour, "line") for words, colour, _ in LINES.values()],
    )


def _line(bins: Bins, name: str, values: list[float | None]) -> Trace:
    words, colour, dash = LINES[name]
    middles: Json = bins.middles()
    return {
        "type": "scatter", "mode": "lines", "x": middles, "y": rounded(values),
        "name": plain(words), "meta": words, "legendgroup": plain(words), "connectgaps": True,
        "line": {"color": colour, "width": 2, "dash": dash},
        "hovertemplate": f"<b>{plain(words)}</b>  $%{{y:.4~g}}<extra></extra>",
    }  # fmt: skip


def _layout(bins: Bins, means: Means) -> Layout:
    most = max((value for row in means.values() for value in row if value), default=1.0)
    return layout(
        320,
        xaxis=axis(bins.title, showgrid=False, nticks=7),
        yaxis=axis("dollars a call", range=[0, most * 1.08], tickprefix="$", nticks=6),
    )


def _table(record: Record) -> Table:
    prices = record.figures.prices
    efficiency = NONE if prices.efficiency is None else f"{100 * prices.efficiency:.1f} %"
    rows = [
        ["mean bid", _usd(prices.bid_micros_mean)],
        ["mean ask", _usd(prices.ask_micros_mean)],
        ["mean charge", _usd(prices.clearing_micros_mean)],
        ["models’ revenue", _usd(prices.revenue_micros)],
        ["agents’ surplus", _usd(prices.surplus_micros)],
        ["efficiency", efficiency],
    ]
    return Table("What the auctions made of bids and asks", ["figure", "value"], rows)


def _usd(micros: int | None) -> str:
    return NONE if micros is None else f"${number(micros / MICROS_PER_USD)}"
