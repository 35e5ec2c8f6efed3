"""Delays: how long a batch of so many calls, or of so many seconds, keeps them waiting."""

from typing import Annotated, Literal

from pydantic import Field

from sim.parameters import Positive
from sim.record.frames import Frames
from sim.units import US_PER_S
from sim.verify.case import Case, Found, Known, Tasks
from sim.verify.markets import Part, agents, market, model, ran

NEVER_S = 1e7


def delay_s(rail: Part, per_s: float, tasks: int, seed: int) -> float:
    """The mean time from answer to settlement, of Poisson calls in all batches but the last.

    The first one is left out, too: in its time no answer was there at once.
    """
    served = model(1.0, "deterministic", capacity={"slots": 100_000, "queue": 0})
    frames = ran(market({"m": served}, {"a": agents(per_s)}, tasks, seed, rail=rail)).frames
    return _mean_delay_s(frames)


def _mean_delay_s(frames: Frames) -> float:
    whole = frames.batches[1:-1].select("batch", "closed_us")
    settled = frames.calls.join(whole, on="batch")
    return float((settled["closed_us"] - settled["finished_us"]).to_numpy().mean()) / US_PER_S


class BatchSize(Case):
    """A batch closes when it is full."""

    kind: Literal["batch-size"] = "batch-size"
    size: Annotated[int, Field(ge=2, le=1000)] = 20
    per_s: Positive = Field(default=5.0, le=1000)
    batches: Annotated[int, Field(ge=2, le=10_000)] = 40

    def known(self) -> list[Known]:
        """The mean of what is still to come when a call comes."""
        truth = (self.size - 1) / (2 * self.per_s)
        return [Known("mean delay, s", "(N - 1) / (2 lambda)", truth)]

    def observe(self, seed: int) -> Found:
        """One run that closes so many batches."""
        rail: Part = {"kind": "batch", "size": self.size, "interval_s": NEVER_S}
        return Found([delay_s(rail, self.per_s, self.size * self.batches, seed)])


class BatchTimer(Case):
    """A batch closes when its time has come."""

    kind: Literal["batch-timer"] = "batch-timer"
    interval_s: Positive = Field(default=10.0, le=1e5)
    per_s: Positive = Field(default=5.0, le=1000)
    tasks: Tasks = 1_000

    def known(self) -> list[Known]:
        """The mean of a uniform remainder."""
        return [Known("mean delay, s", "T / 2", self.interval_s / 2)]

    def observe(self, seed: int) -> Found:
        """One run."""
        rail: Part = {"kind": "batch", "size": 1000, "interval_s": self.interval_s}
        return Found([delay_s(rail, self.per_s, self.tasks, seed)])
