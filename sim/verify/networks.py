"""Networks of models: the least busy of a few choices, and retries that wander between two."""

import math
from itertools import count, takewhile
from statistics import fmean
from typing import Annotated, Literal, Self

import polars as pl
from pydantic import Field, model_validator

from sim.parameters import OpenShare, Positive, Share
from sim.verify.case import Case, Controls, Found, Known, Load, Tasks
from sim.verify.formulas import wanted
from sim.verify.markets import INTENT, agents, market, model, ran
from sim.verify.readings import (
    Service,
    between_s,
    chance,
    littles_error_us,
    mean_number,
    pace,
    rate_per_s,
    rushing,
    settled,
)
from sim.verify.sized import Sized
from sim.verify.solving import quality_of

NEGLIGIBLE = 1e-12
LADDER = 64
REMEMBERED = 0.8
"""Of the warm-up: what came after it is still felt when the calls begin to count."""
SETTLING = 60
"""Tasks of a model by which many of them settle, up to a load of .9."""
ENOUGH = 1000
"""Calls of a model by which its own rushes can be told."""


class Choices(Sized):
    """Many models with a queue each; a call goes to the least busy of ``choices`` random ones."""

    kind: Literal["choices"] = "choices"
    choices: Annotated[int, Field(ge=1, le=10)] = 2
    load: Load = 0.9
    servers: Annotated[int, Field(ge=1, le=2000)] = 200
    warm_up: Share = 0.7

    @property
    def wanted(self) -> float:
        """For one choice as at one model; else a time that grows as a queue's memory does."""
        if self.choices == 1:
            return wanted(self.load, 0.5)
        return SETTLING * self.servers * max(1.0, (0.1 / (1 - self.load)) ** 2)

    def known(self) -> list[Known]:
        """The mean sojourn at infinitely many models (Mitzenmacher 2001); exact for one choice."""
        d, r = self.choices, self.load
        powers = (place if d == 1 else (d**place - d) / (d - 1) for place in count(int(d > 1)))
        terms = takewhile(lambda term: term > NEGLIGIBLE, (r**power for power in powers))
        words = "1 / (1 - r)" if d == 1 else "sum over i >= 1 of r^((d^i - d) / (d - 1))"
        return [Known("mean sojourn W", words, math.fsum(terms))]

    def observe(self, seed: int) -> Found:
        """One run of many models; few of its tasks count, as each model sees a share of them."""
        models = {f"m{number}": model() for number in range(self.servers)}
        router = {"kind": "least-busy", "choices": self.choices}
        per_s = self.load * self.servers
        run = ran(market(models, {"a": agents(per_s)}, self.size, seed, router=router))
        calls = settled(run.frames, self.warm_up)
        sojourn = float(between_s(calls, "posted_us", "finished_us").mean())
        return Found([sojourn], self._chance(settled(run.frames, REMEMBERED * self.warm_up)))

    def _chance(self, calls: pl.DataFrame) -> Controls:
        """Of the market as one, or of each model where these have nothing to do with each other."""
        service, per_s = Service(servers=self.servers), self.load * self.servers
        if self.choices > 1:
            return chance(calls, per_s, service)
        found = pace(calls, calls, per_s, service)
        if len(calls) >= ENOUGH * self.servers:
            each = calls.partition_by("model")
            found["rushes"] = fmean(rushing(mine, self.load, 1 / 3) for mine in each)
        return found


class Jackson(Case):
    """Tasks go to a first model, if its answer is wrong to a second, and back, until it is right.

    Args:
        arrivals: tasks per second. first, second: answers per second of either model.
        onward, back: chance that an answer of the first, of the second is wrong.
    """

    kind: Literal["jackson"] = "jackson"
    arrivals: Positive = 1.0
    first: Positive = 3.0
    second: Positive = 2.0
    onward: OpenShare = 0.5
    back: OpenShare = 0.4
    tasks: Tasks = 2_500

    @model_validator(mode="after")
    def _stable(self) -> Self:
        if any(busy >= 1 for busy in self._loads) or self.onward * self.back > 0.5:
            msg = "rates below what the models can answer, and onward times back at most .5"
            raise ValueError(msg)
        return self

    @property
    def _rates(self) -> tuple[float, float]:
        at_first = self.arrivals / (1 - self.onward * self.back)
        return at_first, self.onward * at_first

    @property
    def _loads(self) -> tuple[float, float]:
        return self._rates[0] / self.first, self._rates[1] / self.second

    def known(self) -> list[Known]:
        """The rate at either model, and the number of calls in flight (Jackson 1957)."""
        number = sum(busy / (1 - busy) for busy in self._loads)
        return [
            Known("rate at the first", "g / (1 - p12 p21)", self._rates[0]),
            Known("rate at the second", "p12 times that", self._rates[1]),
            Known("mean number L", "sum of r_i / (1 - r_i)", number),
            Known("Little's law, error in us", "integral of L = sum of W", 0, "exact"),
        ]

    def observe(self, seed: int) -> Found:
        """One run of two models and a cascade between them."""
        models = {
            "first": model(1 / self.first, quality={INTENT: quality_of(1 - self.onward)}),
            "second": model(1 / self.second, quality={INTENT: quality_of(1 - self.back)}),
        }
        router = {"kind": "cascade", "order": ["first", "second"] * (LADDER // 2)}
        asked = agents(self.arrivals, retries=LADDER - 1)
        frames = ran(market(models, {"a": asked}, self.tasks, seed, router=router)).frames
        rates = [rate_per_s(frames, frames.calls.filter(model=name)) for name in models]
        number = mean_number(frames, frames.calls, "posted_us", "finished_us")
        return Found([*rates, number, littles_error_us(frames)])
