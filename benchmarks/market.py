"""The market's speed: against the straightforward program, and as a run grows."""

import tempfile
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from resource import RUSAGE_SELF, getrusage

from benchmarks.measuring import GB, KIB, Seconds, alternating, apart, median, timed
from benchmarks.reference import Reference
from benchmarks.reports import CountError, Figure, Pins, Report
from benchmarks.sizes import Sizes
from sim.facts import Reason
from sim.record import Calls, Columns, digest
from sim.runner import run
from sim.scenario import Scenario
from sim.world import World

END_EVENTS = 2
POSTED_LAST = 1


@dataclass(frozen=True, slots=True)
class Run:
    """A run: its calls, its digest, the events of its kernel, and what it took.

    ``expected_events`` are those that its record accounts for. ``peak_bytes`` is the process's.
    """

    calls: int
    digest: str
    events: int
    expected_events: int
    seconds: Seconds
    peak_bytes: int = 0

    @property
    def calls_per_s(self) -> float:
        """Per second of processor time: whatever else the machine does."""
        return self.calls / self.seconds.cpu


def events_of(world: World, calls: Calls) -> int:
    """The events that a run without outages needs.

    One per arrival (those posted, and each agent's next), one per call served, one per call that
    had to wait, and the end, which SimPy schedules again as it stops.
    """
    gave_up = calls.reason == Reason.DEADLINE
    waited = gave_up | (calls.started_us > calls.posted_us)
    # Each agent awaits one arrival more, but for the one that posted the last task.
    arrivals = world.market.tasks_posted + len(world.agents) - POSTED_LAST
    return arrivals + int((~gave_up).sum()) + int(waited.sum()) + END_EVENTS


def market(scenario: Scenario) -> Run:
    """The engine: ledger and always-on laws, to the digest."""

    def work() -> tuple[World, Columns, str]:
        world = World(scenario)
        columns = Columns(world.run())
        return (
            world,
            columns,
            digest(columns.calls, columns.tasks, columns.answer_hash, *columns.asides),
        )

    (world, columns, found), seconds = timed(work)
    return Run(
        calls=len(columns.calls),
        digest=found,
        events=next(world.clock._eid),
        expected_events=events_of(world, columns.calls),
        seconds=seconds,
    )


def simulation(sizes: Sizes, tasks: int) -> Run:
    """The engine again, but only `World.run` is timed; for a process of its own."""
    world = World(sizes.scenario(tasks))
    history, seconds = timed(world.run)
    peak = getrusage(RUSAGE_SELF).ru_maxrss * KIB
    calls = Columns(history).calls
    events = next(world.clock._eid)
    return Run(len(calls), "", events, events_of(world, calls), seconds, peak)


def whole(scenario: Scenario) -> Run:
    """A whole run without a chain: also saved, read back, every law checked on its record."""
    with tempfile.TemporaryDirectory() as directory:
        ended, seconds = timed(partial(run, scenario, out=Path(directory), chain="none"))
    if ended.failure is not None:
        raise ended.failure
    if not all(law.ok for law in ended.summary.laws.values()):
        raise CountError("laws: found one broken, needed none")
    return Run(ended.summary.calls.made, ended.summary.digest, 0, 0, seconds)


def reference(scenario: Scenario) -> Run:
    """The straightforward program, to the same digest."""

    def work() -> Reference:
        program = Reference(scenario)
        program.run()
        return program

    program, seconds = timed(work)
    return Run(program.made, program.digest, 0, 0, seconds)


def engine(sizes: Sizes, pins: Pins) -> Report:
    """Calls per second of the engine over those of the straightforward SimPy program."""
    scenario, report = sizes.scenario(sizes.small), Report()
    works = [partial(work, scenario) for work in (market, reference, whole)]
    engines, references, wholes = alternating(sizes.rounds, *works)
    for found in (*engines, *references, *wholes):
        pins.check(report, sizes.small, found.calls)
        report.exactly("digest", found.digest, engines[0].digest)
    for found in engines:
        report.exactly("events", found.events, found.expected_events)
    speeds = [median([one.calls_per_s for one in runs]) for runs in (engines, references, wholes)]
    report.add(
        Figure("market over reference", speeds[0] / speeds[1], "times", target=2.0),
        Figure("whole run over reference", speeds[2] / speeds[1], "times", target=2.0),
        Figure("market", speeds[0], "calls/s"),
        Figure("reference", speeds[1], "calls/s"),
        Figure("whole run", speeds[2], "calls/s"),
        Figure("events per call", engines[0].events / engines[0].calls),
    )
    return report


def scaling(sizes: Sizes, pins: Pins) -> Report:
    """Calls per second of a long run over those of a short one."""
    report = Report()
    works = [partial(apart, simulation, sizes, tasks) for tasks in (sizes.small, sizes.large)]
    short, long = alternating(sizes.long_rounds, *works)
    for tasks, runs in ((sizes.small, short), (sizes.large, long)):
        for found in runs:
            pins.check(report, tasks, found.calls)
            report.exactly(f"events_of_{tasks}_tasks", found.events, found.expected_events)
    speeds = [median([one.calls_per_s for one in runs]) for runs in (short, long)]
    report.add(
        Figure("long over short", speeds[1] / speeds[0], "times", target=0.85),
        Figure("short", speeds[0], "calls/s"),
        Figure("long", speeds[1], "calls/s"),
        Figure("peak memory of the long", max(one.peak_bytes for one in long) / GB, "GB"),
    )
    return report
