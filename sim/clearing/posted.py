"""Posted price: the router picks, the model's quote is held, its tariff makes the charge."""

from collections.abc import Sequence
from typing import ClassVar

from sim.agents import Agent
from sim.clearing.types import Floor, Offer
from sim.facts import Reason, Task
from sim.mechanisms import Ask
from sim.models import Call, Endpoint, requeue
from sim.scenario.schema import Scenario


class PostedPrice:
    """Tasks one by one, as they are posted; who waits for a slot is served in the queue's order."""

    unserved: ClassVar = Reason.DEADLINE

    def __init__(self, floor: Floor) -> None:
        self.floor, self.pool = floor, floor.pool

    def offer(
        self, agent: Agent, task: Task, attempt: int, models: Sequence[int],
        behind: int | None = None,
    ) -> Offer | Reason:  # fmt: skip
        """The router's pick at its quote, which the agent takes."""
        del agent
        if behind is None:
            behind = self.floor.router.pick(task, attempt, models, self.pool)
        model = self.pool.endpoints[behind]
        quote_micros = model.quote_micros(task)
        return model, quote_micros, quote_micros, quote_micros, None

    def asks(self, task: Task, models: Sequence[int]) -> list[Ask]:
        """What each model asks, with the validators' score."""
        ends, scores = self.pool.endpoints, self.pool.scores[task.intent]
        return [Ask(model, ends[model].least_micros(task), scores[model]) for model in models]

    def enter(self, call: Call) -> bool:
        """Served at once if a slot is free."""
        if len(call.model.serving) < call.model.slots:
            self.floor.serve(call)
            return True
        return False

    def slot_freed(self, model: Endpoint) -> None:
        """The next in the queue, while there are slots."""
        in_flight = self.floor.in_flight
        while model.queue and len(model.serving) < model.slots:
            call = model.queue.popleft()
            if call.id in in_flight:
                self.floor.serve(call)

    def ended(self, call: Call, charge_micros: int, success: bool) -> None:
        """Nobody has to be told."""

    def adopt(self, scenario: Scenario) -> None:
        """Who waits is served in the order of the queue that a model has now."""
        for model in self.pool.endpoints:
            requeue(model, scenario)
