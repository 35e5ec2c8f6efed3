"""Routers between a weak and a strong model, and up a ladder of models."""

from collections.abc import Sequence
from functools import cached_property
from statistics import NormalDist
from typing import Annotated, Literal

from pydantic import Field

from sim.chance import key, mix, normal
from sim.facts import Reason, Task
from sim.parameters import NonNegative, OpenShare, Parameters, Share
from sim.routers.drawing import RANK, ModelName, best, cheapest, offered
from sim.routers.pool import MarketPool, Pool
from sim.units import PPM, ppm_nearest

NORMAL = NormalDist()
JUDGE = key("router/judge")


class Threshold(Parameters):
    """The strong model where P(it alone is right) = q_s (1 - q_w) >= ``at``, else the weak one.

    The strong one is the best scored on offer, the weak one the cheapest; q is the score, and the
    product takes their luck as independent (RouteLLM's rule, with the score for its classifier).
    """

    kind: Literal["threshold"] = "threshold"
    at: Share = 0.2

    def pick(self, task: Task, attempt: int, models: Sequence[int], pool: Pool) -> int:
        """The strong one if it is likely to be needed."""
        del attempt
        strong, weak = best(task, models, pool), cheapest(task, models, pool)
        scores = pool.scores[task.intent]
        alone = scores[strong] * (PPM - scores[weak])
        return strong if alone >= ppm_nearest(self.at) * PPM else weak


class Split(Parameters):
    """The hardest ``strong_share`` of the tasks to the strong model, the rest to the weak one.

    The difficulty is guessed with a normal error of standard deviation ``error``; the cut is at
    z(1 - strong_share) sqrt(1 + error^2), so that the share is met on the reference mix of tasks
    (difficulty of mean 0, sigma 1). .2 and .1 are the 80/20 and 90/10 rules. Where they are not
    named or not on offer, the strong one is the dearest and the weak one the cheapest: scores would
    not tell, as who gets the hard tasks scores low.
    """

    kind: Literal["split"] = "split"
    strong_share: OpenShare = 0.2
    error: Annotated[float, Field(ge=0, le=100)] = 0.5
    strong: ModelName | None = None
    weak: ModelName | None = None

    @property
    def names(self) -> tuple[str, ...]:
        """The models that are named."""
        return tuple(name for name in (self.strong, self.weak) if name is not None)

    @cached_property
    def _cut(self) -> int:
        spread: float = (1 + self.error**2) ** 0.5
        return round(NORMAL.inv_cdf(1 - self.strong_share) * spread * PPM)

    def pick(self, task: Task, attempt: int, models: Sequence[int], pool: MarketPool) -> int:
        """Strong if the task looks hard."""
        del attempt  # a task looks as hard as it did before
        guess = task.difficulty + round(normal(mix(task.draw, RANK, 0)) * self.error * PPM)
        hard = guess > self._cut
        named = offered([(self.strong if hard else self.weak) or ""], models, pool)
        if named:
            return named[0]
        costs = pool.expected_costs(task, models)
        return models[costs.index(max(costs) if hard else min(costs))]


class Cascade(Parameters):
    """One model after the other: each attempt goes to the next of ``order``, and every one is paid.

    Without an order, from the cheapest up. What is not on offer is passed over; at its end the last
    one is asked again. How many attempts there are is the group's ``retries``.

    Args:
        accept: an answer is accepted when the judge's score reaches the attempt's own threshold
            (the last of them for all later attempts). Without any the judge is the market, which
            is right. The answer to the last attempt is accepted whatever it is.
        judge_error: standard deviation of the judge's error, on scores from 0 to 1.
    """

    kind: Literal["cascade"] = "cascade"
    order: tuple[ModelName, ...] = ()
    accept: tuple[Share, ...] = ()
    judge_error: NonNegative = 0.0

    @property
    def names(self) -> tuple[str, ...]:
        """The models that are named."""
        return self.order

    def pick(self, task: Task, attempt: int, models: Sequence[int], pool: MarketPool) -> int:
        """The model whose turn it is."""
        if not self.order:
            ladder = sorted(zip(pool.expected_costs(task, models), models, strict=True))
            return ladder[min(attempt, len(ladder) - 1)][1]
        later = offered(self.order[attempt:], models, pool)
        earlier = offered(self.order[:attempt], models, pool)
        return (later[:1] or earlier[-1:] or [cheapest(task, models, pool)])[0]

    def accepts(self, task: Task, attempt: int, score_ppm: int) -> bool:
        """Whether the judge takes an answer of this true score: score + error >= threshold."""
        threshold = self.accept[min(attempt, len(self.accept) - 1)]
        error = normal(mix(task.draw, JUDGE, attempt)) * self.judge_error
        return score_ppm + round(error * PPM) >= ppm_nearest(threshold)

    def judged(self, task: Task, attempt: int, reason: Reason) -> Reason:
        """What becomes of a right or a wrong answer before the judge."""
        right = reason is Reason.NONE
        if self.accepts(task, attempt, PPM * right):
            return reason if right else Reason.BELIEVED
        return Reason.DOUBTED if right else reason


def judge_of(router: object) -> Cascade | None:
    """The router if it judges answers itself."""
    return router if isinstance(router, Cascade) and router.accept else None
