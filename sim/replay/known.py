"""What a router may know of the models while it is replayed: a market's pool, made of a table.

What the table did not record, and what only a market that runs can tell, raises
`NotRecordedError` when a router asks for it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from sim.facts import Task
from sim.models.learnt import Learnt
from sim.replay.prices import prices_of
from sim.replay.speed import Speed, speeds_of
from sim.replay.table import Table
from sim.routers import Lesson
from sim.units import MICROS_PER_USD, PPM, TOKENS_PER_MTOK, US_PER_MS

if TYPE_CHECKING:
    from sim.replay.training import Training

RIGHT = 0.5
UNKNOWN = 0.5


class NotRecordedError(Exception):
    """A router asked for what is not there: ``found``, and what it would take (``allowed``)."""

    def __init__(self, found: str, allowed: str) -> None:
        self.found, self.allowed = found, allowed
        super().__init__(f"found {found}; allowed: {allowed}")


def missing(*columns: str) -> NotRecordedError:
    """The error of a table that lacks columns."""
    names = " and ".join(columns)
    return NotRecordedError(f"a table without {names}", f"a table with {names}: this router asks")


@dataclass(frozen=True)
class View:
    """Means over the tasks of all folds but one, by domain, then model.

    Args:
        scores: in ppm. costs: in millionths of a micro-USDC. times_us: None where not recorded.
        tried, won: how many outcomes there are, and their sum in ppm.
        pair: the models of least and of most mean success.
    """

    scores: list[list[int]]
    costs: list[list[int]] | None
    times_us: list[list[int]] | None
    tried: list[list[int]]
    won: list[list[int]]
    pair: tuple[int, int]


class Facts:
    """What is public about a table's models: names, list prices, speeds."""

    def __init__(self, table: Table) -> None:
        self.table, self.ids = table, table.models

    @cached_property
    def list_prices(self) -> list[int]:
        """Input plus output price in micros per million tokens, as costs on tokens tell."""
        needed = ("cost_usd", "input_tokens", "output_tokens")
        if not set(needed) <= set(self.table.known):
            raise missing(*needed)
        prices = prices_of(self.table).sum(axis=1)
        return [round(each) for each in (prices * MICROS_PER_USD * TOKENS_PER_MTOK).tolist()]

    @cached_property
    def first_token_us(self) -> list[int]:
        """The time that does not depend on the answer's length."""
        return [round(each.first_token_ms * US_PER_MS) for each in self._speeds]

    @cached_property
    def millitokens_per_s(self) -> list[int]:
        """The speed at which answers come, in thousandths of tokens per second."""
        return [round(1000 * each.tokens_per_s) for each in self._speeds]

    @cached_property
    def _speeds(self) -> Sequence[Speed]:
        speeds = speeds_of(self.table)
        if speeds is None or self.table.output_tokens is None:
            raise missing("latency_s", "output_tokens")
        return speeds


class Known(Learnt):
    """The pool as a router sees it (`sim.routers.MarketPool`) while tasks are routed.

    Scores, costs and times are means over the other folds' tasks of the same domain. ``weak`` and
    ``strong`` are the models of least and most mean success over the other folds. ``lessons`` are
    the other folds' outcomes of every model; a router that learns ``online`` starts from nothing
    and is told its own verdicts instead, one by one.
    """

    def __init__(self, training: "Training", online: bool) -> None:
        table = training.table
        super().__init__(len(table.models), len(table.domains))
        self._training, self._facts, self.online = training, training.facts, online
        self._unknown = [[round(UNKNOWN * PPM)] * len(table.models)] * len(table.domains)
        self.ids: Sequence[str] = table.models
        self.newcomers: dict[int, frozenset[int]] = {}
        self._heard: set[int] = set()
        self.at(0)

    def at(self, fold: int) -> "Known":
        """The same, as it is for the tasks of a fold."""
        view = self._training.views[fold]
        self._fold, self._view = fold, view
        self.weak, self.strong = view.pair
        self.scores = self._unknown if self.online else view.scores
        if not self.online:
            self.tried, self.won = view.tried, view.won
        return self

    @property
    def list_prices(self) -> Sequence[int]:
        """Input plus output price in micros per million tokens."""
        return self._facts.list_prices

    @property
    def first_token_us(self) -> Sequence[int]:
        """The time that does not depend on the answer's length."""
        return self._facts.first_token_us

    @property
    def millitokens_per_s(self) -> Sequence[int]:
        """The speed of the answer."""
        return self._facts.millitokens_per_s

    def expected_costs(self, task: Task, models: Sequence[int]) -> list[int]:
        """Mean cost per model in the task's domain, in millionths of a micro-USDC."""
        if self._view.costs is None:
            raise missing("cost_usd")
        return list(map(self._view.costs[task.intent].__getitem__, models))

    def latencies(self, task: Task, models: Sequence[int]) -> list[int]:
        """Mean time per model in the task's domain, in us."""
        if self._view.times_us is None:
            raise missing("latency_s")
        return list(map(self._view.times_us[task.intent].__getitem__, models))

    def loads(self, models: Sequence[int]) -> list[int]:
        """Nobody waits: a table has no queues."""
        return [0] * len(models)

    def rights(self, task: Task, attempt: int, models: Sequence[int]) -> list[bool]:
        """Whether each model's recorded answer is right, whatever the attempt."""
        del attempt
        outcomes = self._training.table.success[self._training.row_of(task)]
        return [bool(outcomes[model] >= RIGHT) for model in models]

    def spend(self, intent: int, models: Sequence[int], since_us: int) -> list[int]:
        """Not known: a table does not say what was spent when."""
        del intent, models, since_us
        raise NotRecordedError("a recorded table", "a market that runs: this router follows money")

    def lessons(self, intent: int) -> list[Lesson]:
        """Verdicts since this was last asked: its own, or at first all of the other folds."""
        if self.online:
            return super().lessons(intent)
        if intent in self._heard:
            return []
        self._heard.add(intent)
        return self._training.lessons(self._fold, intent)
