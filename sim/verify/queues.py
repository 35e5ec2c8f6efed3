"""Queues: how long calls wait at one model, as queueing theory has it; service takes a second."""

import math
from typing import Annotated, Literal

import numpy as np
from pydantic import Field

from sim.parameters import Positive, PositiveCount
from sim.record.frames import Frames
from sim.verify.case import Found, Known, Load
from sim.verify.formulas import erlang_c, wanted
from sim.verify.markets import UNLIMITED, Part, agents, market, model, ran
from sim.verify.readings import (
    Service,
    between_s,
    chance,
    littles_error_us,
    mean_number,
    mean_wait_s,
    pace,
    rushing,
    settled,
)
from sim.verify.sized import Sized

AGENTS = 4
"""Together their tasks are Poisson again, if each has random numbers of its own."""
SCARCE = 0.45
"""Tasks that control variates save: as many do for the same interval."""
Servers = Annotated[int, Field(ge=1, le=1000)]


def run_of_one(served: Part, per_s: float, tasks: int, seed: int) -> Frames:
    """The record of one model and four agents who ask ``per_s`` times a second together."""
    return ran(market({"m": served}, {"a": agents(per_s, AGENTS)}, tasks, seed)).frames


class MM1(Sized):
    """One server, Poisson arrivals, exponential service."""

    kind: Literal["m-m-1"] = "m-m-1"
    load: Load = 0.8

    @property
    def wanted(self) -> float:
        """As many as the far quantile asks for."""
        return wanted(self.load, 2.2)

    def known(self) -> list[Known]:
        """Waits, numbers and quantiles; the sojourn is exponential of mean 1 / (1 - r)."""
        r = self.load
        rest = {50: 0.5, 95: 0.05, 99: 0.01}
        far = [
            Known(
                f"sojourn p{percent}", f"ln(1 / {above}) / (1 - r)", math.log(1 / above) / (1 - r)
            )
            for percent, above in rest.items()
        ]
        return [
            Known("mean wait Wq", "r / (1 - r)", r / (1 - r)),
            Known("mean sojourn W", "1 / (1 - r)", 1 / (1 - r)),
            Known("mean number waiting Lq", "r^2 / (1 - r)", r * r / (1 - r)),
            *far,
            Known("Little's law, error in us", "integral of L = sum of W", 0, "exact"),
        ]

    def observe(self, seed: int) -> Found:
        """One run."""
        frames = run_of_one(model(), self.load, self.size, seed)
        calls = settled(frames)
        sojourns = between_s(calls, "posted_us", "finished_us")
        values = [
            mean_wait_s(calls),
            float(sojourns.mean()),
            mean_number(frames, frames.calls, "posted_us", "started_us"),
            *np.quantile(sojourns, (0.5, 0.95, 0.99)).tolist(),
            littles_error_us(frames),
        ]
        return Found(
            values, pace(calls, calls, self.load) | {"rushes": rushing(calls, self.load, 1 / 3)}
        )


class MMC(Sized):
    """Several servers, one queue, exponential service: the mean wait; ``load`` is per server."""

    kind: Literal["m-m-c"] = "m-m-c"
    servers: Servers = 5
    load: Load = 0.8

    @property
    def wanted(self) -> float:
        """The rarer waiting is, the more."""
        return wanted(self.load, 0.8 / erlang_c(self.servers, self.servers * self.load) ** 0.5)

    def known(self) -> list[Known]:
        """The mean wait."""
        c, a = self.servers, self.servers * self.load
        return [Known("mean wait Wq", "C(c, a) / (c - a), a = c r", erlang_c(c, a) / (c - a))]

    def observe(self, seed: int) -> Found:
        """One run."""
        per_s = self.servers * self.load
        served = model(capacity={"slots": self.servers, "queue": UNLIMITED})
        calls = settled(run_of_one(served, per_s, self.size, seed))
        return Found([mean_wait_s(calls)], chance(calls, per_s, Service(servers=self.servers)))


class ErlangC(Sized):
    """Several servers, one queue, exponential service: how many wait; ``load`` is per server."""

    kind: Literal["erlang-c"] = "erlang-c"
    servers: Servers = 5
    load: Load = 0.8

    @property
    def wanted(self) -> float:
        """The rarer waiting is, the more."""
        return wanted(self.load, 0.02 / erlang_c(self.servers, self.servers * self.load) ** 2)

    def known(self) -> list[Known]:
        """The share that waits."""
        waits = erlang_c(self.servers, self.servers * self.load)
        return [Known("share that waits C", "Erlang C(c, a), a = c r", waits)]

    def observe(self, seed: int) -> Found:
        """One run."""
        per_s = self.servers * self.load
        served = model(capacity={"slots": self.servers, "queue": UNLIMITED})
        calls = settled(run_of_one(served, per_s, self.size, seed))
        waits = float((between_s(calls, "posted_us", "started_us") > 0).mean())
        return Found([waits], chance(calls, per_s, Service(servers=self.servers)))


