"""The run once more up to one call, with what its mechanism was shown written down."""

from collections.abc import Sequence

from sim.agents import Agent
from sim.clearing import Offer
from sim.facts import LawError, Reason, Task
from sim.mechanisms import Ask
from sim.models import Call, Endpoint
from sim.scenario import Scenario
from sim.world import World


class Watch:
    """A world that is run until a call is about to be made, with what its mechanism was shown.

    It stands before the mechanism, and hands everything on to it.
    """

    def __init__(self, scenario: Scenario, call: int) -> None:
        self.call = call
        self.task: Task
        self.picked, self.attempt, self.time_us = -1, -1, -1
        self.world = World(scenario)
        self.clearing = self.world.market.clearing
        self.unserved = self.clearing.unserved
        self.world.market.clearing = self
        self.shown: dict[int, tuple[int, int, bool, bool, int]] = {}
        self.asked: dict[int, int] = {}
        self.offered: Sequence[int] = ()
        self.bids: tuple[int, ...] = ()
        self.free: list[int] = []
        self.scores: list[int] = []
        self.world.run()
        if self.picked < 0:
            made = f"{self.world.market.calls_made} calls"
            raise LawError("same_seed_same_record", made, f"call {call}")

    def offer(
        self, agent: Agent, task: Task, attempt: int, models: Sequence[int],
        behind: int | None = None,
    ) -> Offer | Reason:  # fmt: skip
        """The mechanism's own offer; at the call that is watched, everything is written down."""
        found = self.clearing.offer(agent, task, attempt, models, behind)
        world, pool = self.world, self.world.pool
        if world.market.calls_made == self.call and not isinstance(found, Reason):
            self.task, self.attempt, self.time_us = task, attempt, world.clock.now
            self.picked = found[0].index
            able = [each.index for each in pool.endpoints if task.intent in each.abilities]
            self.asked = {ask.model: ask.ask_micros for ask in self.asks(task, able)}
            self.offered = tuple(models)
            self.bids = tuple(waiting.bid_micros for waiting in found[0].queue)
            self.free, self.scores = list(world.ledger.free), list(pool.scores[task.intent])
            self.shown = {
                e.index: (e.occupied, e.room, e.up, e.limited, e.slots) for e in pool.endpoints
            }
            world.stop()
        return found

    def asks(self, task: Task, models: Sequence[int]) -> list[Ask]:
        """What each model asks."""
        return self.clearing.asks(task, models)

    def enter(self, call: Call) -> bool:
        """A call was made."""
        return self.clearing.enter(call)

    def slot_freed(self, model: Endpoint) -> None:
        """A slot is free."""
        self.clearing.slot_freed(model)

    def ended(self, call: Call, charge_micros: int, success: bool) -> None:
        """A call has ended."""
        self.clearing.ended(call, charge_micros, success)

    def adopt(self, scenario: Scenario) -> None:
        """A phase begins."""
        self.clearing.adopt(scenario)
