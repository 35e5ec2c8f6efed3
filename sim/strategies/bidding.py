"""Bidding: what an agent offers for a slot that is worth so much to it.

A rule is a frozen class whose ``bidder`` is the state of one agent within a run. A bid is never
above ``worth_micros``, which is within the agent's maximum price and its purse.
"""

from collections.abc import Sequence
from typing import Annotated, Literal, Protocol

from pydantic import Field

from sim.chance import below, key, mix
from sim.facts import Task
from sim.parameters import OpenShare, Parameters, PositiveUsd, Share
from sim.units import PPM, micros_floor_from_ppm, micros_from_usd_exact, ppm_nearest

Key = tuple[int, int, int, int]
EXPLORE, FACTOR = key("bidding/explore"), key("bidding/factor")


class Bidder(Protocol):
    """One agent as a bidder."""

    def bid(self, task: Task, attempt: int, worth_micros: int, going_micros: int) -> int:
        """What to offer. ``going_micros`` is the last price there, at least the reserve."""
        ...

    def ended(self, task: Task, attempt: int, charge_micros: int, gain_micros: int) -> None:
        """What became of a bid: what it paid, and the value it brought less that."""
        ...


class _Plain(Parameters):
    """Base of rules that remember nothing."""

    def bidder(self) -> "_Plain":
        """The state of one agent: none."""
        return self

    def bid(self, task: Task, attempt: int, worth_micros: int, going_micros: int) -> int:
        """All that it is worth."""
        del task, attempt, going_micros
        return worth_micros

    def ended(self, task: Task, attempt: int, charge_micros: int, gain_micros: int) -> None:
        """Nothing is learnt."""


class Truthful(_Plain):
    """Bids what the answer is expected to be worth: best where the winner pays a losing bid."""

    kind: Literal["truthful"] = "truthful"


class Shaded(_Plain):
    """Bids (n - 1) / n of the worth, n the number of ``bidders``.

    The equilibrium of a first-price auction where values are independent and uniform from 0
    (Vickrey 1961).
    """

    kind: Literal["shaded"] = "shaded"
    bidders: Annotated[int, Field(ge=2, le=1_000_000, strict=True)]

    def bid(self, task: Task, attempt: int, worth_micros: int, going_micros: int) -> int:
        """(n - 1) worth / n, rounded down."""
        del task, attempt, going_micros
        return worth_micros * (self.bidders - 1) // self.bidders


class PriceTaking(_Plain):
    """Bids the last price paid there, and ``raise_share`` of it more, up to the worth."""

    kind: Literal["price-taking"] = "price-taking"
    raise_share: Share = 0.05

    def bid(self, task: Task, attempt: int, worth_micros: int, going_micros: int) -> int:
        """The going price, raised, rounded down; the worth if that is less."""
        del task, attempt
        raised = going_micros * (PPM + ppm_nearest(self.raise_share))
        return min(worth_micros, micros_floor_from_ppm(raised))


class BudgetPaced(Parameters):
    """Bids worth / (1 + m), where m moves so that spending meets ``spend_usd_per_task``.

    After each bid, m grows by ``step`` x (paid - target) / target, and never below 0: adaptive
    pacing (Balseiro and Gur 2019).
    """

    kind: Literal["budget-paced"] = "budget-paced"
    spend_usd_per_task: PositiveUsd
    step: OpenShare = 0.05

    def bidder(self) -> "Pacer":
        """One agent's pace."""
        return Pacer(micros_from_usd_exact(self.spend_usd_per_task), ppm_nearest(self.step))


class Pacer:
    """A budget-paced agent: m in ppm."""

    def __init__(self, target_micros: int, step_ppm: int) -> None:
        self.target_micros, self.step_ppm, self.multiplier_ppm = target_micros, step_ppm, 0

    def bid(self, task: Task, attempt: int, worth_micros: int, going_micros: int) -> int:
        """Worth / (1 + m), rounded down."""
        del task, attempt, going_micros
        return worth_micros * PPM // (PPM + self.multiplier_ppm)

    def ended(self, task: Task, attempt: int, charge_micros: int, gain_micros: int) -> None:
        """Slows down after dear tasks, speeds up after cheap ones."""
        del task, attempt, gain_micros
        over = charge_micros - self.target_micros
        moved = self.multiplier_ppm + self.step_ppm * over // self.target_micros
        self.multiplier_ppm = max(0, moved)


def _key(task: Task, attempt: int) -> Key:
    """What tells a bid from all others of its agent: part, task and attempt."""
    return task.draw, task.step, task.clone, attempt


Factor = Annotated[float, Field(gt=0, le=1)]


class Learning(Parameters):
    """Bids a share of the worth, of the ``factors`` the one that has gained most per bid so far.

    A task in ``explore`` tries any of them (epsilon-greedy); untried ones go first.
    """

    kind: Literal["learning"] = "learning"
    factors: tuple[Factor, ...] = Field(
        default=(0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0), min_length=2, max_length=100
    )
    explore: OpenShare = 0.1

    def bidder(self) -> "Learner":
        """One agent's experience."""
        return Learner([ppm_nearest(each) for each in self.factors], ppm_nearest(self.explore))


class Learner:
    """A learning agent: how often each factor was tried, and what it gained in all."""

    def __init__(self, factors_ppm: Sequence[int], explore_ppm: int) -> None:
        self.factors_ppm, self.explore_ppm = factors_ppm, explore_ppm
        self.tried, self.gains = [0] * len(factors_ppm), [0] * len(factors_ppm)
        self._open: dict[Key, int] = {}

    def bid(self, task: Task, attempt: int, worth_micros: int, going_micros: int) -> int:
        """The chosen factor of the worth, rounded down."""
        del going_micros
        place = self._place(task, attempt)
        self._open[_key(task, attempt)] = place
        return micros_floor_from_ppm(worth_micros * self.factors_ppm[place])

    def _place(self, task: Task, attempt: int) -> int:
        if 0 in self.tried:
            return self.tried.index(0)
        if below(mix(task.draw, EXPLORE, attempt), PPM) < self.explore_ppm:
            return below(mix(task.draw, FACTOR, attempt), len(self.tried))
        means = [gain // times for gain, times in zip(self.gains, self.tried, strict=True)]
        return means.index(max(means))

    def ended(self, task: Task, attempt: int, charge_micros: int, gain_micros: int) -> None:
        """Takes a bid's gain into the mean of its factor."""
        del charge_micros
        place = self._open.pop(_key(task, attempt))
        self.tried[place] += 1
        self.gains[place] += gain_micros


Bidding = Annotated[
    Truthful | Shaded | BudgetPaced | Learning | PriceTaking, Field(discriminator="kind")
]
BIDDING = {
    "truthful": Truthful,
    "shaded": Shaded,
    "budget-paced": BudgetPaced,
    "learning": Learning,
    "price-taking": PriceTaking,
}
