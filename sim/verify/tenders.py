"""Tenders: auctions among models for a task, their costs or their worth being uniform."""

from typing import Annotated, Literal

import numpy as np
from pydantic import Field

from sim.record.frames import Frames
from sim.units import MICROS_PER_USD
from sim.verify.auctions import ON_SUCCESS
from sim.verify.case import Case, Found, Known, Tasks
from sim.verify.markets import Part, agents, market, model, priced, ran

Models = Annotated[int, Field(ge=2, le=100)]
PRIVATE: Part = {"kind": "uniform", "high_usd": 1}
TRUE: Part = {"kind": "cost-plus"}


def tendered(mechanism: Part, count: int, selling: Part, tasks: int, seed: int) -> Frames:
    """The record of tasks worth a dollar, among models whose costs are uniform from 0 to 1."""
    seller = model(0.1, "deterministic", price=priced(0), cost=PRIVATE, selling=selling,
                   capacity={"slots": 100, "queue": 100})  # fmt: skip
    models = {f"m{place:03}": seller for place in range(count)}
    asked = agents(1, max_price_usd=1)
    return ran(
        market(models, {"a": asked}, tasks, seed, mechanism=mechanism, rail=ON_SUCCESS)
    ).frames


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
