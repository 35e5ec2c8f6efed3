"""Auctions among agents for a slot a second: what they pay, who gets it, and no use in lying."""

from typing import Annotated, Literal, Self

import polars as pl
from pydantic import Field, model_validator

from sim.record.frames import Frames
from sim.units import MICROS_PER_USD
from sim.verify.case import Case, Found, Known
from sim.verify.markets import Part, agents, market, model, priced, ran

Bidders = Annotated[int, Field(ge=1, le=100)]
Rounds = Annotated[int, Field(ge=20, le=1_000_000)]
ON_SUCCESS = {"kind": "batch", "settle_on": "success"}
TRUE: Part = {"kind": "truthful"}
SECOND: Part = {"kind": "second-price", "tick_s": 1}
FIRST: Part = {"kind": "first-price", "tick_s": 1}
PATIENCE_S = 0.9


def bidders(count: int, bidding: Part) -> Part:
    """Agents who each post a task a second, half a second before the sale, for that sale alone.

    What a right answer is worth is uniform between 0 and 1 dollar.
    """
    arrival = {"kind": "regular", "per_hour": 3600, "phase": 0.5}
    values = {"kind": "uniform"}
    return agents(1, count, arrival=arrival, values=values, bidding=bidding, max_price_usd=1,
                  deadline_s=PATIENCE_S)  # fmt: skip


def sold(
    mechanism: Part, groups: dict[str, Part], rounds: int, seed: int,
    *, reserve: float = 0.0, slots: int = 1,
) -> Frames:  # fmt: skip
    """The record of so many sales, one a second, of a model's slots, all free by the next."""
    capacity = {"slots": slots, "queue": 1000}
    served = model(0.1, "deterministic", price=priced(reserve), capacity=capacity)
    counts = [group["count"] for group in groups.values()]
    tasks = rounds * sum(count for count in counts if isinstance(count, int))
    return ran(
        market({"m": served}, groups, tasks, seed, mechanism=mechanism, rail=ON_SUCCESS)
    ).frames


def paid_usd(frames: Frames) -> float:
    """Dollars charged in all."""
    return int(frames.calls["charge_micros"].sum()) / MICROS_PER_USD


def worth_usd(frames: Frames) -> float:
    """Dollars of value that was served."""
    won = frames.tasks.filter(outcome="succeeded")
    return int(won["value_micros"].sum()) / MICROS_PER_USD


def shaded(count: int) -> Part:
    """The equilibrium of the first-price auction among so many."""
    return {"kind": "shaded", "bidders": count}


class SecondPrice(Case):
    """Who bids most pays the second bid, or the reserve; everybody bids the truth."""

    kind: Literal["second-price"] = "second-price"
    bidders: Bidders = 2
    reserve: Annotated[float, Field(ge=0, le=0.9)] = 0.0
    rounds: Rounds = 200

    def known(self) -> list[Known]:
        """Revenue (Myerson 1981), and without a reserve the value of who wins."""
        n, r = self.bidders, self.reserve
        above = n * (n - 1) * ((1 - r**n) / n - (1 - r ** (n + 1)) / (n + 1))
        words = "n r^n (1 - r) + E[2nd; 2nd > r]" if r else "(n - 1) / (n + 1)"
        best = n / (n + 1) * (1 - r ** (n + 1))
        return [
            Known("revenue, $", words, n * r**n * (1 - r) + above),
            Known("value of the winner, $", "n (1 - r^(n+1)) / (n + 1)", best),
        ]

    def observe(self, seed: int) -> Found:
        """One run."""
        groups = {"a": bidders(self.bidders, TRUE)}
        frames = sold(SECOND, groups, self.rounds, seed, reserve=self.reserve)
        return Found([paid_usd(frames) / self.rounds, worth_usd(frames) / self.rounds])


