"""The protocol's speed: all of Telegraph's rules on bench-20, against bench-20 without them."""

from functools import partial

from benchmarks.market import Run, market
from benchmarks.measuring import alternating, median, timed
from benchmarks.reports import CountError, Figure, Pins, Report
from benchmarks.sizes import AGENTS, BENCH_20, Sizes
from sim.record import Columns
from sim.scenario import Scenario, load
from sim.scenario.library import FOLDERS
from sim.scenario.reading import read_file
from sim.scenario.tree import Branch, plain
from sim.units import US_PER_DAY
from sim.world import World

MODELS = [f"m{number:02}" for number in range(1, 21)]
DAYS = 30
MONTH_CALLS = 300_000
MONTH_LIMIT_S = 60.0


def genesis(changes: dict[str, object]) -> Scenario:
    """bench-20 under the preset telegraph-genesis, its models asking floors of 0.01 to 0.20."""
    tree, _ = read_file(FOLDERS["presets"] / "telegraph-genesis.yaml")
    rules = plain(tree)
    assert isinstance(tree, Branch)
    assert isinstance(rules, dict)
    floors = {
        f"models.{name}.price": {"kind": "per_call", "usd_per_call": f"0.{number:02}"}
        for number, name in enumerate(MODELS, 1)
    }
    return load(BENCH_20, {**rules, **floors, "chain.backend": "none", **changes})


def month(sizes: Sizes) -> Scenario:
    """Thirty days in which the same 200 agents make about 300,000 calls; a day in small sizes."""
    days = DAYS if sizes.busier == 1 else 1
    rate = sum(count * per_hour for count, per_hour in AGENTS.values())
    slower = MONTH_CALLS / 1.15 / (DAYS * 24 * rate)
    rates = {
        f"groups.{group}.arrival.per_hour": per_hour * slower
        for group, (_, per_hour) in AGENTS.items()
    }
    return genesis({**rates, "tasks": None, "horizon_h": days * 24})


def protocol(sizes: Sizes, pins: Pins) -> Report:
    """Calls per second under all of Telegraph's rules over those without; and a month of them."""
    del pins
    report, changes = Report(), dict[str, object](sizes.changes(sizes.small))
    plain_runs, ruled = alternating(
        sizes.rounds,
        partial(market, load(BENCH_20, changes)),
        partial(market, genesis(changes)),
    )
    speeds = [median([one.calls_per_s for one in runs]) for runs in (plain_runs, ruled)]
    report.add(
        Figure("64 validators over none", speeds[1] / speeds[0], "times", target=0.5),
        Figure("64 validators", speeds[1], "calls/s"),
        Figure("without protocol", speeds[0], "calls/s"),
    )
    found = _month(sizes)
    report.add(
        Figure("thirty days", found.seconds.cpu, "s", target=MONTH_LIMIT_S, at_most=True),
        Figure("calls of the thirty days", found.calls, "calls"),
    )
    return report


def _month(sizes: Sizes) -> Run:
    scenario = month(sizes)
    world = World(scenario)
    history, seconds = timed(world.run)
    assert world.course is not None
    assert scenario.horizon_h is not None
    days = history.duration_us // US_PER_DAY
    if days < scenario.horizon_h // 24:
        raise CountError(f"days: found {days}, needed {scenario.horizon_h // 24:g}")
    return Run(len(Columns(history).calls), "", 0, 0, seconds)
