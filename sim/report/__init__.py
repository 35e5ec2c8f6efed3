"""Reports: one self-contained HTML file, made from saved records and nothing else.

``report(paths)`` is the page of one run, or of several side by side, and of experiments (sweeps,
tunings, comparisons); the same records give the same bytes.
"""

from collections.abc import Sequence
from pathlib import Path

from sim.facts import Fault, ScenarioError, ToolError
from sim.report import page
from sim.report.measured import Measured, is_experiment, open_experiment
from sim.report.reading import Record, open_runs

__all__ = ["report", "write_report"]


def report(paths: Sequence[Path]) -> str:
    """The page of the records at ``paths``; raises `ScenarioError` for each that is none."""
    faults: list[Fault] = []
    experiments: list[Measured] = []
    for at, path in enumerate(path for path in paths if is_experiment(path)):
        try:
            experiments.append(open_experiment(path, f"e{at + 1}"))
        except ScenarioError as error:
            faults += error.faults
    runs: list[Record] = []
    try:
        runs = open_runs([path for path in paths if not is_experiment(path)])
    except ScenarioError as error:
        faults += error.faults
    if faults:
        raise ScenarioError(tuple(faults))
    return page.document(runs, experiments)


def write_report(paths: Sequence[Path], out: Path) -> int:
    """Writes the page of the records at ``paths`` to ``out``; returns its size in bytes.

    Raises:
        ScenarioError: a path that is no record. ToolError: ``out`` cannot be written.
    """
    content = report(paths).encode()
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        out.write_bytes(content)
    except OSError as error:
        raise ToolError(f"{out} cannot be written: {error.strerror}") from error
    return len(content)
