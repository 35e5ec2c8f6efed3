"""``telex report``: one HTML file of saved runs and experiments."""

from pathlib import Path
from typing import Annotated

import typer

from sim.cli.output import emit_json, say

NAME = "report.html"

Records = Annotated[
    list[Path],
    typer.Argument(metavar="RUN|SWEEP|COMPARE...", help="Directories of runs and experiments."),
]
Out = Annotated[
    Path | None,
    typer.Option(help="The file; report.html, in the directory if there is but one."),
]
Json = Annotated[bool, typer.Option("--json", help="One JSON object on stdout, and nothing else.")]


def report(records: Records, out: Out = None, json: Json = False) -> None:
    """Write one self-contained HTML file; several runs stand side by side."""
    from sim.report import write_report

    file = out or (records[0] / NAME if len(records) == 1 else Path(NAME))
    size = write_report(records, file)
    if json:
        emit_json({"ok": True, "report": str(file), "bytes": size})
    say(f"{file} is written, {size / 1e6:.1f} MB; it opens in any browser, without a network")


def register(app: typer.Typer) -> None:
    """Adds this command to the application."""
    app.command()(report)
