"""Auctions among models for a task: each that may serve it asks, one wins, all at once.

Awards are whole micros. ``cap_micros`` is the most the agent can and may pay: its maximum price,
its purse, and the mechanism's reserve. An ask above it does not take part.
"""

from collections.abc import Sequence
from decimal import Decimal
from typing import Literal, NamedTuple

from sim.parameters import Parameters, PositiveUsd
from sim.units import PPM, micros_floor_from_ppm, micros_from_usd_exact, price_ceil


class Ask(NamedTuple):
    """What a model asks for a task, and how often it is taken to be right, in ppm."""

    model: int
    ask_micros: int
    quality_ppm: int


class Award(NamedTuple):
    """Who serves the task, and what is paid: for a right answer in time, and for any other.

    ``wrong_micros`` is None where such an answer is not charged at all. ``owed_micros`` is what the
    model then owes the agent, before the fee, as all of these are.
    """

    ask: Ask
    right_micros: int
    wrong_micros: int | None
    owed_micros: int = 0


class Reverse(Parameters):
    """Base of auctions among models: no payment is above ``reserve_usd``, where one is given."""

    reserve_usd: PositiveUsd | None = None

    def cap_micros(self, limit_micros: int) -> int:
        """The most that may be paid, given the agent's own limit."""
        if self.reserve_usd is None:
            return limit_micros
        return min(limit_micros, micros_from_usd_exact(self.reserve_usd))


def flat(ask: Ask, price_micros: int, pays_wrong: bool) -> Award:
    """An award of one price, for a wrong answer too where such are paid for."""
    return Award(ask, price_micros, price_micros if pays_wrong else None)


class ReverseFirst(Reverse):
    """Models ask for the task; the lowest ask wins and is paid."""

    kind: Literal["reverse-first"] = "reverse-first"

    def award(
        self, asks: Sequence[Ask], value_micros: int, cap_micros: int, pays_wrong: bool
    ) -> Award | None:
        """The lowest ask; the first model of equals."""
        del value_micros
        able = [ask for ask in asks if ask.ask_micros <= cap_micros]
        if not able:
            return None
        best = min(able, key=lambda ask: ask.ask_micros)
        return flat(best, best.ask_micros, pays_wrong)


class ReverseSecond(Reverse):
    """Models ask for the task; the lowest ask wins and is paid the next lowest.

    Who asks alone is paid the most that the agent may pay (Vickrey's auction for procurement).
    """

    kind: Literal["reverse-second"] = "reverse-second"

    def award(
        self, asks: Sequence[Ask], value_micros: int, cap_micros: int, pays_wrong: bool
    ) -> Award | None:
        """The lowest ask, at the next lowest; the first model of equals."""
        del value_micros
        able = sorted((ask.ask_micros, ask) for ask in asks if ask.ask_micros <= cap_micros)
        if not able:
            return None
        price_micros = able[1][0] if len(able) > 1 else cap_micros
        return flat(able[0][1], price_micros, pays_wrong)


class Scoring(Reverse):
    """The greatest score wins: the task's value x quality - ask, with the validators' score.

    ``first-score`` pays the ask; ``second-score`` what leaves the agent the runner-up's score, or 0
    where there is none (Che 1993). A score below 0 does not take part.
    """

    kind: Literal["scoring"] = "scoring"
    payment: Literal["first-score", "second-score"] = "second-score"

    def award(
        self, asks: Sequence[Ask], value_micros: int, cap_micros: int, pays_wrong: bool
    ) -> Award | None:
        """The greatest score; the first model of equals."""
        scored = [
            (ask.ask_micros * PPM - value_micros * ask.quality_ppm, ask)
            for ask in asks
            if ask.ask_micros <= cap_micros
        ]
        able = sorted(each for each in scored if each[0] <= 0)
        if not able:
            return None
        (lead, best), rest = able[0], able[1:]
        price_micros = best.ask_micros
        if self.payment == "second-score":
            price_micros += micros_floor_from_ppm((rest[0][0] if rest else 0) - lead)
        return flat(best, min(price_micros, cap_micros), pays_wrong)


class PayPerSuccess(Reverse):
    """The least ask per believed success wins; only a right answer is paid, at the next least.

    b / q, with the validators' score for q: a model that asks what an answer costs it breaks even
    at that ratio. Who asks alone is paid the most that the agent may pay.
    """

    kind: Literal["pay-per-success"] = "pay-per-success"

    def award(
        self, asks: Sequence[Ask], value_micros: int, cap_micros: int, pays_wrong: bool
    ) -> Award | None:
        """The least ratio, in whole micros, rounded up; the first model of equals."""
        del pays_wrong
        cap_micros = min(cap_micros, value_micros)
        ratios = [
            (price_ceil(ask.ask_micros, ask.quality_ppm), ask) for ask in asks if ask.quality_ppm
        ]
        able = sorted(each for each in ratios if each[0] <= cap_micros)
        if not able:
            return None
        price_micros = able[1][0] if len(able) > 1 else cap_micros
        return Award(able[0][1], price_micros, None)


class ExecutionContingent(Reverse):
    """Pays value x success - the runner-up's welfare: to report cost and quality truly is best.

    Welfare is value x declared quality - ask; the greatest wins. A right answer is paid the value
    less the runner-up's welfare W' (0 where there is none). For any other the model owes the agent
    that welfare less the fee's share f, out of the bond of ``bond_usd`` that it posts before the
    run (Porter, Ronen, Shoham, Tennenholtz 2008). So one of cost c and quality q expects
    q (1 - f) (V - W') - (1 - q) (1 - f) W' - c = (1 - f) (V q - c / (1 - f) - W'), which is what
    its truth, an ask of c / (1 - f), leads by. A model takes part while its bond and earnings cover
    the value.
    """

    kind: Literal["execution-contingent"] = "execution-contingent"
    bond_usd: PositiveUsd = Decimal(10)

    def award(
        self, asks: Sequence[Ask], value_micros: int, cap_micros: int, pays_wrong: bool
    ) -> Award | None:
        """The greatest welfare, not below 0; the first model of equals."""
        del pays_wrong
        worth_micros = min(value_micros, cap_micros)
        able = sorted(
            (loss, ask)
            for ask in asks
            if (loss := ask.ask_micros * PPM - worth_micros * ask.quality_ppm) <= 0
        )
        if not able:
            return None
        runner_up_micros = micros_floor_from_ppm(-able[1][0]) if len(able) > 1 else 0
        return Award(able[0][1], worth_micros - runner_up_micros, None, runner_up_micros)
