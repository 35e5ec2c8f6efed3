"""Pools whose models ask what a protocol says: floors, or a job's base price, times demand."""

from collections.abc import Sequence
from typing import Final, Protocol

from sim.chance import below, key, mix
from sim.facts import Reason, Task
from sim.models.endpoint import Call
from sim.models.pool import UNBOUNDED, Pool
from sim.protocols import Jobs
from sim.scenario.schema import Scenario
from sim.units import PPM, TOKENS_PER_MTOK, micros_from_usd_exact, times_tenths_ceil

PLAIN = 10
JOBS: Final = key("protocol/jobs")


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

    def signal_micros(self, task: Task, micros: int) -> int:
        """A floor times the multiplier, rounded up."""
        return times_tenths_ceil(micros, self.tenths[task.intent])

    def expected_costs(self, task: Task, models: Sequence[int]) -> list[int]:
        """Expected cost of an answer per model, the multiplier in it."""
        tenths = self.tenths[task.intent]
        found = super().expected_costs(task, models)
        return [times_tenths_ceil(cost, tenths) for cost in found]


class JobDesk(Protocol):
    """Who keeps the jobs of a run, and is told of them."""

    def opened(self, call: Call) -> None:
        """A call was made that is a job."""

    def ended(self, call: Call, charge_micros: int, fee_micros: int) -> None:
        """A call has ended, be it a job or not."""


class JobPool(FloorPool):
    """A `FloorPool` in which some tasks are on-chain jobs: one price, whoever answers.

    Which they are is a hash of each task's own draw, so that nobody else's are shifted. ``desk`` is
    to be told what becomes of them.
    """

    desk: JobDesk

    def __init__(self, scenario: Scenario) -> None:
        super().__init__(scenario)
        self._price(self._scenario)

    def adopt(self, scenario: Scenario) -> None:
        """As `Pool.adopt`; tasks are jobs, and cost, by the new rules from now on."""
        super().adopt(scenario)
        self._price(scenario)

    def _price(self, scenario: Scenario) -> None:
        rules = scenario.protocol.jobs if scenario.protocol else None
        self.rules = rules or Jobs()
        self.base_micros = micros_from_usd_exact(self.rules.base_price_usd)

    def job_micros(self, task: Task) -> int | None:
        """The base price times the intent's multiplier, rounded up; None for what is no job."""
        if not is_job(task.draw, self.rules.share_ppm):
            return None
        return times_tenths_ceil(self.base_micros, self.tenths[task.intent])

    def fitting(self, task: Task, group: int, purse_micros: int) -> tuple[Sequence[int], Reason]:
        """As `Pool.fitting`; for a job either every model that could serve it fits, or none."""
        price_micros = self.job_micros(task)
        if price_micros is None:
            return super().fitting(task, group, purse_micros)
        asked = task._replace(limit_micros=UNBOUNDED)
        found = Pool.fitting(self, asked, group, UNBOUNDED)
        if found[1] is Reason.NO_MODEL or price_micros <= min(task.limit_micros, purse_micros):
            return found
        dear = price_micros > task.limit_micros
        return (), Reason.MAX_PRICE if dear else Reason.NO_BUDGET

    def signal_micros(self, task: Task, micros: int) -> int:
        """As `FloorPool.signal_micros`; of a job, its price, whatever the floor."""
        price_micros = self.job_micros(task)
        return super().signal_micros(task, micros) if price_micros is None else price_micros

    def expected_costs(self, task: Task, models: Sequence[int]) -> list[int]:
        """As `FloorPool.expected_costs`; of a job, its price for all alike."""
        price_micros = self.job_micros(task)
        if price_micros is None:
            return super().expected_costs(task, models)
        return [price_micros * TOKENS_PER_MTOK] * len(models)


def is_job(draw: int, share_ppm: int) -> bool:
    """Whether a task of this draw is an on-chain job, where such a share of all tasks are."""
    return below(mix(draw, JOBS, 0), PPM) < share_ppm


def pool_of(scenario: Scenario) -> Pool:
    """The pool of a scenario: with a demand multiplier, and jobs, if its protocol has them."""
    protocol = scenario.protocol
    if protocol is None or protocol.pricing is None:
        return Pool(scenario)
    return FloorPool(scenario) if protocol.jobs is None else JobPool(scenario)
