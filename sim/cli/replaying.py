"""``telex replay`` and ``telex calibrate``: routers, and the simulator, on recorded outcomes."""

from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sim.cli.output import emit_json, people, say
from sim.facts import Fault, ScenarioError, ToolError

if TYPE_CHECKING:
    from collections.abc import Callable

    from sim.calibration import Calibration
    from sim.replay import Replay
    from sim.replay.run import Row

THOUSAND = 1000
CHECKS_SHOWN = 40

TableFile = Annotated[
    Path,
    typer.Argument(
        metavar="TABLE",
        help="CSV or Parquet, a row per task and model: task_id, model, success; where known "
        "cost_usd, input_tokens, output_tokens, latency_s, domain.",
    ),
]
Routers = Annotated[
    list[str] | None,
    typer.Option(
        "--router", metavar="NAME[:KEY=VALUE,...]",
        help="As quality-floor:floor=0.6; any of `telex list routers`, by-domain, longest-prompt. "
        "Every model alone, random and oracle are always there.",
    ),
]  # fmt: skip
Seed = Annotated[int, typer.Option(min=0, help="Of folds, luck and resamples.")]
Json = Annotated[bool, typer.Option("--json", help="One JSON object on stdout, and nothing else.")]


def replay(
    table: TableFile,
    router: Routers = None,
    seed: Seed = 1,
    folds: Annotated[int, typer.Option(min=2, help="Of the cross-validation by task.")] = 5,
    value_usd: Annotated[str, typer.Option(help="What a right answer is worth.")] = "0.40",
    retries: Annotated[
        int, typer.Option(min=0, max=100, help="Calls after a wrong answer, all paid.")
    ] = 0,
    html: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write the cost-quality picture here.")
    ] = None,
    json: Json = False,
) -> None:
    """Judge routers on recorded outcomes: success, cost, AIQ, APGR, gap to the oracle."""
    from sim.replay import Settings, read_table
    from sim.replay import replay as replayed

    settings = Settings(seed, folds, _usd(value_usd), retries)
    with _status("reading", json) as update:
        read = read_table(table)
        found = replayed(read, router or (), settings, on_router=update)
    if html is not None:
        from sim.replay.picture import replay_page

        _write(replay_page(found).encode(), html)
    if json:
        emit_json(found.document())
    show_replay(found)


def _usd(text: str) -> Decimal:
    try:
        amount = Decimal(text)
    except InvalidOperation:
        amount = Decimal("NaN")
    if not amount.is_finite():
        raise ScenarioError((Fault("--value-usd", repr(text), "dollars, as 0.40"),))
    return amount


@contextmanager
def _status(first: str, quiet: bool) -> "Iterator[Callable[[str], None]]":
    """Shows what is being done, on a terminal."""
    console = people()
    if quiet or not console.is_terminal:
        yield lambda _: None
        return
    with console.status(first) as status:
        yield status.update


def _write(content: bytes, path: Path) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    except OSError as error:
        raise ToolError(f"{path} cannot be written: {error.strerror}") from error
    say(f"{path}  {len(content) / 1e6:.1f} MB" if len(content) > 1e5 else f"{path} is written")


def calibrate(
    table: TableFile,
    out: Annotated[Path, typer.Option(metavar="FILE", help="Where to write the scenario.")],
    router: Routers = None,
    seed: Seed = 1,
    intent: Annotated[
        str, typer.Option(help="What tasks ask for, where the table has no domains.")
    ] = "TASK_COMPLETION",
    simulated: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write a table simulated from the fit.")
    ] = None,
    json: Json = False,
) -> None:
    """Fit models and demand of the simulator to recorded outcomes, as a scenario to extend."""
    from sim.calibration import calibrate as calibrated
    from sim.replay import read_table
    from sim.replay.writing import write_table

    with _status("reading", json) as update:
        found = calibrated(read_table(table), seed, router or (), intent, on_step=update)
    _write(found.yaml().encode(), out)
    if simulated is not None:
        write_table(found.simulation, simulated)
        say(f"{simulated}  {len(found.simulation.tasks):,} tasks")
    if json:
        emit_json(found.document() | {"out": str(out)})
    show_calibration(found)


