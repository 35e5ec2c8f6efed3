"""``telex verify``: known answers held against the market, as a table."""

import time
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from sim.cli.output import emit_json, people, say
from sim.cli.progress import ExperimentProgress
from sim.cli.tables import NONE, filled, table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sim.experiment.statistics import Interval
    from sim.facts import Fault
    from sim.verify.running import Judged

INTERRUPTED = 130
WIDTH = 180
"""Of the table where it is not a terminal that shows it."""
Names = Annotated[
    list[str] | None, typer.Argument(metavar="[FAMILY]...", help="Families or cases; all if none.")
]
Set = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="NAME=VALUE", help="A parameter of cases, as load=0.83."),
]


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command()(verify)


def verify(
    families: Names = None,
    settings: Set = None,
    reps: Annotated[int, typer.Option(min=20, help="Replications of each case.")] = 20,
    seed: Annotated[int, typer.Option(min=0, help="Of the whole suite.")] = 1,
    workers: Annotated[int | None, typer.Option(help="Processes; one per core.")] = None,
    json: Annotated[bool, typer.Option("--json", help="One JSON object on stdout.")] = False,
) -> None:
    """Hold known answers of theory against the market: case, truth, estimate, verdict."""
    from sim.experiment.workers import local
    from sim.verify.running import run
    from sim.verify.suite import suite
    from sim.verify.verdict import passes

    left_out: list[Fault] = []
    asked = suite(families or (), settings or (), left_out.append)
    started = time.perf_counter()
    with ExperimentProgress(quiet=json) as progress:
        try:
            with local(workers) as pool:
                judged = run(asked, pool, reps, seed, progress.update)
        except KeyboardInterrupt:
            progress.stop()
            say(f"stopped after {progress.done} replications")
            raise typer.Exit(INTERRUPTED) from None
    passed = passes([each.verdict for each in judged])
    wall_s = time.perf_counter() - started
    if json:
        document = _document(judged, passed, reps, seed, wall_s)
        emit_json(document | {"left_out": [str(fault) for fault in left_out]})
    _show(judged, passed, reps, wall_s)
    for fault in left_out:
        say(f"left out: {fault}")
    raise typer.Exit(0 if passed else 1)


def _document(
    judged: "Sequence[Judged]", passed: bool, reps: int, seed: int, wall_s: float
) -> dict[str, object]:
    words = [each.verdict.word for each in judged]
    return {
        "passed": passed,
        "near": words.count("near"),
        "off": words.count("off"),
        "fails": words.count("fails"),
        "reps": reps,
        "seed": seed,
        "wall_s": round(wall_s, 3),
        "cases": [_line(each) for each in judged],
    }


def _line(each: "Judged") -> dict[str, object]:
    verdict, known, found = each.verdict, each.verdict.known, each.verdict.estimate
    return {
        "family": each.asked.family,
        "case": each.asked.case.name,
        "parameters": each.asked.case.model_dump(mode="json", exclude={"kind"}),
        "quantity": known.quantity,
        "formula": known.formula,
        "binding": known.binding,
        "truth": known.truth,
        "estimate": found.mean if found else None,
        "low": found.low if found else None,
        "high": found.high if found else None,
        "verdict": verdict.word,
        "reason": verdict.reason,
        "cpu_s": round(each.cpu_s, 3),
    }


SIGNS = {"equal": "", "exact": "= ", "at most": "<= ", "at least": ">= "}


def _show(judged: "Sequence[Judged]", passed: bool, reps: int, wall_s: float) -> None:
    columns = ("case", "quantity", "formula", "truth", "estimate", "95 % interval", "verdict")
    title = f"Known answers: {reps} replications each"
    made = table(title, columns, texts=3)
    titled = ""
    rows = []
    for each in judged:
        verdict, known = each.verdict, each.verdict.known
        shown = verdict.case if verdict.case != titled else ""
        titled = verdict.case
        rows.append((shown, known.quantity, known.formula,
                     SIGNS[known.binding] + _number(known.truth),
                     _number(verdict.estimate.mean) if verdict.estimate else NONE,
                     _ends(verdict.estimate), verdict.word))  # fmt: skip
    console = people() if people().is_terminal else Console(stderr=True, width=WIDTH)
    console.print(filled(made, rows))
    for each in judged:
        if each.verdict.reason:
            words = f"{each.verdict.case}, {each.verdict.known.quantity}: {each.verdict.reason}"
            say(f"{each.verdict.word}: {words}")
    near = sum(each.verdict.word == "near" for each in judged)
    say(f"{near} of {len(judged)} near, in {wall_s:.0f} s: {'passed' if passed else 'NOT passed'}")


def _number(value: float) -> str:
    whole = float(value).is_integer() and abs(value) >= 1000
    return f"{value:,.0f}" if whole else f"{value:.6g}"


def _ends(found: "Interval | None") -> str:
    if found is None or found.low is None or found.high is None:
        return NONE
    return f"{_number(found.low)} .. {_number(found.high)}" if found.low != found.high else "exact"
