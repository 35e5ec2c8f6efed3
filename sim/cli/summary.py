"""A run's summary as a few tables for people."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table
from rich.text import Text

from sim.auditing import SavedAudit
from sim.cli.output import people
from sim.cli.protocol_tables import protocol_rows, validators
from sim.cli.tables import NONE, dollars, facts, filled, percent, seconds, table, whole
from sim.metrics import (
    ChainFigures,
    ConductFigures,
    PriceFigures,
    RailFigures,
    Summary,
    usd_of_gas,
)
from sim.scenario import Scenario
from sim.units import US_PER_HOUR

IDS_SHOWN = 10


def show_summary(summary: Summary, scenario: Scenario, directory: Path | None, cut: bool) -> None:
    """All tables of a run on stderr."""
    console = people()
    hours = f"{summary.duration_us / US_PER_HOUR:,.1f} h{', interrupted' if cut else ''}"
    console.print(
        f"\n[bold]{summary.scenario}[/], seed {summary.seed}: {whole(summary.tasks.posted)} tasks "
        f"and {whole(summary.calls.made)} calls in {hours}",
        soft_wrap=True,
    )
    for made in _parts(summary):
        console.print()
        console.print(made)
    console.print()
    console.print(_chain(summary.chain, scenario, summary))
    console.print()
    _laws(console, summary)
    rate = f"{summary.timing.calls_per_s:,.0f} calls/s"
    console.print(f"digest {summary.digest}", soft_wrap=True)
    where = f"{directory}  " if directory else ""
    console.print(f"{where}{summary.timing.wall_s:.1f} s in all, simulation {rate}", soft_wrap=True)


def _parts(summary: Summary) -> Iterator[Table]:
    """The tables of the market, each where there is something to say."""
    yield _models(summary)
    if len(summary.intents) > 1 and len(summary.models) > 1:
        yield _intents(summary)
    yield _groups(summary)
    if summary.judges:
        yield validators(summary)
    yield _market(summary)
    if summary.reported:
        yield _reported(summary)


def _models(summary: Summary) -> Table:
    costs = any(m.profit_micros != m.revenue_micros for m in summary.models.values())
    columns = [
        "model", "calls %", "tokens %", "spend %", "solved %", "score", "revenue $",
        *(["profit $"] if costs else []), "$ a call",
    ]  # fmt: skip
    by_calls = sorted(summary.models.items(), key=lambda pair: -pair[1].calls)
    rows = [
        (
            name, percent(model.share_calls), percent(model.share_tokens),
            percent(model.share_spend), percent(model.share_success),
            NONE if model.score is None else f"{model.score:.3f}",
            dollars(model.revenue_micros), *([dollars(model.profit_micros)] if costs else []),
            dollars(model.charge_micros_mean),
        )
        for name, model in by_calls
    ]  # fmt: skip
    return filled(table("Models: shares of the market, revenue, mean charge", columns), rows)


def _intents(summary: Summary) -> Table:
    rows = [
        (
            name, whole(one.calls), one.first or NONE, percent(one.first_share),
            one.second or NONE, percent(one.second_share),
        )
        for name, one in summary.intents.items()
    ]  # fmt: skip
    columns = ("intent", "calls", "most by", "%", "then by", "%")
    return filled(table("Intents: whose models answer", columns), rows)


def _reported(summary: Summary) -> Table:
    rows = [
        (
            name, "fitted" if one.fitted else "judged", percent(one.reported),
            percent(one.share_tokens),
            NONE if one.error is None else f"{100 * one.error:+.1f}",
        )
        for name, one in summary.reported.items()
    ]  # fmt: skip
    columns = ("share of tokens", "reported series", "reported %", "this run %", "error, points")
    return filled(table("As reported of a real market, and here", columns), rows)


def _groups(summary: Summary) -> Table:
    columns = ("agents", "tasks", "success %", "spend $", "per success $", "budget left $")
    rows = [
        (
            name, whole(group.posted), percent(group.success_rate), dollars(group.spend_micros),
            dollars(group.cost_per_success_micros), dollars(group.budget_left_micros),
        )
        for name, group in summary.groups.items()
    ]  # fmt: skip
    return filled(table("Agents", columns), rows)


def _market(summary: Summary) -> Table:
    tasks, calls, latency = summary.tasks, summary.calls, summary.latency_us
    ended = (
        f"{whole(tasks.succeeded)} succeeded, {whole(tasks.failed)} failed, "
        f"{whole(tasks.rejected)} rejected, {whole(tasks.expired)} expired, "
        f"{whole(tasks.open)} open"
    )
    paid = (
        f"{whole(calls.settled)} settled, {whole(calls.refunded)} refunded, "
        f"{whole(calls.unpaid)} unpaid, {whole(calls.in_flight)} in flight"
    )
    market = summary.market
    rows = (
        ("tasks", ended),
        ("calls", paid),
        ("success", f"{percent(summary.success_rate)} % of tasks"),
        ("spend", f"{dollars(summary.spend_micros)} $"),
        ("cost per success", f"{dollars(summary.cost_per_success_micros)} $"),
        ("latency p50, p95, p99", ", ".join(map(seconds, (latency.p50, latency.p95, latency.p99)))),
        ("concentration (HHI)", f"{market.hhi_calls:,} of calls, {market.hhi_spend:,} of spend"),
        ("stability", _stability(summary)),
        ("regret", f"{dollars(market.regret_micros)} $"),
        ("welfare", f"{dollars(market.welfare_micros)} $"),
    )
    more = (*_conduct(summary.conduct), *_prices(summary.prices), *protocol_rows(summary))
    return facts("Market", [*rows, *more])


def _conduct(conduct: ConductFigures) -> Iterator[tuple[str, str]]:
    """What tasks took, where they took more than a call, and what agents did beside the market."""
    if conduct.calls_per_task_max and conduct.calls_per_task_max > 1:
        calls = f"{conduct.calls_per_task:.2f} calls (at most {whole(conduct.calls_per_task_max)})"
        yield "per task", f"{calls}, {whole(conduct.tokens_per_task)} tokens"
    if conduct.abandoned:
        yield "given up by choice", f"{whole(conduct.abandoned)} tasks"
    if conduct.self_host_micros:
        cost = f"{dollars(conduct.self_host_micros)} $"
        yield "own machines", f"{whole(conduct.own_answers)} answers for {cost}"
    if conduct.switches or conduct.departures:
        moves = f"{whole(conduct.departures)} left, {whole(conduct.returns)} came back"
        yield "agents", f"{whole(conduct.switches)} changes of model, {moves}"


def _prices(prices: PriceFigures) -> Iterator[tuple[str, str]]:
    """What a mechanism made of bids and asks, where they differ, and of costs, where there are."""
    means = (prices.bid_micros_mean, prices.ask_micros_mean, prices.clearing_micros_mean)
    if prices.bid_micros_mean != prices.ask_micros_mean:
        yield "bid, ask, charge", f"{', '.join(map(dollars, means))} $ on average"
        yield "efficiency", f"{percent(prices.efficiency)} % of the greatest value"
    if prices.markup is not None:
        yield "markup over cost", f"{percent(prices.markup)} %"


def gas_dollars(gas: float | None, scenario: Scenario, rail: RailFigures) -> str:
    """What gas costs at the scenario's gas price and ETH price."""
    if gas is None:
        return NONE
    usd = usd_of_gas(gas, scenario, rail)
    return f"{usd:,.2f} $" if usd >= 1 else f"{usd:.8f}".rstrip("0").rstrip(".") + " $"


