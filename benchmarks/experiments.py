"""Experiments' speed: a sweep on two cores against one, and what a run costs beyond itself."""

import tempfile
from functools import partial
from pathlib import Path
from resource import RUSAGE_CHILDREN, getrusage

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
    """A sweep of so many runs, from nothing to its table; the seconds are all its processes'."""

    def work() -> list[Row]:
        with tempfile.TemporaryDirectory() as folder:
            what = plan(scenario, [Parameter.parse(PRICES)])
            with opened(what.experiment, Path(folder) / "sweep", workers) as session:
                return sweep(what, session, runs // len(what.points))

    before = _cpu_of_children()
    rows, took = timed(work)
    return rows, Seconds(took.wall, took.cpu + _cpu_of_children() - before)


def _cpu_of_children() -> float:
    """Processor seconds of the processes that this one has started, and that have ended."""
    used = getrusage(RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def sweeping(sizes: Sizes, pins: Pins) -> Report:
    """A sweep of 40 runs of hello-market, on two processes and on one."""
    del pins
    report, scenario = Report(), hello_market(sizes.small)
    works = [partial(swept, scenario, RUNS, cores) for cores in (1, CORES)]
    alone, together = alternating(sizes.long_rounds, *works)
    for (one, _), (two, _) in zip(alone, together, strict=True):
        for rows in (one, two):
            report.exactly("rows", len(rows), RUNS)
            report.exactly("failed", sum(row.error is not None for row in rows), 0)
        same = [a.digest == b.digest for a, b in zip(one, two, strict=True)]
        report.exactly("digests_that_agree", sum(same), RUNS)
    (wall, cpu), (wall_of_two, cpu_of_two) = (
        (median([took.wall for _, took in each]), median([took.cpu for _, took in each]))
        for each in (alone, together)
    )
    report.add(
        Figure("one_process", wall, "s"),
        Figure("two_processes", wall_of_two, "s"),
        Figure("times_as_fast", wall / wall_of_two, "", TIMES_AS_FAST),
        Figure("processor_time_of_two_over_one", cpu_of_two / cpu),
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
