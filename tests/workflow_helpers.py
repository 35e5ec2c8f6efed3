"""Groups whose tasks take several steps, and their answers as readable rows."""

from collections.abc import Iterable, Mapping

import polars as pl

from sim.facts import Task
from sim.laws import Evidence, check
from sim.metrics import figures
from sim.record.frames import Frames
from sim.scenario import Scenario
from sim.world import World
from tests.scenarios_for_tests import (
    CHAT,
    CODE,
    demand,
    group,
    model,
    play,
    record,
    scenario,
    seconds,
)

PLAIN = {"input_tokens": {"median": 500}, "output_tokens": {"median": 50}}
FLOW: Mapping[str, object] = {
    "plan": {"input_tokens": {"median": 2000, "sigma": 0.5}, "output_tokens": {"median": 300}},
    "write": {"after": ["plan"], "clones": 4, "intent": CODE, "extra_difficulty": {"sigma": 0.3}},
    "test": {
        "after": ["write"],
        "tool_wait_s": {"median_s": 5, "sigma": 0.3},
        "repeats": 0,
        "revise": {"back_to": "write", "at_most": 2},
    },
    "docs": {"after": ["plan"], "repeats": 1},
}
SUPPLY: Mapping[str, object] = {"m": model(quality={CHAT: 0.7, CODE: 0.7})}


def works(flow: Mapping[str, object], **changes: object) -> dict[str, object]:
    """A group whose tasks take these steps."""
    base: dict[str, object] = {"intents": {CHAT: demand() | {"workflow": flow}}, "deadline_s": 600}
    return group(60, **(base | changes))


def studio(
    flow: Mapping[str, object], models: Mapping[str, object] = SUPPLY, **changes: object
) -> Scenario:
    """One agent whose tasks take these steps."""
    return scenario(dict(models), {"a": works(flow, **changes)})


def answers(frames: Frames) -> list[str]:
    """Each call as ``step.clone.attempt model posted finished reason``, by time."""
    ordered = frames.calls.sort("posted_us", "step", "clone", maintain_order=True)
    return [
        f"{row['step']}.{row['clone']}.{row['attempt']} {row['model']}"
        f" {seconds(row['posted_us'])} {seconds(row['finished_us'])} {row['reason']}"
        for row in ordered.iter_rows(named=True)
    ]


def broken(world: World, frames: Frames) -> dict[str, str]:
    """The laws that do not hold, with what was found."""
    told = figures(frames)
    verdicts = check(Evidence.gather(frames, told, told, None, world.ledger))
    return {name: law.found for name, law in verdicts.items() if not law.ok}


def played(what: Scenario, *tasks: Iterable[Task], stop_s: float | None = None) -> Frames:
    """The record after just these tasks."""
    return record(play(what, *tasks, stop_s=stop_s))


def lawful(what: Scenario, stop_s: float | None = None) -> Frames:
    """The record of a run in which all laws held."""
    world = World(what)
    if stop_s is not None:
        world.clock.after(round(stop_s * 10**6), lambda _: world.stop(), None)
    world.run()
    frames = record(world)
    assert not broken(world, frames)
    return frames


def outcomes(frames: Frames) -> dict[str, int]:
    """How many tasks ended how, as ``outcome reason``."""
    named = pl.concat_str(pl.col("outcome").cast(pl.String), pl.lit(" "), pl.col("reason"))
    return dict(frames.tasks.select(named.alias("end"))["end"].value_counts().sort("end").rows())