class MG1(Sized):
    """One server and any law of service: Pollaczek and Khinchine's mean wait."""

    kind: Literal["m-g-1"] = "m-g-1"
    law: Literal["deterministic", "uniform", "erlang", "exponential", "hyperexponential"]
    load: Load = 0.8
    half_width: Annotated[float, Field(ge=0, le=1)] | None = None
    stages: PositiveCount | None = Field(default=None, le=100)
    cv: Annotated[float, Field(ge=1, le=10)] | None = None

    @property
    def wanted(self) -> float:
        """The more the service varies, the more."""
        return wanted(self.load, SCARCE * (1.5 + self._variance) / 2)

    @property
    def _variance(self) -> float:
        """Of the time of service, whose mean is 1."""
        return {
            "deterministic": 0.0,
            "uniform": (1.0 if self.half_width is None else self.half_width) ** 2 / 3,
            "erlang": 1 / (self.stages or 4),
            "exponential": 1.0,
            "hyperexponential": (self.cv or 2.0) ** 2,
        }[self.law]

    def known(self) -> list[Known]:
        """The mean wait."""
        wait = self.load * (1 + self._variance) / (2 * (1 - self.load))
        return [Known("mean wait Wq", "r E[S^2] / (2 (1 - r))", wait)]

    def observe(self, seed: int) -> Found:
        """One run."""
        shaped = {"half_width": self.half_width, "stages": self.stages, "cv": self.cv}
        law: Part = {"kind": self.law, **{k: v for k, v in shaped.items() if v is not None}}
        calls = settled(run_of_one(model(law=law), self.load, self.size, seed))
        service = Service(variance=self._variance)
        return Found([mean_wait_s(calls)], chance(calls, self.load, service))


class Priority(Sized):
    """One server, two groups; who is of the first is next, and nobody served is put back."""

    kind: Literal["priority"] = "priority"
    high: Load = 0.3
    low: Load = 0.5

    @property
    def unstable(self) -> str:
        """Where both groups together are too many."""
        much = self.high + self.low >= 1
        return "high + low below 1: a server cannot do more than it can" if much else ""

    @property
    def wanted(self) -> float:
        """As many as for one group of both's load."""
        return wanted(self.high + self.low, SCARCE)

    def known(self) -> list[Known]:
        """The mean wait of either group (Cobham 1954)."""
        rest, free = self.high + self.low, 1 - self.high
        return [
            Known("mean wait, first", "R / (1 - r1), R = r1 + r2", rest / free),
            Known("mean wait, second", "R / ((1 - r1) (1 - r1 - r2))", rest / (free * (1 - rest))),
        ]

    def observe(self, seed: int) -> Found:
        """One run of one model and two groups."""
        served = model(capacity={"slots": 1, "queue": UNLIMITED, "discipline": "priority"})
        groups = {"first": agents(self.high, priority=1), "second": agents(self.low)}
        load = self.high + self.low
        frames = ran(market({"m": served}, groups, self.size, seed)).frames
        calls = settled(frames)
        waits = [mean_wait_s(calls.filter(group=name)) for name in groups]
        return Found(waits, chance(calls, load))


class Breaking(Sized):
    """One server that breaks down while it is busy, at rate ``failures``, and goes on later."""

    kind: Literal["breakdowns"] = "breakdowns"
    load: Load = 0.5
    failures: Positive = Field(default=0.05, le=10)
    repairs: Positive = Field(default=0.5, le=1000)

    @property
    def unstable(self) -> str:
        """Where repairs leave too little time."""
        words = "load (1 + failures / repairs) below 1: a server cannot do more than it can"
        return words if self._busy >= 1 else ""

    @property
    def wanted(self) -> float:
        """As many as for the load with its repairs."""
        return wanted(self._busy, 0.7)

    @property
    def _busy(self) -> float:
        return self.load * (1 + self.failures / self.repairs)

    @property
    def _service(self) -> Service:
        """With its repairs; Var[C] = Var[S] (1 + f / m)^2 + E[S] f E[R^2] (Gaver 1962)."""
        slowed = 1 + self.failures / self.repairs
        return Service(slowed, slowed**2 + 2 * self.failures / self.repairs**2)

    def known(self) -> list[Known]:
        """The mean wait: Pollaczek and Khinchine's, of a service with its repairs."""
        service = self._service
        square = service.variance + service.mean_s**2
        wait = self.load * square / (2 * (1 - self._busy))
        return [Known("mean wait Wq", "r E[C^2] / (2 (1 - r (1 + f / m)))", wait)]

    def observe(self, seed: int) -> Found:
        """One run of one model that breaks down."""
        breaks = {"mean_busy_s": 1 / self.failures, "mean_repair_s": 1 / self.repairs}
        calls = settled(run_of_one(model(breakdowns=breaks), self.load, self.size, seed))
        return Found([mean_wait_s(calls)], chance(calls, self.load, self._service))
