"""Tenders: auctions among models for a task, their costs or their worth being uniform."""

import math
from typing import Annotated, Literal, Self

import numpy as np
import polars as pl
from pydantic import Field, model_validator

from sim.parameters import OpenShare
from sim.record.frames import Frames
from sim.units import BPS, MICROS_PER_USD
from sim.verify.auctions import ON_SUCCESS
from sim.verify.case import Case, Found, Known, Tasks
from sim.verify.markets import INTENT, Part, agents, market, model, priced, ran
from sim.verify.solving import quality_of

Dollars = Annotated[float, Field(ge=0.01, le=0.99)]
Likely = Annotated[float, Field(ge=0.001, le=0.999)]
Models = Annotated[int, Field(ge=2, le=100)]
FREE: Part = {**ON_SUCCESS, "fee_bps": 0}
"""Only a success is paid for, and no fee is taken: asks are costs."""
PRIVATE: Part = {"kind": "uniform", "high_usd": 1}
TRUE: Part = {"kind": "cost-plus"}
LISTED: Part = {"kind": "fixed"}
ROUNDING = 4
"""Micros per task that rounding may bring a lie: of the award, of what is owed, fee and ask."""
ROUNDED_USD = 5e-6
EITHER = 20
"""Right answers, and wrong ones, that a run has on average at least: none in e^-20 of all runs."""


def tendered(mechanism: Part, count: int, selling: Part, tasks: int, seed: int) -> Frames:
    """The record of tasks worth a dollar, among models whose costs are uniform from 0 to 1."""
    seller = model(0.1, "deterministic", price=priced(0), cost=PRIVATE, selling=selling,
                   capacity={"slots": 100, "queue": 100})  # fmt: skip
    models = {f"m{place:03}": seller for place in range(count)}
    asked = agents(1, max_price_usd=1)
    return ran(market(models, {"a": asked}, tasks, seed, mechanism=mechanism, rail=FREE)).frames


def shaded(count: int) -> Part:
    """The equilibrium of the first-price tender among so many."""
    return {"kind": "shaded", "bidders": count, "highest_usd": 1}


def paid_usd(frames: Frames) -> float:
    """The mean charge in dollars."""
    return float(frames.calls["charge_micros"].to_numpy().mean()) / MICROS_PER_USD


