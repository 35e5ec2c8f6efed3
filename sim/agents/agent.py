"""Agents: who posts tasks, with which purse, and what a plan for them can do."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import ClassVar, Protocol

from sim.agents.memory import Host
from sim.clock import Clock
from sim.facts import Decision, Outcome, Reason, Task
from sim.routers import MarketPool


@dataclass(frozen=True, slots=True)
class Own:
    """An attempt that an agent's own machines take."""

    task_id: int
    agent: "Agent"
    attempt: int
    task: Task
    started_us: int


class Served(Protocol):
    """Of a model, what a plan needs to know."""

    @property
    def index(self) -> int:
        """Its position in the scenario."""
        ...


class Attempt(Protocol):
    """A call, as the plan of its agent sees it."""

    task_id: int
    agent: "Agent"
    attempt: int
    task: Task
    quote_micros: int
    posted_us: int

    @property
    def model(self) -> Served:
        """The model it has gone to."""
        ...


class Pool(MarketPool, Protocol):
    """What a plan may know of the models."""

    def fitting(self, task: Task, group: int, purse_micros: int) -> tuple[Sequence[int], Reason]:
        """Models that could serve a task now, or why there are none."""
        ...

    def serving(self, group: int, intent: int) -> Sequence[int]:
        """Models that may serve a group's intent, busy or down though they may be."""
        ...

    def own(self, model: int, slots: int) -> Host:
        """A model on an agent's own machines."""
        ...


class Desk(Protocol):
    """What a plan may ask of the market."""

    clock: Clock

    @property
    def pool(self) -> Pool:
        """The models."""
        ...

    def attempt(self, task_id: int, agent: "Agent", attempt: int, task: Task) -> None:
        """Asks for one answer; ends in `Plan.after` or in `Plan.refused`, perhaps at once."""
        ...

    def end_task(
        self, task_id: int, agent: "Agent", calls: int, task: Task, outcome: Outcome, reason: Reason
    ) -> None:
        """Ends a task after so many calls."""
        ...

    def host_answered(self, own: Own, model: int, output_tokens: int, reason: Reason) -> None:
        """Puts an answer of an agent's own machines on record."""
        ...

    def note(self, agent: "Agent", decision: Decision, model: int) -> None:
        """Puts on record what an agent has decided, now, about a model or (-1) the market."""
        ...


class Plan(Protocol):
    """How the agents of a group go about their tasks.

    Of every task, each attempt is `begin`'s or `after`'s; each is either `refused` or made a call,
    and `after` is told how that ended: or, where the router has another model take over a call that
    was lost, how that one's did.
    """

    remembers: ClassVar[bool]
    """Whether it is asked to `recall` what a model has of a session's prompts."""

    def turn(self, desk: Desk, agents: Iterable["Agent"]) -> None:
        """A phase begins in which its agents, these, go about new tasks in another way."""
        ...

    def repeats(self, task: Task) -> int:
        """How often an answer to a task may be asked for again."""
        ...

    def posts(self, desk: Desk, agent: "Agent") -> bool:
        """Whether an agent posts the task it is about to."""
        ...

    def begin(self, desk: Desk, task_id: int, agent: "Agent", task: Task) -> None:
        """A task has been posted."""
        ...

    def fitting(
        self, desk: Desk, task_id: int, agent: "Agent", attempt: int, task: Task, purse_micros: int
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

    def recall(self, desk: Desk, call: Attempt) -> int:
        """Prompt tokens of a call about to be served that its model has in its cache."""
        ...

    def after(self, desk: Desk, call: Attempt, reason: Reason, charge_micros: int) -> None:
        """A call has ended, for a reason, at a charge."""
        ...

    def again(self, desk: Desk, call: Attempt) -> Task | None:
        """What a call that was lost may ask of another model; None if nothing is wanted any more.

        That is its own task, within the budgets as they are once its hold is back.
        """
        ...

    def lost(self, desk: Desk, call: Attempt) -> None:
        """Another model takes over a call that was lost: as if that had never been made."""
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
    plan: Plan
    tasks: Iterator[Task]
