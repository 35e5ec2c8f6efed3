"""What a router may know: of any pool, and of a pool in a market that runs."""

from collections.abc import Sequence
from typing import NamedTuple, Protocol

from sim.facts import Task


class Lesson(NamedTuple):
    """A verdict to learn from: what was asked, of which model, and its score in ppm."""

    task: Task
    model: int
    score_ppm: int


class Pool(Protocol):
    """What every router may know of the models, by their position in the scenario."""

    scores: list[list[int]]
    """Score in ppm, by intent, then model: the validators' running mean."""

    newcomers: dict[int, frozenset[int]]
    """By intent, the models in grace: on no table yet. Empty where no protocol is."""

    def expected_costs(self, task: Task, models: Sequence[int]) -> list[int]:
        """Expected cost of a right answer from each model, in millionths of a micro-USDC."""
        ...


class MarketPool(Pool, Protocol):
    """What there is to know beyond that while a market runs; a recorded table does not have it."""

    ids: Sequence[str]
    """The models' names."""
    list_prices: Sequence[int]
    """Input plus output price in micros per million tokens; a call counts as 1,000 of each."""
    first_token_us: Sequence[int]
    millitokens_per_s: Sequence[int]
    tried: list[list[int]]
    """Verdicts given so far, by intent, then model."""
    won: list[list[int]]
    """The sum of their scores in ppm."""
    notes: dict[int, object]
    """A learning router's own memory, by intent."""
    online: bool
    """Whether there are verdicts only on what was picked, so that it pays to explore."""

    def latencies(self, task: Task, models: Sequence[int]) -> list[int]:
        """Expected service time of a right answer from each model, in us, waiting left out."""
        ...

    def loads(self, models: Sequence[int]) -> list[int]:
        """Calls served or waiting over slots, per model, in ppm."""
        ...

    def rights(self, task: Task, attempt: int, models: Sequence[int]) -> list[bool]:
        """Whether each model's answer would be right: what only an oracle may ask."""
        ...

    def spend(self, intent: int, models: Sequence[int], since_us: int) -> list[int]:
        """Micros charged per model for tasks of an intent that were posted since."""
        ...

    def lessons(self, intent: int) -> list[Lesson]:
        """Verdicts, in order, since this was last asked."""
        ...
