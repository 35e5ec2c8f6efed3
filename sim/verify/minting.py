"""Minting and pricing by Telegraph's tables: emission by epoch, and multipliers by demand."""

from decimal import Decimal
from typing import Annotated, ClassVar, Literal

import numpy as np
import polars as pl
from pydantic import Field

from sim.record.frames import Frames
from sim.units import MICROS_PER_USD
from sim.verify.case import Case, Found, Known
from sim.verify.markets import Part, agents, market, model, priced, ran

WEI = 10**18
EPOCH_H = 0.01
DUST = 1e-9
"""MACHINA: more than all wei that shifting rounds away, and than a float forgets."""
TIMES = {0: 10, 1_000: 15, 10_000: 25, 100_000: 50, 1_000_000: 100}
"""Telegraph's multipliers, in tenths, from so many requests in a day on."""


def run_of_epochs(
    first: int, halving: int, cap: int, before: int, epochs: int, seed: int
) -> Frames:
    """The record of so many epochs of a market, of which one asks little."""
    emission = {
        "first_machina": first, "halving_epochs": halving, "cap_machina": cap,
        "epochs_before": before,
    }  # fmt: skip
    protocol = {
        "kind": "telegraph", "epoch_h": EPOCH_H, "emission": emission, "tournament_tasks": 1,
        "spot_checks": {"tasks": 0},
    }  # fmt: skip
    asked = agents(1 / 60, arrival={"kind": "regular", "per_hour": 60})
    tasks = round(epochs * EPOCH_H * 60) + 1
    return ran(market({"m": model()}, {"a": asked}, tasks, seed, protocol=protocol)).frames


def minted(frames: Frames) -> pl.DataFrame:
    """MACHINA minted, in wei, by the time in us; at 0 what there was before the run."""
    made = frames.transfers.filter(
        (pl.col("asset") == "MACHINA") & (pl.col("kind") == "mint")
    ).select("time_us", pl.col("amount"))
    return made.group_by("time_us").agg(pl.col("amount").sum()).sort("time_us")


class Emission(Case):
    """7,200 x 2^-floor(t / 1461), until there are 21,000,000."""

    repeats: ClassVar[int | None] = 1
    kind: Literal["emission"] = "emission"
    first: Annotated[int, Field(ge=1, le=100_000)] = 7200
    halving: Annotated[int, Field(ge=1, le=1500)] = 1461
    cap: Annotated[int, Field(ge=1, le=21_000_000)] = 21_000_000
    epochs: Annotated[int, Field(ge=2, le=1000)] = 8

    @property
    def _forever(self) -> int:
        """The schedule alone: a geometric series, less than a wei per epoch rounded away."""
        return 2 * self.first * self.halving

    @property
    def _over(self) -> int:
        """The epoch from which on the schedule makes nothing, less than one wei."""
        return self.halving * (self.first * WEI).bit_length()

    def _made_wei(self, epoch: int) -> int:
        """By the schedule, the cap aside."""
        return self.first * WEI >> epoch // self.halving

    def _last(self) -> int:
        """The epoch that reaches the cap, or in which the schedule has ended."""
        left, epoch = self.cap * WEI, 0
        while (made := self._made_wei(epoch)) and left > made * self.halving:
            left -= made * self.halving
            epoch += self.halving
        return epoch + left // made if made else epoch

    def known(self) -> list[Known]:
        """Each epoch's, and the sum of all."""
        total = min(self.cap, self._forever)
        return [
            Known("epochs that make another amount", "first x 2^-floor(t / halving)", 0, "exact"),
            Known("MACHINA by the schedule alone", "2 first halving", self._forever, unit=DUST),
            Known("MACHINA in the end", "min(cap, 2 first halving)", total, unit=DUST),
        ]

    def observe(self, seed: int) -> Found:
        """A run before and after a halving, and one before and after the end."""
        first, halving, cap = self.first, self.halving, self.cap
        wrong = 0
        for before in (0, max(0, halving - self.epochs // 2)):
            frames = run_of_epochs(first, halving, cap, before, self.epochs, seed)
            made = [int(amount) for amount in minted(frames)["amount"][before > 0 :]]
            due = [self._made_wei(before + place) for place in range(len(made))]
            wrong += sum(a != b for a, b in zip(made, due, strict=True)) + (not made)
        before = max(0, self._last() - self.epochs // 2)
        frames = run_of_epochs(first, halving, cap, before, self.epochs, seed)
        total = sum(Decimal(amount) for amount in minted(frames)["amount"]) / WEI
        protocol = frames.scenario.protocol
        assert protocol is not None, "the market has one"
        forever = sum(protocol.emission.scheduled_wei(epoch) for epoch in range(self._over))
        return Found([float(wrong), forever / WEI, float(total)])


class Multiplier(Case):
    """The price of an answer is its floor times a multiplier that rises with the day's answers.

    With ``scale``, each step is at so many times the requests: all five are passed by few tasks.
    """

    repeats: ClassVar[int | None] = 1
    kind: Literal["multiplier"] = "multiplier"
    scale: Annotated[float, Field(ge=0.001, le=1)] = 1.0
    floor: Annotated[float, Field(ge=0.01, le=100)] = 0.02
    tasks: Annotated[int, Field(ge=100, le=10**7)] = 10_010

    @property
    def _steps(self) -> dict[int, int]:
        return {round(requests * self.scale): tenths for requests, tenths in TIMES.items()}

    def known(self) -> list[Known]:
        """After 999 answers and after 1,000, and so on."""
        return [Known("answers at another price", "floor x tier(answers before)", 0, "exact")]

    def observe(self, seed: int) -> Found:
        """One run, an answer a second, so that the last day's are all of them."""
        tiers = [{"requests": at, "times": tenths / 10} for at, tenths in self._steps.items()]
        protocol: Part = {
            "kind": "telegraph", "spot_checks": {"tasks": 0},
            "pricing": {"tiers": tiers, "window_h": 1_000_000},
        }  # fmt: skip
        quick = model(0.1, "deterministic", price=priced(self.floor))
        asked = agents(1, arrival={"kind": "regular", "per_hour": 3600})
        frames = ran(market({"m": quick}, {"a": asked}, self.tasks, seed, protocol=protocol)).frames
        before = np.arange(len(frames.calls))
        tenths = np.zeros(len(before), np.int64)
        for at, times in self._steps.items():
            tenths[before >= at] = times
        due = -(-round(self.floor * MICROS_PER_USD) * tenths // 10)
        return Found([float(np.count_nonzero(frames.calls["charge_micros"].to_numpy() != due))])
