"""``telex run``, ``resume`` and ``audit``: what is asked of the runner, and the exit status."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from sim.cli.output import emit, say, show_error
from sim.facts import ChainError
from sim.scenario import load

if TYPE_CHECKING:
    from sim.runner import Run

INTERRUPTED = 130


def run_scenario(
    file: str, overrides: Sequence[str], seed: int | None, out: Path | None, chain: str | None,
    deployment: Path | None, warp: bool, allow_remote: bool, as_json: bool,
) -> int:  # fmt: skip
    """Runs a scenario and shows its summary; returns the exit status."""
    chosen = [] if chain is None else [f"chain.backend={json.dumps(chain)}"]
    scenario = load(file, [*overrides, *chosen], seed)
    from sim import runner
    from sim.cli.progress import RunProgress

    with RunProgress(scenario.horizon_h, quiet=as_json) as progress:
        result = runner.run(
            scenario, out=out, deployment=deployment, warp=warp,
            allow_remote=allow_remote, progress=progress,
        )  # fmt: skip
    return _told(result, as_json)


def resume_run(directory: Path, allow_remote: bool, as_json: bool) -> int:
    """Goes on with a saved run and shows its summary; returns the exit status."""
    from sim import runner
    from sim.cli.progress import RunProgress

    with RunProgress(None, quiet=as_json) as progress:
        result = runner.resume(directory, allow_remote=allow_remote, progress=progress)
    return _told(result, as_json)


def _told(result: "Run", as_json: bool) -> int:
    from sim.cli.summary import show_summary

    if as_json:
        emit(result.summary.model_dump_json(indent=2))
    show_summary(result.summary, result.scenario, result.directory, result.interrupted)
    if result.failure is not None:
        show_error(result.failure)
    cut_short = result.interrupted if result.ok else isinstance(result.failure, ChainError)
    if cut_short and result.saved.manifest.chain is not None:
        say(f"telex resume {result.directory} settles the rest")
    if result.failure is not None:
        return 1
    return INTERRUPTED if result.interrupted else 0


def audit_run(directory: Path, allow_remote: bool, proofs: int | None, as_json: bool) -> int:
    """Audits a saved run; returns the exit status."""
    from sim.auditing import audit_saved
    from sim.cli.summary import show_audit

    result = audit_saved(directory, allow_remote=allow_remote, proofs=proofs)
    if as_json:
        emit(json.dumps(asdict(result), indent=2))
    show_audit(result)
    return 0 if result.ok else 1
