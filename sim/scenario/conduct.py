"""How the agents of a group go about their tasks: retries, sessions, learning, ways out."""

from decimal import Decimal
from typing import Annotated, Literal

from pydantic import Field

from sim.parameters import Parameters, Positive, PositiveCount, PositiveUsd, Share, Usd
from sim.scenario.names import Name


class Lateness(Parameters):
    """What a late success is worth: all until ``soft_deadline_s``, ``value_left`` at the deadline.

    In between it falls in a straight line (a time-utility function: Jensen, Locke and Tokuda 1985).
    """

    soft_deadline_s: Positive = Field(le=1e9)
    value_left: Share = 0.0


class Ladder(Parameters):
    """Each further attempt at an answer goes to the next of ``models``; the last is asked again."""

    kind: Literal["ladder"] = "ladder"
    models: tuple[Name, ...] = Field(min_length=1, max_length=100)


class RisingFloor(Parameters):
    """Attempts go to models of a score of at least ``start``, and ``rise`` more for each further.

    If none on offer reaches the floor, to the best scored.
    """

    kind: Literal["rising-floor"] = "rising-floor"
    start: Share = 0.0
    rise: Annotated[float, Field(gt=0, le=1)]


Escalation = Annotated[Ladder | RisingFloor, Field(discriminator="kind")]


class GiveUp(Parameters):
    """When a task is dropped before its attempts or its time have run out.

    Args:
        after_calls: once so many answers have been asked for. beyond_value: once what is left to do
            is expected to cost more than the task is still worth; a step's expected cost is the
            least of expected cost / score over the models, as in a geometric series of attempts.
            What has been spent already does not count.
    """

    after_calls: PositiveCount | None = None
    beyond_value: bool = False


class Session(Parameters):
    """Calls that continue one another: a workflow, or the turns of a chat.

    Each prompt repeats what was said before, and the model that was asked last time has most of it
    in its cache.

    Args:
        sticky: whether the first attempt at a step prefers the model that answered last.
        reuse: share of the repeated tokens that are found in the cache.
        cache_min: how long a model keeps a prompt. context_max_tokens: the most that is repeated.
        idle_min: tasks without a workflow are turns of one chat when no longer pause lies between;
            when left out, each is a chat of its own.
    """

    sticky: bool = False
    reuse: Share = 1.0
    cache_min: Positive = Field(default=5.0, le=1e6)
    context_max_tokens: PositiveCount = Field(default=200_000, le=10_000_000)
    idle_min: Positive | None = Field(default=None, le=1e6)


class Learning(Parameters):
    """Agents choose by what each has seen, per intent, and not by the router.

    The belief in a model is (prior_answers x score + right answers) / (prior_answers + answers),
    the mean of a Beta posterior. The model of most value x belief - expected cost is chosen, and
    left again only for one that is better by more than ``switching_cost_usd`` an answer.

    Args:
        explore: share of the attempts that go to any model instead.
    """

    prior_answers: PositiveCount = Field(default=10, le=1_000_000)
    switching_cost_usd: Usd = Decimal(0)
    explore: Share = 0.0


class SelfHost(Parameters):
    """An open model on machines of one's own, at a fixed cost, when that is cheaper.

    Every ``review_h`` hours an agent compares the hours' cost with what it was charged for answers
    of open models in the market, or would have been for those it hosted, and changes over or back.
    What its own slots cannot take at once goes to the market.

    Args:
        model: the scenario's model whose weights are hosted. usd_per_hour: while it is hosted.
        slots: answers at once.
    """

    model: Name
    usd_per_hour: PositiveUsd
    slots: PositiveCount = Field(default=8, le=1_000_000)
    review_h: Positive = Field(default=24.0, ge=0.001, le=1e6)


class Leave(Parameters):
    """An agent posts nothing more when under ``success_below`` of its last tasks succeeded.

    Args:
        over_tasks: how many it looks back on; tasks that its own budgets refused, or its
            own tools outlasted, do not count.
        away_h: when it comes back, with nothing held against the market; never, when left out.
    """

    success_below: Annotated[float, Field(gt=0, le=1)]
    over_tasks: PositiveCount = Field(default=20, le=100_000)
    away_h: Positive | None = Field(default=None, le=1e6)


class Withdrawal(Parameters):
    """An agent takes back what it does not need of the money that it has paid in.

    Every ``every_h`` hours it asks for all that it may spend beyond ``keep_usd``, unless it waits
    for an earlier withdrawal; the rail's ``timelock_h`` later it has the money in its wallet.
    """

    every_h: Positive = Field(ge=0.001, le=1e6)
    keep_usd: Usd = Decimal(0)


class Outside(Parameters):
    """What agents can do instead of buying in the market."""

    self_host: SelfHost | None = None
    leave: Leave | None = None