def _chain(figures: ChainFigures, scenario: Scenario, summary: Summary) -> Table:
    parity = {None: "not checked: no chain", True: "yes, account by account", False: "NO"}
    rail = summary.rail
    delay = rail.delay_us_mean
    settled = f"{whole(figures.calls_settled)} calls in {whole(figures.transactions)} transactions"
    in_all, per_call = (
        gas_dollars(gas, scenario, rail) for gas in (figures.gas_total, figures.gas_per_call)
    )
    rows = [
        ("rail, node", f"{figures.rail} on {figures.backend}"),
        ("settled", settled),
        ("gas", f"{whole(figures.gas_total)} = {in_all}"),
        ("gas per call", f"{_gas(figures.gas_per_call)} = {per_call}"),
        ("delay", f"mean {seconds(delay)}, longest {seconds(rail.delay_us_max)}"),
        ("parity", parity[figures.parity]),
        ("difference", f"{dollars(figures.difference_micros)} $"),
        ("head", figures.head or NONE),
    ]
    return facts("Chain", rows if figures.backend != "none" else [rows[0], rows[4], rows[5]])


def _gas(gas: float | None) -> str:
    return NONE if gas is None else f"{gas:,.0f}"


def _stability(summary: Summary) -> str:
    found = summary.stability
    lost = f"{percent(found.lost_share)} % of tasks lost for want of capacity"
    return found.verdict if found.verdict == "stable" else f"{found.verdict}: {lost}"


def _sign(law: str, summary: Summary) -> Text | str:
    if law == "parity" and summary.chain.parity is None:
        return "-"
    return Text("ok", "green") if summary.laws[law].ok else Text("NO", "bold red")


def _laws(console: Console, summary: Summary) -> None:
    made = table("Laws", ("law", "", "found", "needed"), texts=4)
    made.columns[0].no_wrap = made.columns[1].no_wrap = True
    for name, law in summary.laws.items():
        made.add_row(name, _sign(name, summary), law.found, law.needed)
    console.print(made)


def show_audit(audit: SavedAudit) -> None:
    """What an audit of a saved run found, on stderr."""
    console = people()
    rows = [
        ("run", audit.run),
        ("node", audit.node),
        ("calls", f"{whole(audit.calls_on_chain)} on chain of {whole(audit.calls_recorded)}"),
        *([("on-chain jobs", whole(audit.jobs_recorded))] if audit.jobs_recorded else []),
        ("missing", _ids(audit.missing)),
        ("unexpected", _ids(audit.unexpected)),
        ("differing", _ids(audit.differing)),
        ("difference", f"{dollars(audit.difference_micros)} $"),
        ("proofs", f"{whole(audit.proofs)} calls proved to the contract"),
        ("gas", whole(audit.gas_total)),
        ("head", audit.head),
        ("parity", "yes, account by account" if audit.parity else "NO"),
    ]
    if audit.proofs_file is not None:
        rows.append(("proofs in", audit.proofs_file))
    console.print(facts("Audit, from chain data alone", rows))
    for fault in audit.faults:
        console.print(f"  {fault}", markup=False, style="red", soft_wrap=True)


def _ids(ids: Sequence[int]) -> str:
    more = f", ... ({len(ids):,} in all)" if len(ids) > IDS_SHOWN else ""
    return ", ".join(map(str, sorted(ids)[:IDS_SHOWN])) + more if ids else "none"