class FirstPrice(Case):
    """Who bids most pays that bid; everybody bids the equilibrium's."""

    kind: Literal["first-price"] = "first-price"
    bidders: Annotated[int, Field(ge=2, le=100)] = 2
    rounds: Rounds = 200

    def known(self) -> list[Known]:
        """Revenue is that of the second price (Vickrey 1961), and the bids are what they should."""
        n = self.bidders
        return [
            Known("revenue, $", "(n - 1) / (n + 1)", (n - 1) / (n + 1)),
            Known("value of the winner, $", "n / (n + 1)", n / (n + 1)),
            Known("other bids", "(n - 1) v / n", 0, "exact"),
        ]

    def observe(self, seed: int) -> Found:
        """One run."""
        n = self.bidders
        frames = sold(FIRST, {"a": bidders(n, shaded(n))}, self.rounds, seed)
        bids = frames.calls.join(frames.tasks.select("task_id", "value_micros"), on="task_id")
        other = bids.filter(pl.col("bid_micros") != pl.col("value_micros") * (n - 1) // n)
        return Found(
            [paid_usd(frames) / self.rounds, worth_usd(frames) / self.rounds, float(len(other))]
        )


class UniformPrice(Case):
    """The k highest bids win a slot each, all at the best bid that does not."""

    kind: Literal["uniform-price"] = "uniform-price"
    bidders: Annotated[int, Field(ge=2, le=100)] = 5
    units: Annotated[int, Field(ge=1, le=100)] = 2
    rounds: Rounds = 300

    @model_validator(mode="after")
    def _scarce(self) -> Self:
        if self.units >= self.bidders:
            msg = "fewer units than bidders"
            raise ValueError(msg)
        return self

    def known(self) -> list[Known]:
        """The price of each."""
        n, k = self.bidders, self.units
        return [Known("price of a unit, $", "(n - k) / (n + 1)", (n - k) / (n + 1))]

    def observe(self, seed: int) -> Found:
        """One run."""
        mechanism: Part = {"kind": "uniform-price", "tick_s": 1}
        groups = {"a": bidders(self.bidders, TRUE)}
        frames = sold(mechanism, groups, self.rounds, seed, slots=self.units)
        return Found([paid_usd(frames) / self.rounds / self.units])


class Deviation(Case):
    """One bidder bids less than the truth; the others bid it: of use only if one pays one's bid."""

    kind: Literal["deviation"] = "deviation"
    bidders: Annotated[int, Field(ge=2, le=100)] = 3
    rounds: Rounds = 900

    @property
    def _grid(self) -> list[int]:
        return sorted({2, 3, 4, 5, 10, 20, self.bidders})

    def known(self) -> list[Known]:
        """No gain under the second price, whatever others bid; under the first, the best reply's.

        (1 - f) f^(n-1) / (n + 1) at f = (n - 1) / n, where the truth gains nothing.
        """
        n = self.bidders
        factor = (n - 1) / n
        gain = (1 - factor) * factor ** (n - 1) / (n + 1)
        words = "(1 - f) f^(n-1) / (n + 1), f = (n - 1) / n"
        return [
            Known("gainful lies, second price", "the truth is dominant", 0, "exact"),
            Known("gain by the best lie, first price, $", words, gain),
        ]

    def observe(self, seed: int) -> Found:
        """A run for each bid, on the same values; where no chance is left, a sixth of the sales."""
        few, most = self.rounds // 6, self.rounds
        honest = self._gain_usd(SECOND, TRUE, few, seed)
        lies = [self._gain_usd(SECOND, shaded(count), few, seed) for count in self._grid]
        lie = self._gain_usd(FIRST, shaded(self.bidders), most, seed)
        truth = self._gain_usd(FIRST, TRUE, most, seed)
        return Found([float(sum(gain > honest for gain in lies)), lie - truth])

    def _gain_usd(self, mechanism: Part, bidding: Part, rounds: int, seed: int) -> float:
        """What the first bidder gains per sale."""
        groups = {"one": bidders(1, bidding), "rest": bidders(self.bidders - 1, TRUE)}
        frames = sold(mechanism, groups, rounds, seed)
        paid = int(frames.calls.filter(group="one")["charge_micros"].sum())
        won = frames.tasks.filter(group="one", outcome="succeeded")
        return (int(won["value_micros"].sum()) - paid) / MICROS_PER_USD / rounds
