"""What a scenario file may say: frozen pydantic, units in the names, unknown keys refused."""

import hashlib
import json
import math
from collections.abc import Mapping
from decimal import Decimal
from itertools import pairwise
from typing import Annotated, Literal, Self, TypeVar

from pydantic import AfterValidator, Field, model_validator

from sim.arrivals import Arrival
from sim.intents import INTENTS
from sim.latencies import Breakdowns, Law, Lognormal
from sim.mechanisms import Mechanism, Posted, Price
from sim.parameters import (
    Count,
    NonNegative,
    OpenShare,
    Parameters,
    Positive,
    PositiveCount,
    PositiveUsd,
    Share,
)
from sim.protocols import Protocol
from sim.rails import BatchRail, Rail
from sim.routers import Leaderboard, Router
from sim.validators import Median, Validators

NAME = r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$"

Weights = Literal["open", "closed"]
Name = Annotated[str, Field(pattern=NAME)]
Origin = Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z -]{0,39}$")]
Hours = Annotated[float, Field(ge=0, le=1_000_000)]
Entry = TypeVar("Entry")


def in_order(entries: dict[str, Entry]) -> dict[str, Entry]:
    """By name: positions in a scenario, and so its record, do not depend on the order of a file."""
    return dict(sorted(entries.items()))


InOrder = AfterValidator(in_order)


class Capacity(Parameters):
    """``slots`` calls are served at once; up to ``queue`` more wait.

    The ``discipline`` says who is next: ``fifo``, first come first served; or ``priority``, the
    greatest ``priority`` of a group first, and first come first served within it. Nobody who is
    being served is put back.
    """

    slots: PositiveCount = Field(default=100, le=1_000_000)
    queue: Count = Field(default=1000, le=1_000_000)
    discipline: Literal["fifo", "priority"] = "fifo"


class Latency(Parameters):
    """Service time: (first token + output tokens / speed) times a factor that ``law`` draws.

    ``lognormal``: exp(sigma * a standard normal); the other laws have mean 1 and no ``sigma``.
    """

    first_token_ms: NonNegative = Field(default=1000.0, le=1e9)
    tokens_per_s: Positive = Field(default=50.0, ge=1e-3, le=1e9)
    sigma: NonNegative = Field(default=0.3, le=5)
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
        sources, estimated: where figures are from and which are estimates, by path in this entry.
    """

    origin: Origin | None = None
    weights: Weights = "closed"
    price: Price
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


class Size(Parameters):
    """A lognormal size in tokens: its median and the standard deviation of its logarithm."""

    median: Positive = Field(le=10_000_000)
    sigma: Annotated[float, Field(ge=0, le=5)] = 0.0


class Difficulty(Parameters):
    """Normal difficulty; the reference mix, by which quality is measured, has mean 0, sigma 1."""

    mean: float = Field(default=0.0, ge=-20, le=20)
    sigma: NonNegative = Field(default=1.0, le=20)


class Demand(Parameters):
    """One intent within a group: its share of the tasks, and how large and hard they are."""

    share: Positive = Field(default=1.0, ge=1e-6, le=1e6)
    input_tokens: Size
    output_tokens: Size
    difficulty: Difficulty = Difficulty()


class Requirements(Parameters):
    """What a model must meet before it may be picked; empty means no such demand."""

    weights: Weights | None = None
    origins: tuple[Origin, ...] = ()
    excluded_origins: tuple[Origin, ...] = ()

    def met_by(self, model: Model) -> bool:
        """Whether a model may serve agents that ask for this."""
        return (
            self.weights in (None, model.weights)
            and (not self.origins or model.origin in self.origins)
            and model.origin not in self.excluded_origins
        )


class Group(Parameters):
    """Agents of one kind. Budget is per agent; value, maximum price and deadline per task.

    ``priority``: the greatest is served first where a model's queue goes by it.
    """

    count: PositiveCount = Field(le=1_000_000)
    arrival: Arrival
    intents: Annotated[dict[str, Demand], Field(min_length=1), InOrder]
    budget_usd: PositiveUsd
    value_usd: PositiveUsd
    max_price_usd: PositiveUsd
    deadline_s: Positive = Field(le=1e9)
    retries: Annotated[int, Field(ge=0, le=100, strict=True)] = 0
    priority: Annotated[int, Field(ge=-1000, le=1000, strict=True)] = 0
    requires: Requirements = Requirements()


class ItemResponse(Parameters):
    """P(right) = 1 / (1 + exp(-discrimination * (ability - difficulty))).

    The two-parameter logistic model (Birnbaum 1968): the steeper, the more models fail on the same
    tasks.
    """

    discrimination: Annotated[float, Field(gt=0, le=50)] = 3.0


class Chain(Parameters):
    """Where calls are settled (a local ``anvil``, ``none``, the URL of a node) and gas prices."""

    backend: str = Field(default="anvil", pattern=r"^(anvil|none|https?://\S+)$")
    gas_price_gwei: NonNegative = Field(default=0.01, le=1e6)
    eth_usd: NonNegative = Field(default=3000.0, le=1e9)
    block_time_s: Positive = Field(default=2.0, ge=1, le=1e6)
    call_events: bool = True


QUESTION_LENGTH = 2000


class Scenario(Parameters):
    """A whole scenario, resolved: presets, catalog entries and overrides already merged in.

    It ends after ``horizon_h`` simulated hours, or once ``tasks`` tasks were posted and served.
    """

    version: Literal[1]
    name: Name
    question: str = Field(default="", max_length=QUESTION_LENGTH)
    seed: int = Field(default=1, ge=0, lt=2**63, strict=True)
    horizon_h: Positive | None = Field(default=None, le=1_000_000)
    tasks: PositiveCount | None = Field(default=None, le=1_000_000_000)
    intents: Annotated[
        tuple[Annotated[str, Field(pattern=r"^[A-Z][A-Z0-9_]{0,63}$")], ...], Field(min_length=1)
    ] = INTENTS
    item_response: ItemResponse = ItemResponse()
    models: Annotated[dict[Name, Model], Field(min_length=1), InOrder]
    groups: Annotated[dict[Name, Group], Field(min_length=1), InOrder]
    mechanism: Mechanism = Posted()
    router: Router = Leaderboard()
    validators: Validators = Median()
    rail: Rail = BatchRail()
    chain: Chain = Chain()
    protocol: Protocol | None = None

    def canonical_json(self) -> bytes:
        """All that can change a record, as JSON in one form: sorted keys, numbers without zeros.

        Left out are the name and the question, the chain's backend, and the models' ``sources``
        and ``estimated``.
        """
        document = self.model_dump(
            exclude={
                "name": True,
                "question": True,
                "chain": {"backend"},
                "models": {"__all__": {"sources", "estimated"}},
            }
        )
        text = json.dumps(_canonical(document), sort_keys=True, separators=(",", ":"))
        return text.encode("ascii")

    def scenario_hash(self) -> bytes:
        """SHA-256 of `canonical_json`: 32 bytes."""
        return hashlib.sha256(self.canonical_json()).digest()


def _canonical(value: object) -> object:
    if isinstance(value, Mapping):
        return {key: _canonical(part) for key, part in value.items()}
    if isinstance(value, (tuple, list)):
        return [_canonical(part) for part in value]
    if isinstance(value, Decimal):
        return format(value.normalize() + 0, "f")
    if isinstance(value, float) and math.isclose(value, 0.0, abs_tol=0.0):
        return 0.0
    return value
