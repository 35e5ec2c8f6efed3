"""Changing: the plan of agents whose ways an event changes; every task is seen through as begun."""

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from typing import ClassVar

from sim.agents.agent import Agent, Attempt, Desk, Plan
from sim.facts import Reason, Task


class Changing:
    """Several plans, each from its time on; a task is its plan's in whose time it was posted.

    So what has been begun goes by the terms under which it was begun. What agents have in mind is
    shared by the plans, and goes on.
    """

    remembers: ClassVar[bool] = True

    def __init__(self, starts_us: Sequence[int], plans: Sequence[Plan]) -> None:
        self.starts_us, self.plans = starts_us, plans

    def _at(self, time_us: int) -> Plan:
        return self.plans[bisect_right(self.starts_us, time_us) - 1]

    def turn(self, desk: Desk, agents: Iterable[Agent]) -> None:
        """As `Plan.turn`: to the plan whose time has come."""
        self._at(desk.clock.now).turn(desk, agents)

    def repeats(self, task: Task) -> int:
        """As `Plan.repeats`."""
        return self._at(task.posted_us).repeats(task)

    def posts(self, desk: Desk, agent: Agent) -> bool:
        """As `Plan.posts`."""
        return self._at(desk.clock.now).posts(desk, agent)

    def begin(self, desk: Desk, task_id: int, agent: Agent, task: Task) -> None:
        """As `Plan.begin`."""
        self._at(task.posted_us).begin(desk, task_id, agent, task)

    def fitting(
        self, desk: Desk, task_id: int, agent: Agent, attempt: int, task: Task, purse_micros: int
    ) -> tuple[Sequence[int], Reason]:
        """As `Plan.fitting`."""
        plan = self._at(task.posted_us)
        return plan.fitting(desk, task_id, agent, attempt, task, purse_micros)

    def refused(
        self, desk: Desk, task_id: int, agent: Agent, attempt: int, task: Task, reason: Reason
    ) -> None:
        """As `Plan.refused`."""
        self._at(task.posted_us).refused(desk, task_id, agent, attempt, task, reason)

    def made(self, call: Attempt) -> None:
        """As `Plan.made`."""
        self._at(call.task.posted_us).made(call)

    def recall(self, desk: Desk, call: Attempt) -> int:
        """As `Plan.recall`."""
        return self._at(call.task.posted_us).recall(desk, call)

    def after(self, desk: Desk, call: Attempt, reason: Reason, charge_micros: int) -> None:
        """As `Plan.after`."""
        self._at(call.task.posted_us).after(desk, call, reason, charge_micros)

    def again(self, desk: Desk, call: Attempt) -> Task | None:
        """As `Plan.again`."""
        return self._at(call.task.posted_us).again(desk, call)

    def lost(self, desk: Desk, call: Attempt) -> None:
        """As `Plan.lost`."""
        self._at(call.task.posted_us).lost(desk, call)

    def strand(self, desk: Desk, calls: Iterable[Attempt]) -> None:
        """As `Plan.strand`, each of its own tasks."""
        flying = list(calls)
        for plan in self.plans:
            mine = (call for call in flying if self._at(call.task.posted_us) is plan)
            plan.strand(desk, mine)
