"""The routers' speed: their part of a call's time, and how it grows with the number of models."""

import tempfile
import time
from array import array
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import cast
from zlib import crc32

from benchmarks.measuring import Seconds, alternating, median, timed
from benchmarks.reports import Figure, Pins, Report
from benchmarks.sizes import Sizes
from sim.facts import Reason, Task
from sim.models import Pool
from sim.routers import LEARNERS, ROUTERS, Router
from sim.scenario import Scenario, from_mapping
from sim.world import World

FEW, MANY = 20, 200
PART_MOST, GROWTH_MOST = 0.5, 4.0
MINE = """def pick(task, attempt, models, pool):
    times = pool.latencies(task, models)
    return models[times.index(min(times))]
"""


@dataclass(frozen=True, slots=True)
class Routed:
    """A run: its calls, a checksum of its picks, and the seconds of it that went into routing."""

    calls: int
    picks: int
    seconds: Seconds
    routing_s: float

    @property
    def per_call_us(self) -> float:
        """Processor time of a call, in us."""
        return 1e6 * self.seconds.cpu / self.calls

    @property
    def part(self) -> float:
        """Routing over the whole run, both by the clock on the wall."""
        return self.routing_s / self.seconds.wall


class Stopwatch:
    """Stands before pool and router, and times what they do: filter, and pick."""

    def __init__(self, world: World) -> None:
        self.router, self.nanoseconds = world.market.router, 0
        self.filter = world.pool.fitting
        self.picks = array("q")
        world.market.router = cast("Router", self)
        world.pool.fitting = self.fitting  # type: ignore[method-assign]  # in its place

    def pick(self, task: Task, attempt: int, models: Sequence[int], pool: Pool) -> int:
        """The router's own pick."""
        start = time.perf_counter_ns()
        found = self.router.pick(task, attempt, models, pool)
        self.nanoseconds += time.perf_counter_ns() - start
        self.picks.append(found)
        return found

    def fitting(self, task: Task, group: int, purse_micros: int) -> tuple[Sequence[int], Reason]:
        """The pool's own filter."""
        start = time.perf_counter_ns()
        found = self.filter(task, group, purse_micros)
        self.nanoseconds += time.perf_counter_ns() - start
        return found


def parameters(kind: str, folder: Path) -> dict[str, object]:
    """A router of every kind."""
    mine = folder / "mine.py"
    mine.write_text(MINE)
    needed: dict[str, dict[str, object]] = {
        "single": {"model": "m10"},
        "weighted": {"weights": {f"m{number:02}": number for number in range(1, 21)}},
        "quality-floor": {"floor": 0.7},
        "python": {"file": str(mine)},
    }
    return {"kind": kind, **needed.get(kind, {})}


def pool_of(scenario: Scenario, models: int, router: dict[str, object]) -> Scenario:
    """The scenario with each model many times over, to so many models, and another router."""
    document = scenario.model_dump(mode="json", exclude_none=True)
    few = document["models"]
    times = models // len(few)
    document["models"] = {
        name if copy == 0 else f"{name}-{copy}": model
        for name, model in few.items()
        for copy in range(times)
    }
    return from_mapping(document | {"router": router})


def routed(scenario: Scenario) -> Routed:
    """A run of the engine under the stopwatch."""
    world = World(scenario)
    watch = Stopwatch(world)
    _, seconds = timed(world.run)
    calls, picks = world.market.calls_made, crc32(watch.picks)
    return Routed(calls, picks, seconds, watch.nanoseconds / 1e9)


def routers(sizes: Sizes, pins: Pins) -> Report:
    """Each router's part of a call's time at 20 models, and a call at 200 over one at 20."""
    report, base = Report(), sizes.scenario(sizes.routed)
    with tempfile.TemporaryDirectory() as named:
        for kind in ROUTERS:
            chosen = parameters(kind, Path(named))
            works = [partial(routed, pool_of(base, models, chosen)) for models in (FEW, MANY)]
            few, many = alternating(sizes.rounds, *works)
            for models, runs in ((FEW, few), (MANY, many)):
                for found in runs:
                    report.exactly(f"{kind}: calls at {models}", found.calls, runs[0].calls)
                    report.exactly(f"{kind}: picks at {models}", found.picks, runs[0].picks)
            if kind == base.router.kind:
                pins.check(report, sizes.routed, few[0].calls)
            report.add(*figures(kind, few, many))
    return report


def figures(kind: str, few: Sequence[Routed], many: Sequence[Routed]) -> tuple[Figure, Figure]:
    """Both ratios; those of routers that learn have no target."""
    learns = kind in LEARNERS
    part = median([run.part for run in few])
    slow, fast = (median([run.per_call_us for run in runs]) for runs in (many, few))
    return (
        Figure(f"{kind}: routing of a call", part, "", None if learns else PART_MOST, True),
        Figure(f"{kind}: {MANY} models over {FEW}", slow / fast, "times",
               None if learns else GROWTH_MOST, True),
    )  # fmt: skip
