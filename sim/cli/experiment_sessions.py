"""How the commands of experiments begin and end: designs, session, result, exit status."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from sim.cli.output import emit_json, say
from sim.facts import Fault, ScenarioError
from sim.scenario import Scenario, load

if TYPE_CHECKING:
    from sim.experiment.documents import Document
    from sim.experiment.session import Session
    from sim.experiment.store import Experiment

INTERRUPTED = 130
BETWEEN_SETTINGS = ";"


@contextmanager
def session_of(
    experiment: "Experiment", out: Path | None, workers: int | None, dask: str | None, json: bool
) -> "Iterator[Session]":
    """A session that shows its progress; says how to go on when it is stopped."""
    from sim.cli.progress import ExperimentProgress
    from sim.experiment.session import opened

    with ExperimentProgress(quiet=json) as progress:
        try:
            with opened(experiment, out, workers, dask, progress) as session:
                yield session
        except KeyboardInterrupt:
            progress.stop()
            where = out or experiment.default_directory()
            say(f"stopped. {progress.done} finished runs are in {where}: the same command goes on")
            raise typer.Exit(INTERRUPTED) from None


def finish(session: "Session", document: "Document", json: bool, show: Callable[[], None]) -> int:
    """Saves, prints and shows what was found; the exit status: 1 if a law broke or all failed."""
    from sim.experiment.documents import RESULT

    session.store.write_json(RESULT, document)
    rows = session.asked_rows()
    if json:
        emit_json(document | {"directory": str(session.store.directory)})
    show()
    errors = list(dict.fromkeys(row.error for row in rows if row.error))
    if errors:
        failed = sum(row.error is not None for row in rows)
        say(f"{failed} of {len(rows)} runs failed, as: {errors[0]}")
    say(f"{session.store.directory}  {len(rows)} runs")
    broken = any(row.laws_ok is False for row in rows)
    return int(broken or all(row.error for row in rows))


def share_of(text: str, option: str) -> float:
    """``2%`` or ``0.02``; raises `ScenarioError` for anything else."""
    number = text.strip()
    try:
        return float(number[:-1]) / 100 if number.endswith("%") else float(number)
    except ValueError:
        fault = Fault(option, repr(text), "a share, as 2% or 0.02")
        raise ScenarioError((fault,)) from None


def warm_up_of(text: str | None, designs: dict[str, Scenario]) -> int:
    """``--warm-up`` in microseconds: hours, ``auto`` (MSER-5), or none."""
    from sim.experiment.replicate import warm_up

    if text is None or text == "auto":
        return warm_up(designs, "auto" if text else None)
    try:
        hours = float(text)
    except ValueError:
        fault = Fault("--warm-up", repr(text), "hours, or auto")
        raise ScenarioError((fault,)) from None
    return warm_up(designs, hours)


def designs_of(
    files: Sequence[str], overrides: Sequence[str], seed: int | None
) -> list[tuple[str, Scenario]]:
    """Several scenarios; or one as it is, and with each of the overrides."""
    variants = [text.split(BETWEEN_SETTINGS) for text in overrides]
    variants = [[part.strip() for part in parts if part.strip()] for parts in variants]
    if len(files) == 1:
        base = load(files[0], (), seed)
        changed = [(text.strip(), load(files[0], parts, seed))
                   for text, parts in zip(overrides, variants, strict=True)]  # fmt: skip
        return [(base.name, base), *changed]
    common = [part for parts in variants for part in parts]
    found = [load(file, common, seed) for file in files]
    return [(scenario.name, scenario) for scenario in found]
