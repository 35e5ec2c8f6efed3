"""``telex explain``: why a call went where it went."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sim.cli.output import emit_json, people, say

if TYPE_CHECKING:
    from sim.explaining import Explanation

Directory = Annotated[Path, typer.Argument(metavar="RUN", help="The directory of a saved run.")]
Call = Annotated[int, typer.Option("--call", help="The call's id, from 0.")]
Json = Annotated[bool, typer.Option("--json", help="One JSON object on stdout, and nothing else.")]


def explain(run: Directory, call: Call, json: Json = False) -> None:
    """Show why a call went where it went: candidates, filters, scores, prices, regret."""
    from sim.explaining import explain as explanation

    found = explanation(run, call)
    if json:
        emit_json(found.document())
        return
    _show(found)


def _show(found: "Explanation") -> None:
    from rich.table import Table

    part = "" if found.step == "task" else f" step {found.step}, clone {found.clone}, of"
    say(
        f"Call {found.call}: attempt {found.attempt} at{part} task {found.task} of {found.agent},"
        f" {found.intent}, posted at {found.posted_s:,.1f} s"
    )
    if found.stands_in_for is not None:
        say(f"It stands in for call {found.stands_in_for}, lost to an outage.")
    say(f"Mechanism: {_rule(found.mechanism)}; router: {_rule(found.router)}")
    table = Table()
    for name in ("model", "score", "load", "quote $", "ask $", "cost $", "surplus $", ""):
        table.add_column(name, justify="left" if name in ("model", "") else "right")
    for each in found.candidates:
        note = "picked" if each.model == found.pick else each.refused
        figures = (
            each.quote_usd, each.ask_usd, each.expected_cost_usd, each.expected_surplus_usd,
        )  # fmt: skip
        shown = ["" if figure is None else f"{figure:.6f}" for figure in figures]
        score = "" if each.score is None else f"{each.score:.3f}"
        table.add_row(each.model, score, f"{each.load:.0%}", *shown, note)
    people().print(table)
    if found.mechanism["kind"] != "posted":
        waiting = ", ".join(f"${each:.6f}" for each in found.waiting_bids_usd) or "none"
        say(f"Bid ${found.bid_usd:.6f}, held ${found.held_usd:.6f}; bids waiting there: {waiting}.")
    say(f"It ended {found.status} ({found.reason}), charged ${found.charge_usd:.6f}.")
    if found.best_alternative is None:
        say("Nothing else was on offer.")
    else:
        say(f"Best alternative: {found.best_alternative}; regret ${found.regret_usd:.6f}.")
    if len(found.of_task) > 1:
        _show_task(found)


def _show_task(found: "Explanation") -> None:
    from rich.table import Table

    table = Table(title=f"All calls of task {found.task}")
    for name in ("call", "posted s", "step", "clone", "attempt", "model", "ended"):
        table.add_column(name, justify="left" if name in ("step", "model", "ended") else "right")
    for each in found.of_task:
        numbers = (str(each.call), f"{each.posted_s:,.1f}")
        ended = each.status if each.reason == "none" else f"{each.status}, {each.reason}"
        place = (each.step, str(each.clone), str(each.attempt))
        table.add_row(*numbers, *place, each.model, ended, style="bold" * (each.call == found.call))
    people().print(table)


def _rule(rule: Mapping[str, object]) -> str:
    parameters = ", ".join(f"{key} {value}" for key, value in rule.items() if key != "kind")
    return f"{rule['kind']}" + (f" ({parameters})" if parameters else "")


def register(app: typer.Typer) -> None:
    """Adds this command to the application."""
    app.command()(explain)
