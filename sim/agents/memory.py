"""What an agent keeps in mind: today's spending, its session, what it has seen of the models."""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from sim.clock import Clock
from sim.facts import Task
from sim.units import PPM, US_PER_DAY


class Purse:
    """What an agent's calls of a simulated day cost; a call counts on the day it is posted."""

    __slots__ = ("_day", "_spent")

    def __init__(self) -> None:
        self._day = self._spent = 0

    def spent(self, now_us: int) -> int:
        """What has been spent or is held today."""
        day = now_us // US_PER_DAY
        if day != self._day:
            self._day, self._spent = day, 0
        return self._spent

    def hold(self, now_us: int, quote_micros: int) -> None:
        """Sets a quote aside."""
        self._spent = self.spent(now_us) + quote_micros

    def refund(self, posted_us: int, now_us: int, micros: int) -> None:
        """Takes back what a call of today did not cost after all."""
        spent = self.spent(now_us)
        if posted_us // US_PER_DAY == self._day:
            self._spent = spent - micros


class Session:
    """What each model has in its cache of one session's prompts."""

    __slots__ = ("_known", "last")

    def __init__(self) -> None:
        self._known: dict[int, tuple[int, int]] = {}
        self.last = -1
        """The model that was asked last."""

    def recall(self, model: int, task: Task, now_us: int, keep_us: int) -> int:
        """Tokens of a prompt's context that a model still has; from now on it has all of it."""
        tokens, until_us = self._known.get(model, (0, 0))
        self._known[model] = (task.input_tokens, now_us + keep_us)
        self.last = model
        return min(tokens, task.context_tokens) if now_us < until_us else 0


class Beliefs:
    """How many answers of each model an agent has seen for each intent, and how many were right."""

    __slots__ = ("_seen", "current")

    def __init__(self) -> None:
        self._seen: dict[tuple[int, int], tuple[int, int]] = {}
        self.current: dict[int, int] = {}
        """The model it uses, by intent."""

    def see(self, intent: int, model: int, *, right: bool) -> None:
        """Takes an answer into account."""
        answers, rights = self._seen.get((intent, model), (0, 0))
        self._seen[intent, model] = (answers + 1, rights + right)

    def of(self, intent: int, model: int, score_ppm: int, prior: int) -> int:
        """The mean of the Beta posterior in ppm, rounded down; the score is worth ``prior``."""
        answers, rights = self._seen.get((intent, model), (0, 0))
        return (prior * score_ppm + rights * PPM) // (prior + answers)


class Answered(Protocol):
    """An answer of an agent's own machines; what the market would have charged for it."""

    @property
    def right(self) -> bool:
        """Whether it is right."""
        ...

    @property
    def output_tokens(self) -> int:
        """Its length."""
        ...

    @property
    def market_micros(self) -> int:
        """The list price of it."""
        ...


class Host(Protocol):
    """An open model on an agent's own machines."""

    @property
    def model(self) -> int:
        """Its position in the scenario."""
        ...

    def takes(self, task: Task) -> bool:
        """Whether it serves the task and a slot is free."""
        ...

    def ask(self, clock: Clock, task: Task, attempt: int, then: Callable[[Answered], None]) -> None:
        """Occupies a slot until the answer, which goes to ``then``."""
        ...


@dataclass(slots=True)
class Memory:
    """What one agent keeps in mind.

    Args:
        purse: of the day, if that is limited. session: of its chat. recent: whether its last tasks
            succeeded. away: it has left the market. host: its own, while it hosts.
        open_micros: what open models have charged it, or would have, since its last review.
        outside: the rules of what it does outside the market that it has settled in with.
        machine: the model and the slots of its host. reviews: the rule by which it looks again.
    """

    purse: Purse | None
    session: Session = field(default_factory=Session)
    beliefs: Beliefs = field(default_factory=Beliefs)
    recent: deque[bool] = field(default_factory=deque)
    away: bool = False
    hosting: bool = False
    host: Host | None = None
    open_micros: int = 0
    outside: object = None
    machine: tuple[int, int] | None = None
    reviews: object = None
