"""Posted price under a protocol: the router's pick at its floor times the demand multiplier."""

from collections.abc import Sequence

from sim.agents import Agent
from sim.clearing.posted import PostedPrice
from sim.clearing.types import Offer
from sim.facts import Reason, Task
from sim.mechanisms import Ask
from sim.models import Terms


class DemandPrice(PostedPrice):
    """As `PostedPrice`; what is quoted is charged, whatever the multiplier is by then."""

    def asks(self, task: Task, models: Sequence[int]) -> list[Ask]:
        """What each model asks at the signal price, with the validators' score."""
        signal_micros = self.pool.signal_micros
        return [
            each._replace(ask_micros=signal_micros(task, each.ask_micros))
            for each in super().asks(task, models)
        ]

    def offer(
        self, agent: Agent, task: Task, attempt: int, models: Sequence[int],
        behind: int | None = None,
    ) -> Offer | Reason:  # fmt: skip
        """The router's pick at the signal price."""
        del agent
        if behind is None:
            behind = self.floor.router.pick(task, attempt, models, self.pool)
        model = self.pool.endpoints[behind]
        price = self.pool.signal_micros(task, model.quote_micros(task))
        return model, price, price, price, Terms(price, price if self.floor.pay_any else None)
