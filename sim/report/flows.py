"""Where the money went: from groups of agents over the rail to models, treasury and gas."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import polars as pl

from sim.report.markup import Json, Table
from sim.report.palette import OTHER, Palette
from sim.report.picture import Layout, Picture, Trace, layout, panel_title, plain
from sim.report.reading import Record
from sim.report.wording import dollars, percent, shortened

GROUPS_MOST = 6
MONEY = ("hold", "release", "refund", "fee")


@dataclass(frozen=True)
class Flows:
    """What moved, in micros.

    Args:
        paid: by group, charges that agents paid. earned: by model, its charges before the fee.
        fees: by model. held, returned: quotes put into escrow, and what came back of them.
        gas_micros: what the router paid for gas, as modelled. swapped: what models' earnings
        bought MACHINA for.
    """

    paid: Mapping[str, int]
    earned: Mapping[str, int]
    fees: Mapping[str, int]
    held: int
    returned: int
    gas_micros: int
    swapped: int = 0

    @property
    def spend(self) -> int:
        """All charges."""
        return sum(self.paid.values())


def flows_query(transfers: pl.LazyFrame) -> pl.LazyFrame:
    """Sums by kind, asset and the two accounts."""
    keys = ["kind", "asset", "source", "target"]
    return (
        transfers.group_by(keys)
        .agg(pl.col("amount").sum())
        .with_columns(pl.col(keys).cast(pl.String))
        .sort(keys)
    )


def flows_of(rows: pl.DataFrame, gas_micros: int) -> Flows:
    """The flows that the rows of `flows_query` add up to, beside what gas cost."""
    held: dict[str, int] = defaultdict(int)
    returned: dict[str, int] = defaultdict(int)
    earned: dict[str, int] = defaultdict(int)
    fees: dict[str, int] = defaultdict(int)
    swapped = 0
    for kind, asset, source, target, amount in rows.iter_rows():
        if asset != "USDC":
            continue  # gas, stakes and purchases of MACHINA are in wei, and no flow of this picture
        if kind == "hold":
            held[_group(source)] += int(amount)
        elif kind == "refund":
            returned[_group(target)] += int(amount)
        elif kind == "release":
            earned[target.removeprefix("model:")] += int(amount)
        elif kind == "fee":
            fees[source.removeprefix("model:")] += int(amount)
        elif kind == "swap" and target == "pool":
            swapped += int(amount)
    paid = {group: micros - returned[group] for group, micros in sorted(held.items())}
    return Flows(
        paid=paid,
        earned=dict(earned),
        fees=dict(fees),
        held=sum(held.values()),
        returned=sum(returned.values()),
        gas_micros=gas_micros,
        swapped=swapped,
    )


def _group(account: str) -> str:
    return account.removeprefix("agent:").rsplit("/", 1)[0]


@dataclass
class _Web:
    """Nodes and links of a Sankey diagram as they are drawn."""

    labels: list[str]
    colours: list[str]
    links: list[tuple[int, int, int, str]]

    def node(self, name: str, micros: int, colour: str) -> int:
        self.labels.append(f"{plain(shortened(name, 20))}  {dollars(micros)}" if name else "")
        self.colours.append(colour)
        return len(self.labels) - 1

    def link(self, source: int, target: int, micros: int, colour: str) -> None:
        if micros > 0:
            self.links.append((source, target, micros, colour))


def flows_picture(record: Record, flows: Flows, palette: Palette) -> Picture:
    """The Sankey diagram; money that agents paid is not zero."""
    web = _web(flows, palette)
    fees = sum(flows.fees.values())
    first = max(flows.earned, key=lambda name: flows.earned[name])
    share = percent(flows.earned[first] / flows.spend if flows.spend else None)
    swapped = f" For {dollars(flows.swapped)} of what they earned, models were bought MACHINA."
    return Picture(
        id=f"money-{record.key}",
        title="Where the money went",
        caption=f"Agents had {dollars(flows.held)} held in escrow for quotes; "
        f"{dollars(flows.returned)} of it came back, {dollars(flows.spend)} was charged. The "
        f"router’s own account paid {dollars(flows.gas_micros)} for gas, as modelled."
        f"{swapped if flows.swapped else ''}",
        alternative=f"A flow diagram: {dollars(flows.spend)} from agents over the rail; "
        f"{share} of it goes to {first}, {dollars(fees)} to the treasury as fees.",
        traces=[_trace(web)],
        layout=_layout(record, flows, web),
        narrow={"height": 520, "font": {"size": 11}, "margin": {"l": 2, "r": 2}},
        table=_table(flows),
    )


def _web(flows: Flows, palette: Palette) -> _Web:
    web = _Web([], [], [])
    rail = web.node("", flows.spend, "@soft")
    for name, micros in _largest(flows.paid):
        web.link(web.node(name, micros, "@agents"), rail, micros, "@agents/35")
    treasury = web.node("treasury", sum(flows.fees.values()), "@treasury")
    fees = dict(flows.fees)
    for name in palette.named:
        if micros := flows.earned.get(name, 0):
            _pay(web, rail, treasury, (name, palette.model(name)), micros, fees.get(name, 0))
    others = [name for name in flows.earned if name not in palette.named]
    if micros := sum(flows.earned[name] for name in others):
        fee = sum(fees.get(name, 0) for name in others)
        _pay(web, rail, treasury, (f"{len(others)} others", OTHER), micros, fee)
    if flows.gas_micros:
        router = web.node("router", flows.gas_micros, "@soft")
        gas = web.node("gas", flows.gas_micros, "@gas")
        web.link(router, rail, flows.gas_micros, "@gas/50")
        web.link(rail, gas, flows.gas_micros, "@gas/50")
    return web


def _pay(
    web: _Web, rail: int, treasury: int, model: tuple[str, str], micros: int, fee: int
) -> None:
    name, colour = model
    web.link(rail, web.node(name, micros - fee, colour), micros - fee, f"{colour}/45")
    at = next((i for i, (s, t, *_) in enumerate(web.links) if (s, t) == (rail, treasury)), None)
    before = web.links.pop(at)[2] if at is not None else 0
    web.link(rail, treasury, before + fee, "@treasury/45")


def _largest(paid: Mapping[str, int]) -> list[tuple[str, int]]:
    """The groups that pay most, and all others as one."""
    ordered = sorted(paid.items(), key=lambda pair: (-pair[1], pair[0]))
    if len(ordered) <= GROUPS_MOST:
        return ordered
    rest = ordered[GROUPS_MOST - 1 :]
    others = (f"{len(rest)} other groups", sum(micros for _, micros in rest))
    return [*ordered[: GROUPS_MOST - 1], others]


def _trace(web: _Web) -> Trace:
    links = web.links
    colours: Json = [colour for *_, colour in links]
    return {
        "type": "sankey", "arrangement": "fixed", "valueformat": "$,.6~f",
        "textfont": {"color": "@ink"},
        "node": {
            "label": web.labels, "color": web.colours, "pad": 16, "thickness": 12,
            "line": {"width": 0}, "hovertemplate": "%{label}<extra></extra>",
        },
        "link": {
            "source": [link[0] for link in links], "target": [link[1] for link in links],
            "value": [link[2] / 1e6 for link in links], "color": colours,
            "hovertemplate": "%{source.label} to %{target.label}: $%{value:,.6~f}<extra></extra>",
        },
    }  # fmt: skip


def _layout(record: Record, flows: Flows, web: _Web) -> Layout:
    words = ("agents", f"{record.scenario.rail.kind} rail, {dollars(flows.spend)}", "models")
    titles: list[Trace] = [
        panel_title(text, x, 1.01) | {"xanchor": anchor, "xref": "paper"}
        for text, x, anchor in zip(words, (0, 0.5, 1), ("left", "center", "right"), strict=True)
    ]
    return layout(
        max(320, 32 * len(web.labels)), margin={"l": 4, "r": 4, "t": 26, "b": 12},
        annotations=titles,
    )  # fmt: skip


def _table(flows: Flows) -> Table:
    rows: list[Sequence[str]] = [
        ["agents", "escrow", "held for quotes", dollars(flows.held)],
        ["escrow", "agents", "came back", dollars(flows.returned)],
    ]
    rows += [[group, "rail", "charges", dollars(micros)] for group, micros in flows.paid.items()]
    for model, micros in sorted(flows.earned.items(), key=lambda pair: (-pair[1], pair[0])):
        fee = flows.fees.get(model, 0)
        rows.append(["rail", model, "earned after the fee", dollars(micros - fee)])
        rows.append([model, "treasury", "fee", dollars(fee)])
    rows.append(["router", "gas", "gas, as modelled", dollars(flows.gas_micros)])
    return Table("Money that moved", ["from", "to", "for", "amount"], rows, texts=3)
