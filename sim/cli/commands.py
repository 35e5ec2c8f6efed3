"""The commands: each reads its arguments, asks the layer below, and shows what came back."""

from pathlib import Path
from typing import Annotated

import typer

from sim.cli import experiments, explaining, laddering, replaying, reporting, verifying
from sim.cli.output import emit, emit_json, say
from sim.facts import ToolError

Reps = Annotated[int | None, typer.Option(min=1, help="Replications: means with intervals.")]
Precision = Annotated[
    str | None, typer.Option(metavar="2%", help="Replicate until intervals are so narrow.")
]
Of = Annotated[list[str] | None, typer.Option("--of", metavar="METRIC", help="The metrics meant.")]
WarmUp = Annotated[
    str | None,
    typer.Option("--warm-up", metavar="HOURS|auto", help="Leave out a start; auto: by MSER-5."),
]
Workers = Annotated[int | None, typer.Option(help="Processes; one per core if left out.")]

app = typer.Typer(
    help="A market of scored models and the agents that buy from them, settled on an EVM chain.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

File = Annotated[str, typer.Argument(help="A scenario file, or the name of a shipped scenario.")]
Set = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="PATH=VALUE", help="Override a value, as router.kind=cheapest."),
]
Seed = Annotated[int | None, typer.Option(help="Instead of the scenario's own seed.")]
Json = Annotated[bool, typer.Option("--json", help="One JSON object on stdout, and nothing else.")]

Remote = Annotated[bool, typer.Option("--allow-remote", help="Let the node be on another machine.")]
Fee = Annotated[int, typer.Option(min=0, max=10_000, help="The router's fee in basis points.")]


@app.callback(invoke_without_command=True)
def _telex(
    version: Annotated[bool, typer.Option("--version", help="Show the version and exit.")] = False,
) -> None:
    if version:
        from importlib.metadata import version as installed

        emit(f"telex {installed('telex')}")
        raise typer.Exit


@app.command()
def run(
    file: File,
    overrides: Set = None,
    seed: Seed = None,
    out: Annotated[
        Path | None, typer.Option(help="Directory of the run; runs/NAME-SEED-K when left out.")
    ] = None,
    chain: Annotated[
        str | None, typer.Option(metavar="anvil|none|URL", help="Instead of the scenario's chain.")
    ] = None,
    deployment: Annotated[
        Path | None, typer.Option(help="Settle on the contracts that this file names.")
    ] = None,
    warp: Annotated[bool, typer.Option("--warp", help="Set the clock of the user's node.")] = False,
    allow_remote: Remote = False,
    reps: Reps = None,
    precision: Precision = None,
    of: Of = None,
    warm_up: WarmUp = None,
    workers: Workers = None,
    json: Json = False,
) -> None:
    """Run a scenario and settle its calls; or many times without a chain (--reps, --precision)."""
    from sim.cli.experiments import run_replications
    from sim.cli.running import run_scenario

    given = overrides or ()
    if reps is not None or precision is not None:
        if chain not in (None, "none") or deployment is not None or warp or allow_remote:
            raise ToolError("--reps and --precision run without a chain; leave out its options")
        raise typer.Exit(
            run_replications(file, given, seed, reps, precision, of, warm_up, out, workers, json)
        )
    if of or warm_up is not None or workers is not None:
        raise ToolError("--of, --warm-up and --workers are of many runs: add --reps or --precision")
    raise typer.Exit(
        run_scenario(file, given, seed, out, chain, deployment, warp, allow_remote, json)
    )


@app.command()
def resume(
    directory: Annotated[Path, typer.Argument(metavar="RUN", help="Directory of a run.")],
    allow_remote: Remote = False,
    json: Json = False,
) -> None:
    """Settle the rest of a run whose node was lost, or that was interrupted; nothing twice."""
    from sim.cli.running import resume_run

    raise typer.Exit(resume_run(directory, allow_remote, json))


@app.command()
def validate(
    file: File, overrides: Set = None, seed: Seed = None, json: Json = False
) -> None:  # fmt: skip
    """Check a scenario: every fault at once, with its path, what was found, what is allowed."""
    from sim.scenario import load

    scenario = load(file, overrides or (), seed)
    digest = scenario.scenario_hash().hex()
    if json:
        emit_json({"ok": True, "scenario": scenario.name, "seed": scenario.seed, "hash": digest})
    agents = sum(group.count for group in scenario.groups.values())
    say(
        f"{scenario.name}: no faults. {len(scenario.models)} models, {agents} agents in "
        f"{len(scenario.groups)} groups, router {scenario.router.kind}, seed {scenario.seed}, "
        f"hash {digest[:16]}"
    )


