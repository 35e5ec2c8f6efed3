"""The auction whose winner may owe: models report cost and quality, and post a bond."""

from collections.abc import Sequence

from sim.agents import Agent
from sim.clearing.reverse import ReverseAuction
from sim.clearing.types import Floor, Offer
from sim.facts import Reason, Task
from sim.mechanisms import Ask, ExecutionContingent
from sim.models import Call
from sim.scenario.schema import Scenario
from sim.units import micros_from_usd_exact, ppm_nearest, share_floor


class BondedAuction(ReverseAuction):
    """One auction per task; the quality that counts is the one a model declares.

    ``cover`` is what each model can still be made to pay: its bond and earnings, less what it has
    paid and what it may owe for calls under way.
    """

    def __init__(self, rule: ExecutionContingent, scenario: Scenario, floor: Floor) -> None:
        super().__init__(rule, floor)
        self.cover = [micros_from_usd_exact(rule.bond_usd)] * len(scenario.models)
        self._declare(scenario)

    def adopt(self, scenario: Scenario) -> None:
        """As in `ReverseAuction`; who declares nothing else declares the quality it has now."""
        super().adopt(scenario)
        self._declare(scenario)

    def _declare(self, scenario: Scenario) -> None:
        self.declared = [
            [
                ppm_nearest(model.declared_quality.get(name, model.quality.get(name, 0.0)))
                for model in scenario.models.values()
            ]
            for name in scenario.intents
        ]

    def asks(self, task: Task, models: Sequence[int]) -> list[Ask]:
        """What each model asks and declares."""
        ends, declared = self.pool.endpoints, self.declared[task.intent]
        return [Ask(model, ends[model].ask_micros(task), declared[model]) for model in models]

    def offer(
        self, agent: Agent, task: Task, attempt: int, models: Sequence[int],
        behind: int | None = None,
    ) -> Offer | Reason:  # fmt: skip
        """The award, among models that can pay what they may owe."""
        solvent = [model for model in models if self.cover[model] >= task.value_micros]
        found = super().offer(agent, task, attempt, solvent, behind)
        if not isinstance(found, Reason) and found[4] is not None:
            self.cover[found[0].index] -= found[4].owed_micros
        return found

    def ended(self, call: Call, charge_micros: int, success: bool) -> None:
        """What may be owed is owed, or no longer; earnings cover the next call."""
        del success
        owed_micros = call.terms.owed_micros if call.terms is not None else 0
        earned_micros = charge_micros - share_floor(charge_micros, self.floor.rail.fee_bps)
        self.cover[call.model.index] += owed_micros - call.slash_micros + earned_micros
