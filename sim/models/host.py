"""Hosts: an open model on an agent's own machines, with slots of its own and no price a call."""

from collections.abc import Callable
from typing import NamedTuple

from sim.clock import Clock
from sim.facts import Task
from sim.models.answer import Answer
from sim.models.endpoint import Endpoint

Price = Callable[[Task, Answer], int]
"""What the market would charge for an answer that it quoted for now, in micros."""


class HostedAnswer(NamedTuple):
    """An answer, and what the market would have charged for it."""

    right: bool
    output_tokens: int
    market_micros: int


class Host:
    """The model answers here as it does in the market: the weights are the same."""

    def __init__(self, endpoint: Endpoint, slots: int, price: Price) -> None:
        self._endpoint, self._free, self._price = endpoint, slots, price
        self.model = endpoint.index

    def takes(self, task: Task) -> bool:
        """Whether it serves the task and a slot is free."""
        endpoint = self._endpoint
        return self._free > 0 and task.intent in endpoint.abilities and endpoint.holds_context(task)

    def ask(
        self, clock: Clock, task: Task, attempt: int, then: Callable[[HostedAnswer], None]
    ) -> None:
        """Occupies a slot until the answer, which goes to ``then``."""
        answer = self._endpoint.answer(task, attempt)
        market_micros = self._price(task, answer)
        self._free -= 1

        def done(hosted: HostedAnswer) -> None:
            self._free += 1
            then(hosted)

        hosted = HostedAnswer(answer.right, answer.output_tokens, market_micros)
        clock.after(answer.service_us, done, hosted)