@app.command(name="list")
def list_(
    kind: Annotated[
        str | None, typer.Argument(help="What to list; the kinds when left out.")
    ] = None,
    json: Json = False,
) -> None:
    """List what there is: presets, catalog, scenarios, routers, ... (without KIND: the kinds)."""
    from sim.cli.listing import show

    show(kind, json)


@app.command()
def init(
    name: Annotated[str, typer.Argument(help="Name of the scenario, or the file to write.")],
    preset: Annotated[
        str | None, typer.Option(help="Build on a preset (telex list presets).")
    ] = None,
) -> None:
    """Write a commented scenario to edit."""
    from sim.scenario import template

    path = Path(name if name.endswith((".yaml", ".yml")) else f"{name}.yaml")
    if not path.stem.strip(".") or name.endswith("/") or path.name in (".yaml", ".yml"):
        raise ToolError(f"{name!r} names no file: a scenario needs a name, as in telex init mine")
    text = template(path.stem, preset)
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError:
        raise ToolError(f"{path} is already there: choose another name") from None
    except OSError as error:
        raise ToolError(f"{path} cannot be written: {error.strerror}") from None
    say(f"{path} is written. Now: telex validate {path}; telex run {path}")


@app.command()
def doctor(json: Json = False) -> None:
    """Show what is installed and what is missing."""
    from sim.cli.doctor import examine

    raise typer.Exit(examine(json))


@app.command()
def deploy(
    rpc: Annotated[str, typer.Option(help="URL of the node.")] = "http://127.0.0.1:8545",
    out: Annotated[Path, typer.Option(help="Where to save the addresses.")] = Path(
        "deployment.json"
    ),
    fee_bps: Fee = 200,
    allow_remote: Remote = False,
    json: Json = False,
) -> None:
    """Deploy the contracts to a node of yours; print and save their addresses."""
    from sim.cli.chains import deploy_to

    deploy_to(rpc, fee_bps, out, allow_remote, json)


@app.command()
def node(
    port: Annotated[int, typer.Option(min=1, max=65535, help="Where it listens.")] = 8545,
    chain_id: Annotated[int, typer.Option(min=1, max=2**53, help="Of its chain.")] = 31337,
    block_time: Annotated[
        int | None,
        typer.Option(min=1, max=3600, metavar="SECONDS", help="Between blocks; else at once."),
    ] = None,
    out: Annotated[Path, typer.Option(help="Where to save addresses, ABIs and keys.")] = Path(
        "node.json"
    ),
    fee_bps: Fee = 200,
    serve_jobs: Annotated[
        str | None,
        typer.Option(metavar="SCENARIO", help="Have its models answer the jobs that are opened."),
    ] = None,
    attach: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Start none: serve jobs on the node of this file."),
    ] = None,
    overrides: Set = None,
    json: Json = False,
) -> None:
    """Start an Anvil with everything deployed, for any client, until Ctrl-C."""
    from sim.cli.chains import serve_attached, serve_node
    from sim.scenario import load

    scenario = load(serve_jobs, overrides or ()) if serve_jobs is not None else None
    if attach is None:
        serve_node(port, chain_id, block_time, fee_bps, out, scenario, json)
    elif scenario is None:
        raise ToolError("--attach serves jobs: name a scenario with --serve-jobs")
    else:
        serve_attached(attach, scenario)


@app.command()
def audit(
    directory: Annotated[Path, typer.Argument(metavar="RUN", help="Directory of a run.")],
    proofs: Annotated[
        int | None,
        typer.Option(min=1, help="Write so many calls' Merkle proofs to RUN/proofs.json."),
    ] = None,
    allow_remote: Remote = False,
    json: Json = False,
) -> None:
    """Rebuild every balance of a run from chain data alone and compare it with the record."""
    from sim.cli.running import audit_run

    raise typer.Exit(audit_run(directory, allow_remote, proofs, json))


experiments.register(app)
reporting.register(app)
replaying.register(app)
explaining.register(app)
verifying.register(app)
laddering.register(app)
