"""What the commands of experiments are asked with."""

from pathlib import Path
from typing import Annotated

import typer

File = Annotated[str, typer.Argument(help="A scenario file, or the name of a shipped scenario.")]
Files = Annotated[list[str], typer.Argument(help="Scenarios; or one, and a --set per variant.")]
Set = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="PATH=VALUE", help="Override a value, as router.kind=cheapest."),
]
Variants = Annotated[
    list[str] | None,
    typer.Option(
        "--set", metavar="PATH=VALUE[;...]", help="Of one scenario: a variant. Of several: for all."
    ),
]
Seed = Annotated[int | None, typer.Option(help="Instead of the scenario's own seed.")]
Param = Annotated[
    list[str],
    typer.Option("--param", metavar="PATH=VALUES", help="LO:HI, LO:HI:N (N values), or A,B,C."),
]
Reps = Annotated[int, typer.Option(help="Replications, each under a seed of its own.")]
Out = Annotated[
    Path | None, typer.Option(help="Directory of the results; named by the question if left out.")
]
WorkersOption = Annotated[
    int | None, typer.Option("--workers", help="Processes here; one per core if left out.")
]
Dask = Annotated[
    str | None, typer.Option(metavar="tcp://HOST:PORT", help="Run on this Dask cluster instead.")
]
WarmUp = Annotated[
    str | None,
    typer.Option("--warm-up", metavar="HOURS|auto", help="Leave out a start; auto: by MSER-5."),
]
Minimise = Annotated[list[str] | None, typer.Option(metavar="METRIC", help="Less is better.")]
Maximise = Annotated[list[str] | None, typer.Option(metavar="METRIC", help="More is better.")]
Of = Annotated[list[str] | None, typer.Option("--of", metavar="METRIC", help="The metrics meant.")]
Json = Annotated[bool, typer.Option("--json", help="One JSON object on stdout, and nothing else.")]
