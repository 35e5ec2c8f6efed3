"""A long run with its chain, as a user starts it: memory of its processes, seconds to its end."""

import json
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from time import perf_counter

from benchmarks.measuring import GB, Peaks, tell
from benchmarks.reports import CountError, Figure, Pins, Report
from benchmarks.sizes import BENCH_20, ROOT, Sizes
from sim.metrics import Summary
from sim.world import World


@dataclass(frozen=True)
class ChainRun:
    """A run by the command line: its summary, its seconds, its processes' memory in bytes."""

    summary: Summary
    seconds: float
    peaks: dict[str, int]
    largest_bytes: int
    saved_bytes: int


@cache
def chain_run(sizes: Sizes, tasks: int) -> ChainRun:
    """``telex run`` on an Anvil of its own, settled and audited; done once, for two workloads."""
    tell(f"telex run --set tasks={tasks}, settled and audited")
    with tempfile.TemporaryDirectory() as directory:
        command = [sys.executable, "-m", "sim", "run", str(BENCH_20)]
        for path, value in sizes.changes(tasks).items():
            command += ["--set", f"{path}={value}"]
        command += ["--out", directory, "--chain", "anvil", "--json"]
        started = perf_counter()
        process = subprocess.Popen(
            command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        with Peaks(process.pid) as peaks:
            output, errors = process.communicate()
        seconds = perf_counter() - started
        if process.returncode:
            raise CountError(f"telex run: found status {process.returncode}, needed 0: {errors}")
        saved = sum(path.stat().st_size for path in Path(directory).iterdir())
    summary = Summary.model_validate(json.loads(output))
    return ChainRun(summary, seconds, peaks.by_name, peaks.largest, saved)


def _checked(sizes: Sizes, pins: Pins) -> tuple[ChainRun, Report]:
    run, report = chain_run(sizes, sizes.large), Report()
    summary = run.summary
    pins.check(report, sizes.large, summary.calls.made)
    report.exactly("calls settled on the chain", summary.chain.calls_settled, summary.calls.settled)
    report.exactly("parity", str(summary.chain.parity), "True")
    report.exactly("difference_micros", str(summary.chain.difference_micros), "0")
    report.exactly("laws broken", sum(not law.ok for law in summary.laws.values()), 0)
    return run, report


def memory(sizes: Sizes, pins: Pins) -> Report:
    """The most memory that a long run's processes hold: Python's together, and Anvil's."""
    run, report = _checked(sizes, pins)
    anvil = sum(peak for name, peak in run.peaks.items() if name.startswith("anvil"))
    if not anvil:
        tell("this system does not tell the memory of processes")
        return report
    report.add(
        Figure("held per call until it is saved", _held(sizes), "bytes", target=128, at_most=True),
        Figure("Python processes", run.peaks["python"] / GB, "GB", target=1.5, at_most=True),
        Figure("largest of all processes", run.largest_bytes / GB, "GB"),
        Figure("Anvil", anvil / GB, "GB", target=1.0, at_most=True),
        Figure("saved on disk per call", run.saved_bytes / run.summary.calls.made, "bytes"),
    )
    return report


def _held(sizes: Sizes) -> float:
    """Bytes per call of what a short run leaves, hashes and tasks included: the same everywhere."""
    world = World(sizes.scenario(sizes.small))
    return world.run().nbytes / world.market.calls_made


def full(sizes: Sizes, pins: Pins) -> Report:
    """The seconds to simulate, settle, audit and save a long run, start of Python included."""
    run, report = _checked(sizes, pins)
    timing = run.summary.timing
    report.add(
        Figure("whole command", run.seconds, "s", target=120.0, at_most=True),
        Figure("simulation", timing.sim_s, "s"),
        Figure("waiting for the chain, and audit", timing.chain_s, "s"),
        Figure("calls per second of the whole", run.summary.calls.made / run.seconds, "calls/s"),
        Figure("gas per call", run.summary.chain.gas_per_call or 0.0, "gas"),
    )
    return report
