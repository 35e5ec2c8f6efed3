"""``telex rails``: one list of calls through every rail, as a table of what each costs."""

from collections.abc import Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Annotated

import typer

from sim.cli.output import emit, people, say
from sim.cli.tables import dollars, filled, seconds, table, whole
from sim.units import MICROS_PER_USD

if TYPE_CHECKING:
    from sim.ladder import Ladder, Rung

SAMPLE = 2_000
FIGURES = 3
COSTS = (
    "rail", "calls", "gas per call", "$ per call", "1 % from $", "5 % from $", "20 % from $",
)  # fmt: skip
TERMS = ("rail", "settled after", "tied up $", "owed at most $", "calls/s", "balances")


def rails(
    file: Annotated[
        str, typer.Argument(help="A scenario file, or the name of a shipped scenario.")
    ] = "settlement-ladder",
    overrides: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="PATH=VALUE", help="Override a value, as rail.fee_bps=100."),
    ] = None,
    seed: Annotated[int | None, typer.Option(help="Instead of the scenario's own seed.")] = None,
    calls: Annotated[
        int, typer.Option(min=1, help="Settled by rails of one transaction per call, or more.")
    ] = SAMPLE,
    every: Annotated[
        bool, typer.Option("--all", help="Settle all calls by those rails, too; takes long.")
    ] = False,
    json: Annotated[
        bool, typer.Option("--json", help="One JSON object on stdout, and nothing else.")
    ] = False,
) -> None:
    """Settle one list of calls by every rail on one Anvil: gas, prices, delay, risk, balances."""
    raise typer.Exit(_climb(file, overrides or (), seed, None if every else calls, json))


def _climb(
    file: str, overrides: Sequence[str], seed: int | None, calls: int | None, as_json: bool
) -> int:
    from sim.ladder import climb
    from sim.scenario import load

    scenario = load(file, overrides, seed)
    with people().status("starting") as status:
        told = status.update if people().is_terminal or as_json else say
        ladder = climb(scenario, calls, told)
    if as_json:
        emit(ladder.model_dump_json(indent=2))
    show(ladder)
    return 0 if ladder.equal else 1


def show(ladder: "Ladder") -> None:
    """The ladder as a table on stderr."""
    title = "Rails: the same calls, what each way of paying costs"
    people().print(filled(table(title, COSTS), map(_costs, ladder.rungs)))
    people().print(filled(table("and what it asks instead", TERMS), map(_terms, ladder.rungs)))
    sampled = [rung.rail for rung in ladder.rungs if rung.sampled]
    if sampled:
        say(
            f"{', '.join(sampled)}: the first {ladder.compared:,} of {ladder.calls:,} calls "
            "(--calls N, or --all for the whole list)"
        )
    say(
        f"Gas at {ladder.gas_price_gwei:g} gwei and {ladder.eth_usd:,.0f} $ per ETH; P % from $: "
        "the smallest price of a call of which gas is no more than P %."
    )
    if ladder.equal:
        say(f"Every rail ends in the same balances, to the micro, after {ladder.compared:,} calls.")
    for rung in ladder.rungs:
        for fault in rung.faults:
            say(f"{rung.rail}: {fault}")


def _costs(rung: "Rung") -> tuple[str, ...]:
    return (
        rung.rail,
        whole(rung.calls),
        f"{rung.gas_per_call:,.0f}",
        price(Decimal(str(rung.gas_micros_per_call))),
        *(price(Decimal(micros)) for micros in rung.floor_micros.values()),
    )


def _terms(rung: "Rung") -> tuple[str, ...]:
    return (
        rung.rail,
        seconds(rung.delay_us_mean),
        dollars(rung.locked_micros),
        dollars(rung.at_risk_micros),
        f"{rung.calls_per_s:,.0f}",
        "equal" if rung.equal else "NOT EQUAL",
    )


def price(micros: Decimal) -> str:
    """A small price in dollars, to three figures."""
    usd = micros / MICROS_PER_USD
    places = max(2, FIGURES - 1 - usd.adjusted()) if usd else 2
    return f"{usd:.{places}f}"


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command()(rails)
