"""Routers between a weak and a strong model, by the task's domain or by the length of its prompt.

Each picks the strong one from some need on, and says the need, so that replay can look at every
threshold (PGR over the share of strong calls).
"""

from collections.abc import Sequence
from typing import Literal, Protocol

from pydantic import Field

from sim.facts import Task
from sim.parameters import Count, Parameters
from sim.routers import Pool
from sim.units import ppm_nearest


class Pair(Pool, Protocol):
    """A pool that knows its weak and its strong model."""

    weak: int
    strong: int


class ByDomain(Parameters):
    """The strong model where it is known to be better in the task's domain by ``margin``."""

    kind: Literal["by-domain"] = "by-domain"
    margin: float = Field(default=0.0, ge=-1, le=1)

    def need(self, task: Task, models: Sequence[int], pool: Pair) -> int:
        """Score of the strong model less that of the weak one, in the task's domain, in ppm."""
        del models
        scores = pool.scores[task.intent]
        return scores[pool.strong] - scores[pool.weak]

    def pick(self, task: Task, attempt: int, models: Sequence[int], pool: Pair) -> int:
        """Strong if need is above the margin."""
        del attempt
        chosen = self.need(task, models, pool) > ppm_nearest(self.margin)
        return pool.strong if chosen else pool.weak


class LongestPrompt(Parameters):
    """The strong model for prompts of more than ``tokens`` tokens: length taken for difficulty."""

    kind: Literal["longest-prompt"] = "longest-prompt"
    tokens: Count = 1000

    def need(self, task: Task, models: Sequence[int], pool: Pair) -> int:
        """The prompt's length in tokens."""
        del models, pool
        return task.input_tokens

    def pick(self, task: Task, attempt: int, models: Sequence[int], pool: Pair) -> int:
        """Strong if the prompt is longer."""
        del attempt
        return pool.strong if self.need(task, models, pool) > self.tokens else pool.weak


RANKINGS = {"by-domain": ByDomain, "longest-prompt": LongestPrompt}