def show_calibration(found: "Calibration") -> None:
    """How the fit compares with the table, and what it lacks."""
    from sim.cli.tables import filled, table

    parts = (("On tasks held out", found.held_out), ("Replay on both", found.replayed))
    for title, every in parts:
        bad = [each for each in every if not each.ok]
        shown = every if len(every) <= CHECKS_SHOWN else bad[:CHECKS_SHOWN]
        heads = ("figure", "measured", "simulated", "± 1 s.e.", "")
        rows = [
            (f"{each.figure} {each.of}", f"{each.measured:.4g}", f"{each.simulated:.4g}",
             f"{each.error:.2g}", "ok" if each.ok else "off")
            for each in shown
        ]  # fmt: skip
        made = table(f"{title}: {len(every) - len(bad)} of {len(every)} agree", heads)
        made.columns[0].no_wrap = False
        people().print(filled(made, rows))
    say("figures within two standard errors agree: one in twenty is off by chance alone")
    for need in found.needs:
        say(f"to come nearer, the simulator would need {need}")


def show_replay(found: "Replay") -> None:
    """The figures of every router, for people; those that fit, where the screen is narrow."""
    from sim.cli.tables import ROOMY, filled, table

    about, roomy = found.table, people().width >= ROOMY
    columns = [column for column, spare, _ in COLUMNS if roomy or not spare]
    cells = [[cell(row) for _, spare, cell in COLUMNS if roomy or not spare] for row in found.rows]
    used = [at for at in range(len(columns)) if any(line[at] != "-" for line in cells)]
    title = f"{about.name}: {len(about.tasks):,} tasks, {len(about.models)} models"
    made = table(title, [columns[at] for at in used])
    made.columns[0].no_wrap = False
    people().print(filled(made, [[line[at] for at in used] for line in cells]))
    if found.zero_aiq is None:
        say("no cost_usd in the table: no costs, no AIQ, no arena score")
    else:
        say(f"Zero router: AIQ {found.zero_aiq:.3f}, "
            f"{len(found.zero)} of {len(about.models)} models on its hull")  # fmt: skip


def _label(row: "Row") -> str:
    return str(row.params["model"]) if row.name == "single" else row.label


def _span(row: "Row") -> str:
    span = row.cost_usd_per_success_interval
    return "-" if span is None else f"{THOUSAND * span[0]:.4g} to {THOUSAND * span[1]:.4g}"


def _half(row: "Row") -> str:
    span = row.success_interval
    return "-" if span is None else f"{50 * (span[1] - span[0]):.1f}"


def _dollars(value: float | None) -> str:
    return "-" if value is None else f"{THOUSAND * value:.4g}"


def _share(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"


# Head, whether a narrow screen does without it, and the cell.
COLUMNS: "tuple[tuple[str, bool, Callable[[Row], str]], ...]" = (
    ("router", False, _label),
    ("success", False, lambda row: _share(row.success)),
    ("± %", False, _half),
    ("$/1k tasks", False, lambda row: _dollars(row.cost_usd_per_task)),
    ("$/1k right", False, lambda row: _dollars(row.cost_usd_per_success)),
    ("95 %", True, _span),
    ("AIQ", False, lambda row: _share(row.aiq)),
    ("arena", True, lambda row: _share(row.arena_score)),
    ("strong", True, lambda row: _share(row.strong_share)),
    ("APGR", False, lambda row: _share(row.apgr)),
    ("CPT50", True, lambda row: _share(row.cpt_50)),
    ("CPT80", True, lambda row: _share(row.cpt_80)),
    ("to oracle", True, lambda row: _share(row.gap_to_oracle)),
)


def register(app: typer.Typer) -> None:
    """Adds these commands to the application."""
    for command in (replay, calibrate):
        app.command()(command)
