"""What a scenario may say of its models: price, cost, quality, capacity, latency, outages."""

from itertools import pairwise
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from sim.costs import Cost
from sim.latencies import Breakdowns, Law, Lognormal
from sim.mechanisms import Price
from sim.parameters import Count, NonNegative, OpenShare, Parameters, Positive, PositiveCount, Share
from sim.scenario.honesty import Honest, Honesty
from sim.scenario.names import InOrder, Name
from sim.strategies import FixedPrice, Selling

Weights = Literal["open", "closed"]
DataPolicy = Literal["trains", "retains", "forgets"]
"""A provider may train on prompts, only keep them for a time, or keep none of them."""
Origin = Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z -]{0,39}$")]
Hours = Annotated[float, Field(ge=0, le=1_000_000)]


class Scaling(Parameters):
    """More slots as load asks for them, up to ``max_slots``; never fewer than a model's own.

    Every ``every_s`` as many are wanted as make calls served or waiting fill ``target_load`` of
    them. Those ordered come after ``start_s``; those not wanted for ``calm_s`` go.
    """

    max_slots: PositiveCount = Field(le=1_000_000)
    target_load: Annotated[float, Field(gt=0, le=1)] = 0.7
    every_s: Positive = Field(default=15.0, ge=0.1, le=1e6)
    start_s: NonNegative = Field(default=120.0, le=1e7)
    calm_s: NonNegative = Field(default=300.0, le=1e7)


class Capacity(Parameters):
    """``slots`` calls are served at once; up to ``queue`` more wait.

    The ``discipline`` says who is next: ``fifo``, first come first served; or ``priority``, the
    greatest ``priority`` of a group first, and first come first served within it. Nobody who is
    being served is put back. Of each minute of the clock, ``calls_per_minute`` calls are taken,
    served or waiting; after those the model is not on offer until the next.
    """

    slots: PositiveCount = Field(default=100, le=1_000_000)
    queue: Count = Field(default=1000, le=1_000_000)
    calls_per_minute: PositiveCount | None = None
    scaling: Scaling | None = None
    discipline: Literal["fifo", "priority"] = "fifo"

    @model_validator(mode="after")
    def _room_to_grow(self) -> Self:
        if self.scaling is not None and self.scaling.max_slots < self.slots:
            msg = f"scaling.max_slots of at least slots: {self.slots}"
            raise ValueError(msg)
        return self


class Latency(Parameters):
    """Service time: (first token + output tokens / speed) times a factor that ``law`` draws.

    ``lognormal``: exp(sigma * a standard normal); the other laws have mean 1 and no ``sigma``.
    A model slows down with its load: tokens take 1 + ``slowdown`` * (the share of its other slots
    that are busy when a call begins) times as long, as they do where calls share a batch.
    """

    first_token_ms: NonNegative = Field(default=1000.0, le=1e9)
    tokens_per_s: Positive = Field(default=50.0, ge=1e-3, le=1e9)
    sigma: NonNegative = Field(default=0.3, le=5)
    slowdown: NonNegative = Field(default=0.0, le=1000)
    law: Law = Lognormal()


class Window(Parameters):
    """A planned outage, in hours from the start."""

    from_h: Hours
    to_h: Hours

    @model_validator(mode="after")
    def _forward(self) -> Self:
        if self.to_h <= self.from_h:
            msg = "to_h after from_h"
            raise ValueError(msg)
        return self


class Outages(Parameters):
    """When a model is down: planned ``windows``, and at random (exponential up and down times)."""

    windows: tuple[Window, ...] = ()
    mean_up_h: Positive | None = Field(default=None, ge=1e-3, le=1e6)
    mean_down_min: Positive = Field(default=15.0, le=1e7)

    @model_validator(mode="after")
    def _apart(self) -> Self:
        windows = sorted(self.windows, key=lambda window: window.from_h)
        for earlier, later in pairwise(windows):
            if later.from_h < earlier.to_h:
                msg = f"windows that do not overlap (one ends at {earlier.to_h:g} h)"
                raise ValueError(msg)
        return self


class Source(Parameters):
    """Where a figure is from, and of which time."""

    source: str = Field(min_length=1, max_length=200)
    date: str = Field(pattern=r"^\d{4}(-\d{2}(-\d{2})?)?(/\d{2})?$")


class Model(Parameters):
    """A model behind an endpoint: what it asks, what it can do, how fast, how much at once.

    Args:
        owner: whose it is; models and groups of one owner belong together.
        listed: whether it is on offer; one that is not may be released by an event.
        cost: what its answers cost it, at the margin; nothing, when left out.
        selling: how its price moves, and what it asks in an auction.
        quality: per intent, the share it solves of the reference mix of tasks (difficulty 0, 1).
        declared_quality: where its score starts; the true one when left out.
        verbosity: visible output tokens over those of the reference answer.
        reasoning_share: hidden reasoning as a share of all output tokens.
        cache_hit_share: share of the input tokens that the model finds in its cache.
        wrong_output_factor: how many times longer a wrong answer is than a right one.
        output_sigma: standard deviation of the logarithm of its answers' lengths that other models
            do not share: a factor of mean 1, cut at three deviations.
        discrimination: how steeply successes fall with difficulty; the scenario's when left out.
        context_tokens: the longest input it takes; any, when left out.
        honesty: whether it answers as itself and bills what it made.
        data_policy: what its provider does with prompts. tools: what it can use, by name.
        sources, estimated: where figures are from and which are estimates, by path in this entry.
    """

    origin: Origin | None = None
    owner: Name | None = None
    listed: bool = True
    weights: Weights = "closed"
    data_policy: DataPolicy = "trains"
    tools: tuple[Name, ...] = ()
    price: Price
    cost: Cost | None = None
    selling: Selling = FixedPrice()
    honesty: Honesty = Honest()
    quality: Annotated[dict[str, OpenShare], Field(min_length=1), InOrder]
    declared_quality: Annotated[dict[str, OpenShare], InOrder] = {}
    capacity: Capacity = Capacity()
    latency: Latency = Latency()
    verbosity: Positive = Field(default=1.0, ge=0.01, le=100)
    reasoning_share: Annotated[float, Field(ge=0, le=0.99)] = 0.0
    cache_hit_share: Share = 0.0
    wrong_output_factor: Annotated[float, Field(ge=1, le=100)] = 1.0
    output_sigma: Annotated[float, Field(ge=0, le=2)] = 0.0
    discrimination: Annotated[float, Field(gt=0, le=50)] | None = None
    context_tokens: PositiveCount | None = None
    outages: Outages = Outages()
    breakdowns: Breakdowns = Breakdowns()
    sources: dict[str, Source] = {}
    estimated: tuple[str, ...] = ()
