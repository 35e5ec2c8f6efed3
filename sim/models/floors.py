"""A pool whose models ask their floors times a demand multiplier, which the protocol sets."""

from collections.abc import Sequence

from sim.facts import Reason, Task
from sim.models.answer import Answer
from sim.models.pool import Pool
from sim.scenario.schema import Scenario
from sim.units import times_tenths_ceil

PLAIN = 10


class FloorPool(Pool):
    """Quotes of an intent are its models' floors times its ``tenths`` / 10, rounded up."""

    def fitting(self, task: Task, group: int, purse_micros: int) -> tuple[Sequence[int], Reason]:
        """Models whose floors fit what limit and purse allow for: both over the multiplier.

        floor * tenths / 10, rounded up, is within a limit just if floor <= limit * 10 // tenths.
        """
        tenths = self.tenths[task.intent]
        if tenths != PLAIN:
            task = task._replace(limit_micros=task.limit_micros * PLAIN // tenths)
            purse_micros = purse_micros * PLAIN // tenths
        return super().fitting(task, group, purse_micros)

    def list_charge(self, model: int, task: Task, answer: Answer) -> int:
        """As `Pool.list_charge`, the multiplier in it."""
        return times_tenths_ceil(super().list_charge(model, task, answer), self.tenths[task.intent])

    def expected_costs(self, task: Task, models: Sequence[int]) -> list[int]:
        """Expected cost of an answer per model, the multiplier in it."""
        tenths = self.tenths[task.intent]
        found = super().expected_costs(task, models)
        return [times_tenths_ceil(cost, tenths) for cost in found]


def pool_of(scenario: Scenario) -> Pool:
    """The pool of a scenario: with a demand multiplier, if its protocol has one."""
    protocol = scenario.protocol
    priced = protocol is not None and protocol.pricing is not None
    return FloorPool(scenario) if priced else Pool(scenario)
