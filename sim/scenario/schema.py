"""What a scenario file may say: frozen pydantic, units in the names, unknown keys refused."""

import hashlib
import json
import math
from collections.abc import Mapping
from decimal import Decimal
from typing import Annotated, Literal

from pydantic import Field

from sim.arrivals import Arrival
from sim.intents import INTENTS
from sim.mechanisms import Mechanism, Posted
from sim.parameters import NonNegative, Parameters, Positive, PositiveCount, PositiveUsd
from sim.protocols import Discipline, Protocol
from sim.rails import BatchRail, EscrowJobRail, Rail
from sim.rails.escrow import LIFETIME_H
from sim.routers import Leaderboard, Router
from sim.scenario.conduct import (
    Escalation,
    GiveUp,
    Lateness,
    Learning,
    Outside,
    Session,
    Withdrawal,
)
from sim.scenario.demand import Demand
from sim.scenario.events import AnyEvent
from sim.scenario.names import InOrder, Name
from sim.scenario.reported import Reported
from sim.scenario.requirements import Requirements
from sim.scenario.supply import Model
from sim.strategies import Bidding, Fixed, Truthful, Values
from sim.validators import Median, Validators


class Group(Parameters):
    """Agents of one kind. Budget is per agent; value and deadline per task, maximum price per call.

    ``budget_per_day_usd`` and ``budget_per_task_usd`` bound what an agent's calls of one simulated
    day, and the calls of one task, may cost. ``priority``: the greatest is served first where a
    model's queue goes by it. Agents of an ``owner`` of models trade with itself where they buy from
    those: wash trades. ``values`` says how a task's worth comes from ``value_usd``, and
    ``bidding`` what an agent offers for a slot where slots are auctioned.
    """

    count: PositiveCount = Field(le=1_000_000)
    owner: Name | None = None
    arrival: Arrival
    intents: Annotated[dict[str, Demand], Field(min_length=1), InOrder]
    budget_usd: PositiveUsd
    budget_per_day_usd: PositiveUsd | None = None
    budget_per_task_usd: PositiveUsd | None = None
    value_usd: PositiveUsd
    max_price_usd: PositiveUsd
    deadline_s: Positive = Field(le=1e9)
    retries: Annotated[int, Field(ge=0, le=100, strict=True)] = 0
    priority: Annotated[int, Field(ge=-1000, le=1000, strict=True)] = 0
    requires: Requirements = Requirements()
    values: Values = Fixed()
    bidding: Bidding = Truthful()
    lateness: Lateness | None = None
    escalation: Escalation | None = None
    give_up: GiveUp = GiveUp()
    session: Session | None = None
    learning: Learning | None = None
    outside: Outside = Outside()
    withdrawal: Withdrawal | None = None


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
    events: tuple[AnyEvent, ...] = ()
    reported: Annotated[dict[Name, Reported], InOrder] = {}

    @property
    def judges(self) -> tuple[str, ...]:
        """The protocol's groups of validators."""
        return tuple(self.protocol.validators) if self.protocol else ()

    def canonical_json(self) -> bytes:
        """All that can change a record, as JSON in one form: sorted keys, numbers without zeros.

        Left out are the name, the question, what was reported, the chain's backend, the models'
        ``sources`` and ``estimated``, and where a router's file is: its SHA-256 says which it is;
        and what came later than the first records, where it is not used: see `_unused`, and a
        router's ``fallbacks``.
        """
        still = {name for name, group in self.groups.items() if group.withdrawal is None}
        usual = isinstance(self.rail, EscrowJobRail) and self.rail.lifetime_h == LIFETIME_H
        behind = getattr(self.router, "fallbacks", 0)
        document = self.model_dump(
            exclude={
                "name": True,
                "question": True,
                "reported": True,
                "chain": {"backend"},
                "router": {"file"} if behind else {"file", "fallbacks"},
                "models": {"__all__": {"sources", "estimated"}},
                "groups": {name: {"withdrawal"} for name in still},
                "rail": {
                    *({"timelock_h"} if len(still) == len(self.groups) else ()),
                    *({"lifetime_h"} if usual else ()),
                },
                "protocol": _unused(self.protocol),
            }
        )
        text = json.dumps(_canonical(document), sort_keys=True, separators=(",", ":"))
        return text.encode("ascii")

    def scenario_hash(self) -> bytes:
        """SHA-256 of `canonical_json`: 32 bytes."""
        return hashlib.sha256(self.canonical_json()).digest()


def _unused(protocol: Protocol | None) -> dict[str, bool | set[str]]:
    """Fields of a protocol that came later than the first records, where all is as it was then."""
    if protocol is None:
        return {}
    found: dict[str, bool | set[str]] = {}
    if protocol.jobs is None:
        found["jobs"] = True
    if not protocol.tier_a:
        found["tier_a"] = True
    if protocol.discipline.absence_percent == Discipline().absence_percent:
        found["discipline"] = {"absence_percent"}
    return found


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
