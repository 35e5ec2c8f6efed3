"""Cases whose runs take the longer, and the more of them, the closer a load is to 1."""

import math
from abc import ABC, abstractmethod
from typing import Self

from pydantic import model_validator

from sim.verify.case import Case, Tasks
from sim.verify.formulas import FEWEST, MOST

RUNS_MOST = 8
"""Times as many replications as are asked for."""


class Sized(Case, ABC):
    """A case that knows how many tasks its answers take.

    One replication has as many as are `wanted`, at most 250,000, which fit into memory; where more
    are, more replications are run, up to eight times as many as are asked for. Beyond, such a run
    is too short to forget that it began empty. ``tasks`` of the user's own hold whatever they are.
    """

    tasks: Tasks | None = None

    @property
    @abstractmethod
    def wanted(self) -> float:
        """Tasks of each of 20 replications that give an interval which is narrow enough."""

    @property
    def unstable(self) -> str:
        """What a user is to give instead of parameters under which no queue settles; mostly ""."""
        return ""

    @property
    def size(self) -> int:
        """Tasks of one replication."""
        return self.tasks or round(min(MOST, max(FEWEST, self.wanted)))

    def replications(self, reps: int) -> int:
        """More than are asked for where one may not have as many tasks as are wanted."""
        return reps if self.tasks else reps * max(1, math.ceil(self.wanted / MOST))

    @model_validator(mode="after")
    def _within_reach(self) -> Self:
        if self.unstable:
            raise ValueError(self.unstable)
        if self.tasks is None and self.wanted > RUNS_MOST * MOST:
            msg = (
                f"what {RUNS_MOST} x {MOST:,} tasks a replication can tell ({self.wanted:,.0f} are"
                " wanted), or tasks=N of your own"
            )
            raise ValueError(msg)
        return self
