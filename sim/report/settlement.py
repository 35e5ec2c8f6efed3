"""Settlement: gas per call, delay from answer to batch, and sampled calls with their proofs."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from sim.metrics.definitions import RailFigures
from sim.record.frames import largest
from sim.report.markup import Html, Json, Table, folded, join, tag
from sim.report.picture import Key, Layout, Picture, Trace, axis, layout, rounded
from sim.report.proofs import Settled
from sim.report.reading import Record
from sim.report.timeline import Bins, bins_for
from sim.report.wording import NONE, dollars, duration, number, percent, whole
from sim.units import US_PER_S

DELAY_BARS = 40
GAS_BINS = 120


@dataclass(frozen=True)
class Gas:
    """Per bin of time: calls settled by the batches closed in it, gas modelled, gas measured.

    ``measured`` and ``measured_calls`` count batches that landed on chain alone.
    """

    bins: Bins
    calls: tuple[int, ...]
    modelled: tuple[int, ...]
    measured: tuple[int, ...]
    measured_calls: tuple[int, ...]


def gas_over_time(batches: pl.DataFrame, duration_us: int) -> Gas:
    """The gas of batches by the time at which they closed."""
    last = largest(batches["closed_us"])
    bins = bins_for(max(duration_us, last), len(batches) * 40, GAS_BINS)
    landed = pl.col("gas_used").is_not_null()
    rows = batches.group_by(bins.of("closed_us")).agg(
        calls=pl.col("calls").sum(),
        modelled=pl.col("gas_modelled").sum(),
        measured=pl.col("gas_used").sum(),
        measured_calls=pl.col("calls").filter(landed).sum(),
    )
    found = {row["bin"]: row for row in rows.iter_rows(named=True)}
    empty = dict.fromkeys(("calls", "modelled", "measured", "measured_calls"), 0)
    every = [found.get(at, empty) for at in range(bins.count)]
    columns = (tuple(int(row[name]) for row in every) for name in empty)
    return Gas(bins, *columns)


@dataclass(frozen=True)
class Delay:
    """How long answers waited for their batch to close: counts in bars of equal width, us."""

    width_us: int
    counts: tuple[int, ...]
    p50: int | None
    p95: int | None
    most: int | None


def delay_query(calls: pl.LazyFrame, batches: pl.DataFrame) -> pl.LazyFrame:
    """The delay of every settled call, sorted."""
    closed = batches.lazy().select("batch", "closed_us")
    return (
        calls.filter(pl.col("status") == "settled")
        .select("batch", "finished_us")
        .join(closed, on="batch")
        .select(delay=pl.col("closed_us") - pl.col("finished_us"))
        .sort("delay")
    )


def delay_of(rows: pl.DataFrame) -> Delay:
    """Quantiles (nearest rank) and a histogram of the rows of `delay_query`."""
    delays = rows["delay"].to_numpy()
    if not len(delays):
        return Delay(1, (), None, None, None)
    ranks = [delays[round(share * (len(delays) - 1))] for share in (0.5, 0.95, 1.0)]
    width = max(1, -(-(int(ranks[-1]) + 1) // DELAY_BARS))
    counts = np.bincount(delays // width)
    p50, p95, most = (int(rank) for rank in ranks)
    return Delay(width, tuple(int(count) for count in counts), p50, p95, most)


def settlement_picture(record: Record, gas: Gas, delay: Delay) -> Picture:
    """Gas per call over time, and the delays."""
    rail = record.figures.rail
    per_call = rail.gas / max(1, sum(gas.calls))
    measured = record.chain.gas_per_call if record.chain else None
    compared = f", {whole(measured)} measured on chain" if measured else ""
    keys = [Key("modelled", "@soft", "line")]
    if measured:
        keys.append(Key("measured", "@accent", "circle"))
    return Picture(
        id=f"settlement-{record.key}",
        title="Gas and delay",
        caption="Gas per call of the batches closed in each interval: a batch with few calls "
        "spreads its fixed cost over few. Delay runs from the answer to its batch’s close.",
        alternative=f"The {rail.kind} rail ties up {dollars(rail.locked_micros)} $ and leaves at "
        f"most {dollars(rail.at_risk_micros)} $ owed. Gas per call is {whole(per_call)} as "
        f"modelled{compared}. Half of the answers wait no more than {duration(delay.p50)} for "
        f"their batch, 95 % no more than {duration(delay.p95)}.",
        traces=[*_gas_traces(gas), _delay_trace(delay)],
        layout=_layout(gas),
        narrow={
            "height": 520, "xaxis": {"domain": [0, 1]}, "yaxis": {"domain": [0.6, 1]},
            "xaxis2": {"domain": [0, 1]}, "yaxis2": {"domain": [0, 0.36]},
        },
        table=_table(delay, gas, rail),
        legend=keys,
    )  # fmt: skip


def _gas_traces(gas: Gas) -> list[Trace]:
    x: Json = gas.bins.middles()
    traces: list[Trace] = [
        {
            "type": "scatter", "mode": "lines", "name": "modelled", "meta": "modelled", "x": x,
            "y": _ratios(gas.modelled, gas.calls), "line": {"color": "@soft", "width": 2},
            "connectgaps": True,
            "hovertemplate": "modelled %{y:,.0f} gas per call<extra></extra>",
        }
    ]  # fmt: skip
    if any(gas.measured_calls):
        traces.append({
            "type": "scatter", "mode": "markers", "name": "measured", "meta": "measured", "x": x,
            "y": _ratios(gas.measured, gas.measured_calls),
            "marker": {"color": "@accent", "size": 6},
            "hovertemplate": "measured %{y:,.0f} gas per call<extra></extra>",
        })  # fmt: skip
    return traces


def _ratios(parts: Sequence[int], wholes: Sequence[int]) -> list[float | None]:
    pairs = zip(parts, wholes, strict=True)
    return rounded([part / whole_ if whole_ else None for part, whole_ in pairs])


def _delay_trace(delay: Delay) -> Trace:
    total = max(1, sum(delay.counts))
    middles = [(at + 0.5) * delay.width_us / US_PER_S for at in range(len(delay.counts))]
    return {
        "type": "bar", "name": "calls", "showlegend": False, "xaxis": "x2", "yaxis": "y2",
        "x": rounded(middles), "y": rounded([100 * count / total for count in delay.counts]),
        "width": delay.width_us / US_PER_S * 0.9, "marker": {"color": "@accent", "opacity": 0.75},
        "hovertemplate": "about %{x:.3~g} s: %{y:.1f} % of calls<extra></extra>",
    }  # fmt: skip


def _layout(gas: Gas) -> Layout:
    return layout(
        310,
        margin={"l": 8, "r": 8, "t": 10, "b": 8},
        xaxis=axis(gas.bins.title, domain=[0, 0.58], showgrid=False, nticks=7),
        yaxis=axis("gas per call", rangemode="tozero", nticks=6),
        xaxis2=axis("delay, seconds", domain=[0.68, 1], anchor="y2", showgrid=False, nticks=6),
        yaxis2=axis("of calls", anchor="x2", ticksuffix=" %", rangemode="tozero", nticks=5),
    )


def _table(delay: Delay, gas: Gas, rail: RailFigures) -> Table:
    calls = sum(gas.calls)
    measured = sum(gas.measured_calls)
    rows = [
        ["rail", rail.kind],
        ["tied up, at most", f"{dollars(rail.locked_micros)} $"],
        ["owed and unsettled, at most", f"{dollars(rail.at_risk_micros)} $"],
        ["gas per call, modelled", number(sum(gas.modelled) / calls) if calls else NONE],
        ["gas per call, measured", number(sum(gas.measured) / measured) if measured else NONE],
        ["delay, median", duration(delay.p50)],
        ["delay, 95 %", duration(delay.p95)],
        ["delay, longest", duration(delay.most)],
    ]
    bars = len(delay.counts)
    total = max(1, sum(delay.counts))
    step = max(1, bars // 8)
    for at in range(0, bars, step):
        low, high = at * delay.width_us, min(at + step, bars) * delay.width_us
        share = sum(delay.counts[at : at + step]) / total
        rows.append([f"delay {duration(low)} to {duration(high)}", percent(share)])
    return Table("Settlement in numbers", ["figure", "value"], rows)


def calls_table(calls: Sequence[Settled]) -> Html:
    """The sampled calls; each opens its transaction, root, leaf and path."""
    proved = sum(call.proof is not None for call in calls)
    rows = [
        [
            str(call.settled_id), str(call.call_id), call.agent, call.model,
            dollars(call.charge_micros), _evidence(call),
        ]
        for call in calls
    ]  # fmt: skip
    heads = ["settled id", "call id", "agent", "model", "charge", "on chain"]
    words = (
        f"{proved} of {len(calls)} paths were made again from the record alone, and lead to the "
        "root that the chain gave for their batch; telex audit proves them to the contract."
    )
    table = Table("Settled calls, evenly sampled", heads, rows, texts=6, hide_caption=True)
    return join([tag("h3", "Calls and their proofs"), tag("p", words), table.html()])


def _evidence(call: Settled) -> Html:
    facts = [
        ("transaction", call.transaction), ("batch root", call.root),
        ("answer hash", f"0x{call.answer_hash}"),
    ]  # fmt: skip
    if call.proof:
        facts.append(("leaf", f"0x{call.proof.leaf}"))
        facts += [(f"beside {at}", f"0x{node}") for at, node in enumerate(call.proof.beside)]
    else:
        facts.append(("path", "needs the chain’s account ids: telex audit proves it"))
    listed = (tag("div", tag("dt", name), tag("dd", tag("code", text))) for name, text in facts)
    name = f"{call.transaction[:10]}…, {'proved' if call.proof else 'not proved here'}"
    return folded(name, tag("dl", *listed, class_="hashes"))
