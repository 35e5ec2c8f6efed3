"""What a group's tasks are like: their sizes, how hard they are, and the steps they take."""

from typing import Annotated

from pydantic import Field

from sim.parameters import NonNegative, Parameters, Positive
from sim.scenario.names import InOrder, Name

CLONES_MAX = 100


class Size(Parameters):
    """A lognormal size in tokens: its median and the standard deviation of its logarithm."""

    median: Positive = Field(le=10_000_000)
    sigma: Annotated[float, Field(ge=0, le=5)] = 0.0


class Difficulty(Parameters):
    """Normal difficulty; the reference mix, by which quality is measured, has mean 0, sigma 1."""

    mean: float = Field(default=0.0, ge=-20, le=20)
    sigma: NonNegative = Field(default=1.0, le=20)


class ExtraDifficulty(Parameters):
    """What a step is harder than its task: normal, each clone's its own; nothing by default."""

    mean: float = Field(default=0.0, ge=-20, le=20)
    sigma: NonNegative = Field(default=0.0, le=20)


class Wait(Parameters):
    """A lognormal time: its median and the standard deviation of its logarithm."""

    median_s: Positive = Field(le=1e9)
    sigma: Annotated[float, Field(ge=0, le=5)] = 0.0


class Revise(Parameters):
    """Where a workflow goes back to when a step's answers stay wrong, and how often at most."""

    back_to: Name
    at_most: Annotated[int, Field(ge=1, le=100, strict=True)] = 1


class Step(Parameters):
    """One step of a workflow: an answer, or several at once, each by a call of its own.

    Args:
        after: the steps that must have succeeded before it starts; none, and it starts at once.
        intent: what it asks for; the task's own intent when left out.
        input_tokens, output_tokens: what it adds to the session's prompt, and the reference answer;
            as the task was drawn when left out.
        extra_difficulty: what it is harder than its task.
        clones: how many like it run in parallel; it has succeeded when all have.
        tool_wait_s: how long tools run before it starts.
        repeats: how often a wrong or lost answer is asked for again; the group's ``retries`` when
            left out.
        revise: what happens once these have run out, instead of giving the task up.
    """

    after: tuple[Name, ...] = ()
    intent: str | None = None
    input_tokens: Size | None = None
    output_tokens: Size | None = None
    extra_difficulty: ExtraDifficulty = ExtraDifficulty()
    clones: Annotated[int, Field(ge=1, le=CLONES_MAX, strict=True)] = 1
    tool_wait_s: Wait | None = None
    repeats: Annotated[int, Field(ge=0, le=100, strict=True)] | None = None
    revise: Revise | None = None


Workflow = Annotated[dict[Name, Step], Field(max_length=100), InOrder]


class Demand(Parameters):
    """One intent within a group: its share of the tasks, how large and hard they are, their steps.

    Without a ``workflow`` one answer is all a task needs.
    """

    share: Positive = Field(default=1.0, ge=1e-6, le=1e6)
    input_tokens: Size
    output_tokens: Size
    difficulty: Difficulty = Difficulty()
    workflow: Workflow = {}

    @property
    def answers(self) -> int:
        """How many answers a task needs."""
        return sum(step.clones for step in self.workflow.values()) or 1
