"""Progress: how far one task is, part by part."""

from sim.agents.agent import Agent
from sim.agents.flow import Flow, Part
from sim.agents.memory import Session
from sim.facts import Outcome, Reason, Task


class Progress:
    """How far one task is.

    Args:
        session: the one its calls belong to.

    ``pending`` counts what it waits for: answers, tools; ``calls`` those of the market, ``answers``
    those of its agent's own machines too. ``giving`` parts wait for their last answers to go back
    to an earlier one. Once ``outcome`` is set, nothing more is
    asked for, and the task ends when nothing is pending. ``spent_micros`` has holds in it.
    """

    __slots__ = (
        "agent", "answers", "asked", "attempts", "busy", "calls", "contexts", "done", "flow",
        "giving", "left",
        "outcome", "pending", "reason", "rounds", "session", "spent_micros", "started", "task",
        "task_id", "tries",
    )  # fmt: skip

    def __init__(
        self, task_id: int, agent: Agent, task: Task, flow: Flow, session: Session
    ) -> None:
        self.task_id, self.agent, self.task = task_id, agent, task
        self.flow, self.session = flow, session
        parts = range(len(flow.parts))
        self.attempts = [[0] * part.step.clones for part in flow.parts]
        self.tries = [[0] * part.step.clones for part in flow.parts]
        self.left = [part.step.clones for part in flow.parts]
        self.busy = [0 for _ in parts]
        self.started = [False for _ in parts]
        self.done = [False for _ in parts]
        self.rounds = [0 for _ in parts]
        self.contexts: list[int | None] = [None for _ in parts]
        self.giving = [False for _ in parts]
        self.pending = self.calls = self.answers = self.asked = self.spent_micros = 0
        self.outcome: Outcome | None = None
        self.reason = Reason.NONE

    def fail(self, outcome: Outcome, reason: Reason) -> None:
        """The task is lost; the first cause stands."""
        if self.outcome is None:
            self.outcome, self.reason = outcome, reason

    def next_task(self, index: int, clone: int) -> tuple[int, Task]:
        """The next attempt at a clone of a part, and what is asked."""
        attempt = self.attempts[index][clone]
        self.attempts[index][clone] += 1
        self.tries[index][clone] += 1
        self.asked += 1
        return attempt, self.peek(index, clone, attempt)

    def peek(self, index: int, clone: int, attempt: int) -> Task:
        """What is asked at an attempt."""
        context = self.contexts[index]
        if context is None:
            context = self.contexts[index] = self.flow.context_of(self.task, index)
        return self.flow.task_of(self.task, index, clone, attempt, context)

    def ready(self, index: int) -> bool:
        """Whether a part has not started, and all it waits for has succeeded."""
        if self.started[index]:
            return False
        return all(self.done[other] for other in self.flow.parts[index].before)

    def go_back(self, part: Part) -> None:
        """Undoes the parts that are to be done again."""
        for index in part.back:
            again = self.flow.parts[index]
            self.done[index] = self.started[index] = False
            self.left[index] = again.step.clones
            self.tries[index] = [0] * again.step.clones

    @property
    def all_done(self) -> bool:
        """Whether every part has succeeded."""
        return all(self.done)
