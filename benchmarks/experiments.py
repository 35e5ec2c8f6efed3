"""Experiments' speed: a sweep on two cores against one, and what a run costs beyond itself."""

import tempfile
from pathlib import Path

from benchmarks.measuring import Seconds, alternating, median, timed
from benchmarks.reports import Figure, Pins, Report
from benchmarks.sizes import Sizes
from sim.experiment.jobs import Row
from sim.experiment.session import opened
from sim.experiment.space import Parameter
from sim.experiment.sweep import plan, sweep
from sim.runner import run
from sim.scenario import Scenario, load

RUNS, CORES = 40, 2
TIMES_AS_FAST, OVERHEAD = 1.8, 0.05
PRICES = "models.solid.price.output_usd_per_mtok=4,5"


def hello_market(tasks: int) -> Scenario:
    """hello-market without a chain: about 11 calls per 10 tasks."""
    return load("hello-market", {"tasks": tasks, "chain.backend": "none"})


def swept(scenario: Scenario, runs: int, workers: int) -> tuple[list[Row], Seconds]:
    """A sweep of so many runs, from nothing to its table."""

    def work() -> list[Row]:
        with tempfile.TemporaryDirectory() as folder:
            what = plan(scenario, [Parameter.parse(PRICES)])
            with opened(what.experiment, Path(folder) / "sweep", workers) as session:
                return sweep(what, session, runs // len(what.points))

    return timed(work)


def sweeping(sizes: Sizes, pins: Pins) -> Report:
    """A sweep of 40 runs of hello-market, on two processes and on one."""
    del pins
    report, scenario = Report(), hello_market(sizes.small)
    (one, alone), (two, together) = (swept(scenario, RUNS, cores) for cores in (1, CORES))
    for rows in (one, two):
        report.exactly("rows", len(rows), RUNS)
        report.exactly("failed", sum(row.error is not None for row in rows), 0)
    same = [a.digest == b.digest for a, b in zip(one, two, strict=True)]
    report.exactly("digests_that_agree", sum(same), RUNS)
    report.add(
        Figure("one_process", alone.wall, "s"),
        Figure("two_processes", together.wall, "s"),
        Figure("times_as_fast", alone.wall / together.wall, "", TIMES_AS_FAST),
    )
    return report


def overhead(sizes: Sizes, pins: Pins) -> Report:
    """What a run costs within a sweep, beyond the run itself as `sim.run` does it."""
    del pins
    report, scenario = Report(), hello_market(sizes.small)
    runs = 4

    def bare() -> Seconds:
        with tempfile.TemporaryDirectory() as folder:
            ended, seconds = timed(lambda: run(scenario, out=Path(folder) / "run"))
        report.counts["calls"] = ended.summary.calls.made
        return seconds

    def within() -> Seconds:
        rows, seconds = swept(scenario, runs, 1)
        report.exactly("failed", sum(row.error is not None for row in rows), 0)
        return Seconds(seconds.wall / runs, seconds.cpu / runs)

    alone, together = alternating(sizes.rounds, bare, within)
    ours, theirs = (median([each.cpu for each in found]) for found in (together, alone))
    report.add(
        Figure("a_run", median([each.wall for each in alone]), "s"),
        Figure("a_run_of_a_sweep", median([each.wall for each in together]), "s"),
        Figure("overhead", ours / theirs - 1, "of processor time", OVERHEAD, at_most=True),
    )
    return report
