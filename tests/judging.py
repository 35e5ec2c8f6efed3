"""A world after its run, with its record, and the laws that a record breaks."""

from sim.laws import Evidence, check
from sim.metrics import figures
from sim.record.frames import Frames
from sim.scenario import Scenario
from sim.world import World
from tests.scenarios_for_tests import record


def run_of(what: Scenario) -> tuple[World, Frames]:
    """A world after its run, and its record."""
    world = World(what)
    world.run()
    return world, record(world)


def broken_laws(world: World, frames: Frames) -> list[str]:
    """The names of the laws that a record breaks."""
    told = figures(frames)
    verdicts = check(Evidence.gather(frames, told, told, None, world.ledger))
    return [name for name, law in verdicts.items() if not law.ok]
