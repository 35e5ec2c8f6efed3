"""Plans: how agents go about a task, from posting it to its end."""

from collections.abc import Iterable, Sequence

from sim.agents.agent import Agent, Attempt, Desk, Plan, Pool
from sim.facts import Outcome, Reason, Task
from sim.scenario.schema import Group


class Retry:
    """One answer is all a task needs; a wrong or lost one is asked for again, some times.

    Nothing is kept between calls: whatever is to be known stands in the call.
    """

    __slots__ = ("retries",)

    def __init__(self, retries: int) -> None:
        self.retries = retries

    def begin(self, desk: Desk, task_id: int, agent: Agent, task: Task) -> None:
        """Asks for the answer."""
        desk.attempt(task_id, agent, 0, task)

    def fitting(
        self, pool: Pool, task_id: int, agent: Agent, attempt: int, task: Task, purse_micros: int
    ) -> tuple[Sequence[int], Reason]:
        """Whatever the pool has."""
        return pool.fitting(task, agent.group, purse_micros)

    def refused(
        self, desk: Desk, task_id: int, agent: Agent, attempt: int, task: Task, reason: Reason
    ) -> None:
        """The end of the task."""
        outcome = Outcome.FAILED if attempt else Outcome.REJECTED
        desk.end_task(task_id, agent, attempt, task, outcome, reason)

    def made(self, call: Attempt) -> None:
        """Nothing to be noted: the ledger keeps the purse."""

    def after(self, desk: Desk, call: Attempt, reason: Reason, charge_micros: int) -> None:
        """Done, once more, or given up."""
        agent, attempt, task = call.agent, call.attempt + 1, call.task
        if reason is Reason.NONE:
            outcome = Outcome.SUCCEEDED
        elif reason is Reason.LATE or desk.now_us >= task.deadline_us:
            outcome = Outcome.EXPIRED
        elif attempt <= self.retries and reason is not Reason.BELIEVED:
            desk.attempt(call.task_id, agent, attempt, task)
            return
        else:
            outcome = Outcome.FAILED
        desk.end_task(call.task_id, agent, attempt, task, outcome, reason)

    def strand(self, desk: Desk, calls: Iterable[Attempt]) -> None:
        """Each call is all that is under way of its task."""
        for call in calls:
            desk.end_task(
                call.task_id, call.agent, call.attempt + 1, call.task, Outcome.OPEN,
                Reason.INTERRUPTED,
            )  # fmt: skip


def plan_of(group: Group) -> Plan:
    """The plan of a group's agents."""
    return Retry(group.retries)