class Procurement(Case):
    """The lowest ask wins, and is paid the next or itself."""

    kind: Literal["procurement"] = "procurement"
    price: Literal["first", "second"] = "second"
    models: Models = 2
    tasks: Tasks = 500

    def known(self) -> list[Known]:
        """The payment, the same in both; the winner's cost; and, first price, what is asked."""
        n = self.models
        known = [
            Known("payment, $", "2 / (n + 1)", 2 / (n + 1)),
            Known("cost of the winner, $", "1 / (n + 1)", 1 / (n + 1)),
        ]
        words = "(1 + (n - 1) c) / n" if self.price == "first" else "c"
        return [*known, Known("other asks", words, 0, "exact")]

    def observe(self, seed: int) -> Found:
        """One run."""
        n = self.models
        selling = shaded(n) if self.price == "first" else TRUE
        frames = tendered({"kind": f"reverse-{self.price}"}, n, selling, self.tasks, seed)
        costs, asks = (frames.calls[f"{what}_micros"].to_numpy() for what in ("cost", "ask"))
        due = -(-(MICROS_PER_USD + (n - 1) * costs) // n) if self.price == "first" else costs
        mean_cost = float(costs.mean()) / MICROS_PER_USD
        return Found([paid_usd(frames), mean_cost, float(np.count_nonzero(asks != due))])


class ScoringAuction(Case):
    """The greatest value less ask wins: all as good, that is uniform from 0 to 1 (Che 1993)."""

    kind: Literal["scoring"] = "scoring"
    payment: Literal["first-score", "second-score"] = "second-score"
    models: Models = 2
    tasks: Tasks = 500

    def known(self) -> list[Known]:
        """What the buyer has of it: the expected second of n."""
        n = self.models
        return [Known("the buyer's score, $", "(n - 1) / (n + 1)", (n - 1) / (n + 1))]

    def observe(self, seed: int) -> Found:
        """One run."""
        selling = TRUE if self.payment == "second-score" else shaded(self.models)
        mechanism: Part = {"kind": "scoring", "payment": self.payment}
        frames = tendered(mechanism, self.models, selling, self.tasks, seed)
        return Found([1 - paid_usd(frames)])


class ExecutionContingent(Case):
    """One model reports its cost and its quality to a tender that pays by success; one rival does.

    Args:
        cost, right, rival_cost, rival_right: true costs in dollars, and chances to be right.
        fee_bps: the treasury's share of what a model is paid.
    """

    kind: Literal["execution-contingent"] = "execution-contingent"
    cost: Dollars = 0.1
    right: Likely = 0.9
    rival_cost: Dollars = 0.2
    rival_right: OpenShare = 0.8
    fee_bps: Annotated[int, Field(ge=0, le=5000)] = 200
    tasks: Tasks = 400

    @model_validator(mode="after")
    def _both_seen(self) -> Self:
        least = math.ceil(EITHER / min(self.right, 1 - self.right) - 1e-6)  # less what floats add
        if self.tasks < least:
            msg = f"tasks={least} or more at right={self.right}, to see {EITHER} of either answer"
            raise ValueError(msg)
        return self

    @property
    def _lead(self) -> float:
        """Its welfare less the rival's after the fee, where a right answer is worth a dollar."""
        kept = 1 - self.fee_bps / BPS
        rivals = max(0.0, kept * self.rival_right - self.rival_cost)
        return kept * self.right - self.cost - rivals

    def known(self) -> list[Known]:
        """What the truth earns, what a lie that always wins does, and that none earns more."""
        words, unit = "W - W', W = (1 - fee) q - c", ROUNDED_USD
        return [
            Known("profit of the truth, $", "max(0, W - W')", max(0.0, self._lead), unit=unit),
            Known("profit of a lie that wins, $", words, self._lead, unit=unit),
            Known("gainful lies", "none, of cost or quality", 0, "exact"),
        ]

    def observe(self, seed: int) -> Found:
        """A run for each report, on the same tasks and the same luck."""
        truth, winning = self._ran(None, self.right, seed), self._ran(0.01, 0.99, seed)
        lies = [
            *(self._ran(None, right, seed) for right in (0.3, 0.6, 0.97)),
            *(self._ran(self.cost * part, self.right, seed) for part in (0.1, 0.95, 1.05, 3)),
        ]
        honest = self._expected_micros(truth)
        won = self._expected_micros(winning)
        gains = [won, *map(self._expected_micros, lies)]
        gainful = sum(gain > honest + ROUNDING for gain in gains)
        return Found([honest / MICROS_PER_USD, won / MICROS_PER_USD, float(gainful)])

    def _ran(self, asked: float | None, declared: float, seed: int) -> Frames:
        """The record at this report: so many dollars, by its cost if None; and this quality."""
        models = {
            name: model(
                0.1, "deterministic", price=priced(asked or 0), cost=priced(cost),
                selling=TRUE if asked is None else LISTED, quality={INTENT: quality_of(chance)},
                declared_quality={INTENT: declared}, capacity={"slots": 100, "queue": 100},
            )
            for name, asked, cost, chance, declared in (
                ("m", asked, self.cost, self.right, declared),
                ("rival", None, self.rival_cost, self.rival_right, self.rival_right),
            )
        }  # fmt: skip
        mechanism = {"kind": "execution-contingent", "bond_usd": 1_000_000}
        rail = {"kind": "batch", "fee_bps": self.fee_bps}
        asked_by = {"a": agents(1, max_price_usd=1)}
        return ran(
            market(models, asked_by, self.tasks, seed, mechanism=mechanism, rail=rail)
        ).frames

    def _expected_micros(self, frames: Frames) -> float:
        """Its profit per task, had each of its answers been right as often as they truly are.

        Luck is taken out, or the truth would now and then lose by it what a lie dares not win.
        """
        mine = frames.calls.filter(model="m").select(
            "success",
            profit=pl.col("charge_micros")
            - pl.col("fee_micros")
            - pl.col("cost_micros")
            - pl.col("slash_micros"),
        )
        means = (mine.filter(success=right)["profit"].to_numpy() for right in (True, False))
        right, wrong = (float(each.mean()) if len(each) else 0.0 for each in means)
        share = len(mine) / self.tasks
        return share * (self.right * right + (1 - self.right) * wrong)
