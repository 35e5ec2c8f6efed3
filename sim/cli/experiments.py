"""``telex sweep``, ``compare``, ``tune``, ``sensitivity``, ``capacity``, and ``run --reps``."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from sim.cli.experiment_options import (
    Dask,
    File,
    Files,
    Json,
    Maximise,
    Minimise,
    Of,
    Out,
    Param,
    Reps,
    Seed,
    Set,
    Variants,
    WarmUp,
    WorkersOption,
)
from sim.cli.experiment_sessions import designs_of, finish, session_of, share_of, warm_up_of
from sim.scenario import load


def run_replications(
    file: str, overrides: Sequence[str], seed: int | None, reps: int | None,
    precision: str | None, of: Sequence[str] | None, warm_up: str | None, out: Path | None,
    workers: int | None, json: bool,
) -> int:  # fmt: skip
    """``telex run --reps N`` and ``--precision 2%``; returns the exit status. Without a chain."""
    from sim.cli.experiment_tables import show_replicated
    from sim.experiment import replicate
    from sim.experiment.documents import of_replicated
    from sim.experiment.measures import known

    scenario = load(file, overrides, seed)
    for name in of or ():
        known(name, scenario, "--of")
    share = None if precision is None else share_of(precision, "--precision")
    first, names = reps or replicate.FIRST, of or replicate.PRECISE
    if share is not None:
        replicate.check_precision(scenario, share, names, first)
    warm_up_us = warm_up_of(warm_up, {scenario.name: scenario})
    experiment = replicate.replications(scenario, warm_up_us=str(warm_up_us))
    with session_of(experiment, out, workers, None, json) as session:
        if share is None:
            found = replicate.replicate(scenario, session, reps or 1, warm_up_us)
        else:
            found = replicate.to_precision(
                scenario, session, share, names, first, warm_up_us=warm_up_us
            )
        document = {"scenario": scenario.name, **of_replicated(found, warm_up_us)}
        show = partial(show_replicated, scenario, found, warm_up_us, of)
        return finish(session, document, json, show)


def sweep(
    file: File,
    param: Param,
    overrides: Set = None,
    seed: Seed = None,
    reps: Reps = 1,
    design: Annotated[str, typer.Option(help="grid, sobol or lhs.")] = "grid",
    points: Annotated[int | None, typer.Option(help="How many, for sobol and lhs.")] = None,
    of: Of = None,
    warm_up: WarmUp = None,
    out: Out = None,
    workers: WorkersOption = None,
    dask: Dask = None,
    json: Json = False,
) -> None:
    """Run a scenario at every point of a design; one row per run, in Parquet."""
    from sim.cli.experiment_tables import show_sweep
    from sim.experiment import sweep as sweeps
    from sim.experiment.documents import of_rows
    from sim.experiment.measures import known
    from sim.experiment.space import Parameter

    scenario = load(file, overrides or (), seed)
    parameters = [Parameter.parse(text) for text in param]
    warm_up_us = warm_up_of(warm_up, {scenario.name: scenario})
    plan = sweeps.plan(scenario, parameters, design, points, warm_up_us)
    for name in of or ():
        known(name, scenario, "--of")
    with session_of(plan.experiment, out, workers, dask, json) as session:
        rows = sweeps.sweep(plan, session, reps, warm_up_us)
        document = {"scenario": scenario.name, "points": len(plan.points), "reps": reps,
                    "results": str(session.store.publish(rows)), **of_rows(rows)}  # fmt: skip
        status = finish(session, document, json, lambda: show_sweep(plan, rows, of))
    raise typer.Exit(status)


def compare(
    files: Files,
    overrides: Variants = None,
    seed: Seed = None,
    reps: Reps = 10,
    minimise: Annotated[str | None, typer.Option(metavar="METRIC", help="Select by it.")] = None,
    maximise: Annotated[str | None, typer.Option(metavar="METRIC", help="Select by it.")] = None,
    indifference: Annotated[
        str, typer.Option(help="The least difference that matters, of the first design's mean.")
    ] = "1%",
    of: Of = None,
    warm_up: WarmUp = None,
    out: Out = None,
    workers: WorkersOption = None,
    dask: Dask = None,
    json: Json = False,
) -> None:
    """Run designs on common random numbers: which is better, by how much, how surely."""
    from sim.cli.experiment_tables import show_comparison
    from sim.experiment import compare as comparing
    from sim.experiment.conditions import one_objective
    from sim.experiment.documents import of_comparison

    designs = comparing.named(designs_of(files, overrides or [], seed))
    by = one_objective(minimise, maximise, list(designs.values()))
    for name in of or ():
        comparing.known_in_all(name, designs)
    zone = share_of(indifference, "--indifference")
    warm_up_us = warm_up_of(warm_up, designs)
    experiment = comparing.comparison(designs, warm_up_us=str(warm_up_us))
    with session_of(experiment, out, workers, dask, json) as session:
        found = comparing.compare(designs, session, reps, warm_up_us)
        selected = None
        if by is not None:
            least = comparing.zone_of(found, by, zone)
            selected = comparing.best_of(designs, session, by, least, reps, warm_up_us=warm_up_us)
        document = of_comparison(found, selected)
        show = partial(show_comparison, designs.values(), found, selected, of)
        status = finish(session, document, json, show)
    raise typer.Exit(status)


def tune(
    file: File,
    param: Param,
    minimise: Minimise = None,
    maximise: Maximise = None,
    subject_to: Annotated[
        list[str] | None, typer.Option(metavar="METRIC>=LIMIT", help="A condition to keep.")
    ] = None,
    overrides: Set = None,
    seed: Seed = None,
    trials: Annotated[int, typer.Option(help="Points to try, in all.")] = 60,
    reps: Reps = 3,
    storage: Annotated[
        str | None, typer.Option(metavar="URL", help="Of Optuna; SQLite in --out if left out.")
    ] = None,
    out: Out = None,
    workers: WorkersOption = None,
    dask: Dask = None,
    json: Json = False,
) -> None:
    """Find the best values of some parameters; of several objectives, the Pareto front."""
    from sim.cli.experiment_tables import show_tuned
    from sim.experiment import tune as tuning
    from sim.experiment.conditions import Condition, objectives
    from sim.experiment.documents import of_tuned
    from sim.experiment.space import Parameter, Space

    scenario = load(file, overrides or (), seed)
    aims = objectives(minimise or (), maximise or (), scenario)
    kept = [Condition.parse(text, scenario, "--subject-to") for text in subject_to or ()]
    space = Space(scenario, [Parameter.parse(text) for text in param])
    question = tuning.Question(space, aims, kept, reps)
    with session_of(question.experiment(), out, workers, dask, json) as session:
        found = tuning.tune(question, question.study(session, storage), session, trials)
        document = {"scenario": scenario.name, **of_tuned(found)}
        status = finish(session, document, json, lambda: show_tuned(question, found))
    raise typer.Exit(status if found.best else 1)


def sensitivity(
    file: File,
    param: Param,
    of: Of = None,
    method: Annotated[str, typer.Option(help="morris or sobol.")] = "morris",
    points: Annotated[
        int, typer.Option(help="Trajectories (morris), or a power of two (sobol).")
    ] = 16,
    overrides: Set = None,
    seed: Seed = None,
    reps: Reps = 1,
    out: Out = None,
    workers: WorkersOption = None,
    dask: Dask = None,
    json: Json = False,
) -> None:
    """Say which parameters move a metric: Morris's screening, or Sobol's indices."""
    from sim.cli.experiment_tables import show_indices
    from sim.experiment import sensitivity as sensing
    from sim.experiment.documents import of_indices
    from sim.experiment.replicate import PRECISE
    from sim.experiment.space import Parameter, Space

    scenario = load(file, overrides or (), seed)
    space = Space(scenario, [Parameter.parse(text) for text in param])
    experiment = sensing.plan(space, of or PRECISE, method, points, reps)
    with session_of(experiment, out, workers, dask, json) as session:
        found = sensing.sensitivity(space, of or PRECISE, session, method, points, reps)
        document = {"scenario": scenario.name, **of_indices(found)}
        status = finish(session, document, json, lambda: show_indices(scenario, found))
    raise typer.Exit(status)


def capacity(
    file: File,
    slo: Annotated[str, typer.Option(metavar="METRIC<LIMIT", help="As latency_us.p95<8s.")],
    overrides: Set = None,
    seed: Seed = None,
    reps: Reps = 3,
    tolerance: Annotated[str, typer.Option(help="How near the two loads must be.")] = "2%",
    out: Out = None,
    workers: WorkersOption = None,
    dask: Dask = None,
    json: Json = False,
) -> None:
    """Find the largest load, as a multiple of the scenario's, that keeps a condition."""
    from sim.cli.experiment_tables import show_capacity
    from sim.experiment import capacity as loading
    from sim.experiment.conditions import Condition
    from sim.experiment.documents import of_capacity

    scenario = load(file, overrides or (), seed)
    condition = Condition.parse(slo, scenario, "--slo")
    near, per_hour = share_of(tolerance, "--tolerance"), loading.per_hour(scenario)
    with session_of(loading.plan(scenario, condition), out, workers, dask, json) as session:
        found = loading.capacity(scenario, condition, session, reps, near)
        document = {"scenario": scenario.name, **of_capacity(found, per_hour)}
        status = finish(session, document, json, lambda: show_capacity(scenario, found, per_hour))
    raise typer.Exit(status)


def register(app: typer.Typer) -> None:
    """Adds these commands to the application."""
    for command in (sweep, compare, tune, sensitivity, capacity):
        app.command()(command)
