"""Auctions among models: every model that fits asks, and the mechanism awards the task."""

from collections.abc import Sequence

from sim.agents import Agent
from sim.clearing.asked import Asked
from sim.clearing.posted import PostedPrice
from sim.clearing.types import Floor, Offer
from sim.facts import Reason, Task
from sim.mechanisms import ExecutionContingent, PayPerSuccess, ReverseFirst, ReverseSecond, Scoring
from sim.models import Call, Terms
from sim.scenario.schema import Scenario
from sim.units import net_floor

Rule = ReverseFirst | ReverseSecond | Scoring | PayPerSuccess | ExecutionContingent


class ReverseAuction(PostedPrice):
    """One auction per task, as it is posted; the award is held. No router is asked.

    Of what a model has to pay, the fee spares it the same share that it takes of what it is paid.
    """

    def __init__(self, rule: Rule, floor: Floor) -> None:
        super().__init__(floor)
        self.rule = rule
        self.asked = Asked(floor)

    def enter(self, call: Call) -> bool:
        """Served at once if a slot is free."""
        self.asked.note(call)
        return super().enter(call)

    def adopt(self, scenario: Scenario) -> None:
        """As in `PostedPrice`; tasks are awarded by the rule's new parameters."""
        super().adopt(scenario)
        self.asked.adopt()
        if isinstance(scenario.mechanism, Rule):
            self.rule = scenario.mechanism

    def offer(
        self, agent: Agent, task: Task, attempt: int, models: Sequence[int],
        behind: int | None = None,
    ) -> Offer | Reason:  # fmt: skip
        """The award; `Reason.RESERVE` if no ask is low enough for what the task is worth."""
        del attempt, behind
        floor = self.floor
        limit_micros = min(task.limit_micros, floor.ledger.free[agent.index])
        cap_micros = self.rule.cap_micros(limit_micros)
        award = self.rule.award(
            self.asks(task, models), task.value_micros, cap_micros, floor.pay_any
        )
        if award is None:
            return Reason.RESERVE
        owed_micros = net_floor(award.owed_micros, floor.rail.fee_bps)
        terms = Terms(award.right_micros, award.wrong_micros, owed_micros)
        model, ask_micros = self.pool.endpoints[award.ask.model], award.ask.ask_micros
        return model, award.right_micros, cap_micros, ask_micros, terms
