"""Agents: who posts tasks, with which purse, and what a plan for them can do."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from sim.facts import Outcome, Reason, Task


class Attempt(Protocol):
    """A call, as the plan of its agent sees it."""

    task_id: int
    agent: "Agent"
    attempt: int
    task: Task
    quote_micros: int


class Pool(Protocol):
    """What a plan may know of the models."""

    def fitting(self, task: Task, group: int, purse_micros: int) -> tuple[Sequence[int], Reason]:
        """Models that could serve a task now, or why there are none."""
        ...


class Desk(Protocol):
    """What a plan may ask of the market."""

    @property
    def now_us(self) -> int:
        """The present time."""
        ...

    def attempt(self, task_id: int, agent: "Agent", attempt: int, task: Task) -> None:
        """Asks for one answer; ends in `Plan.after` or in `Plan.refused`, perhaps at once."""
        ...

    def end_task(
        self, task_id: int, agent: "Agent", calls: int, task: Task, outcome: Outcome, reason: Reason
    ) -> None:
        """Ends a task after so many calls."""
        ...


class Plan(Protocol):
    """How the agents of a group go about their tasks.

    Of every task, each attempt is `begin`'s or `after`'s; each is either `refused` or made a call,
    and `after` is told how that ended.
    """

    def begin(self, desk: Desk, task_id: int, agent: "Agent", task: Task) -> None:
        """A task has been posted."""
        ...

    def fitting(
        self, pool: Pool, task_id: int, agent: "Agent", attempt: int, task: Task, purse_micros: int
    ) -> tuple[Sequence[int], Reason]:
        """The models that an attempt may go to, in the scenario's order; if none, why."""
        ...

    def refused(
        self, desk: Desk, task_id: int, agent: "Agent", attempt: int, task: Task, reason: Reason
    ) -> None:
        """No model could be had for an attempt."""
        ...

    def made(self, call: Attempt) -> None:
        """An attempt has become a call: its quote is held."""
        ...

    def after(self, desk: Desk, call: Attempt, reason: Reason, charge_micros: int) -> None:
        """A call has ended, for a reason, at a charge."""
        ...

    def strand(self, desk: Desk, calls: Iterable[Attempt]) -> None:
        """The run was interrupted with these of its calls in flight: its open tasks end so."""
        ...


@dataclass(frozen=True, slots=True)
class Agent:
    """One agent: its position among all agents, its group's position, its purse, plan and tasks.

    ``tasks`` never ends; its times never fall.
    """

    index: int
    group: int
    name: str
    budget_micros: int
    retries: int
    plan: Plan
    tasks: Iterator[Task]
