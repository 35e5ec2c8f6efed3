"""Events: what changes at a time of a run; each says which settings it makes, and when."""

from collections.abc import Iterator
from decimal import Decimal
from typing import TYPE_CHECKING, Annotated, Literal, Self

from pydantic import BeforeValidator, Field, WithJsonSchema, model_validator

from sim.parameters import Bps, NonNegative, Positive, Share
from sim.protocols.validators import VALIDATOR_GROUPS, Names, ValidatorGroup
from sim.scenario.event import Event, OfGroups, OfModel, Reference, Settings
from sim.scenario.names import Name
from sim.scenario.supply import Origin
from sim.scenario.writing import as_text

if TYPE_CHECKING:
    from sim.scenario.schema import Scenario

Setting = Annotated[str, BeforeValidator(as_text), WithJsonSchema({})]
Factor = Annotated[float, Field(ge=0.001, le=1000)]


class Set(Event):
    """Any settings by path, as after ``--set``: ``{models.glm-5.capacity.slots: 8}``."""

    kind: Literal["set"] = "set"
    set: dict[str, Setting] = Field(min_length=1)

    def in_force(self, now: "Scenario") -> Settings:
        """As they are written."""
        del now
        return self.set


class Release(OfModel):
    """The model is on offer from then on, and not before."""

    kind: Literal["release"]

    def settings(self, now: "Scenario", stage: int) -> Settings:
        """Listed from its time on, for as long as it says."""
        wanted = stage == 1
        same = now.models[self.model].listed is wanted
        return {} if same else {f"{self.path}.listed": wanted}


class Deprecation(OfModel):
    """The model is on offer no longer; calls that it has are answered."""

    kind: Literal["deprecation"]

    def in_force(self, now: "Scenario") -> Settings:
        """Not listed."""
        del now
        return {f"{self.path}.listed": False}


class Outage(OfModel):
    """The model is down: every call it has ends unanswered and is refunded."""

    kind: Literal["outage"]
    for_h: Positive = Field(le=1_000_000)

    def settings(self, now: "Scenario", stage: int) -> Settings:
        """A planned outage, known to the world from the start."""
        del stage
        windows = now.models[self.model].outages.windows
        mine = {"from_h": self.at_h, "to_h": self.at_h + self.for_h}
        return {f"{self.path}.outages.windows": [*(w.model_dump() for w in windows), mine]}


class Brownout(OfModel):
    """The model is ``slower`` times as slow, and solves ``quality_factor`` of what it did."""

    kind: Literal["brownout"]
    for_h: Positive = Field(le=1_000_000)
    slower: Annotated[float, Field(ge=1, le=1000)] = 2.0
    quality_factor: Annotated[float, Field(gt=0, le=1)] = 1.0

    def in_force(self, now: "Scenario") -> Settings:
        """Its latency and quality."""
        model = now.models[self.model]
        return {
            f"{self.path}.latency.first_token_ms": model.latency.first_token_ms * self.slower,
            f"{self.path}.latency.tokens_per_s": model.latency.tokens_per_s / self.slower,
            f"{self.path}.quality": {
                intent: share * self.quality_factor for intent, share in model.quality.items()
            },
        }


class PriceChange(OfModel):
    """All prices of the model times ``factor``, to the nearest micro: 0.5 halves them."""

    kind: Literal["price"]
    factor: Factor

    def in_force(self, now: "Scenario") -> Settings:
        """Its prices."""
        factor = Decimal(repr(self.factor))
        price = now.models[self.model].price.model_dump(exclude={"kind"}, exclude_none=True)
        return {f"{self.path}.price.{key}": round(usd * factor, 6) for key, usd in price.items()}


class Surge(OfGroups):
    """Agents post ``factor`` times as many tasks: a framework that goes viral, a holiday."""

    kind: Literal["surge"]
    factor: Factor

    def in_force(self, now: "Scenario") -> Settings:
        """Their rates."""
        return {
            f'groups."{group}".arrival.per_hour': now.groups[group].arrival.per_hour * self.factor
            for group in self.concerned(now)
        }


class Ban(OfGroups):
    """Models of an ``origin`` may not serve the groups."""

    kind: Literal["ban"]
    origin: Origin

    def in_force(self, now: "Scenario") -> Settings:
        """One more excluded origin."""
        return {
            f'groups."{group}".requires.excluded_origins': _with(
                now.groups[group].requires.excluded_origins, self.origin
            )
            for group in self.concerned(now)
        }

    def references(self) -> Iterator[Reference]:
        """The origin and the groups."""
        yield "origin", "origin", self.origin
        yield from super().references()


class Closure(OfGroups):
    """An ``owner`` of models closes its subscriptions to the groups, which lose these models."""

    kind: Literal["closure"]
    owner: Name

    def in_force(self, now: "Scenario") -> Settings:
        """One more excluded owner."""
        return {
            f'groups."{group}".requires.excluded_owners': _with(
                now.groups[group].requires.excluded_owners, self.owner
            )
            for group in self.concerned(now)
        }

    def references(self) -> Iterator[Reference]:
        """The owner and the groups."""
        yield "owner", "owner", self.owner
        yield from super().references()


def _with(names: tuple[str, ...], name: str) -> list[str]:
    return list(dict.fromkeys((*names, name)))


class ExportControl(Event):
    """No chips for makers of an ``origin``: their models keep a share of their slots."""

    kind: Literal["export-control"]
    origin: Origin
    capacity_factor: Annotated[float, Field(gt=0, le=1)]

    def in_force(self, now: "Scenario") -> Settings:
        """Their slots, rounded down, at least one."""
        return {
            f'models."{model_id}".capacity.slots': max(
                1, int(model.capacity.slots * self.capacity_factor)
            )
            for model_id, model in now.models.items()
            if model.origin == self.origin
        }

    def references(self) -> Iterator[Reference]:
        """The origin."""
        yield "origin", "origin", self.origin


class Fee(Event):
    """The treasury's share of every charge from then on; only of runs without a chain."""

    kind: Literal["fee"]
    fee_bps: Bps

    def in_force(self, now: "Scenario") -> Settings:
        """The fee."""
        del now
        return {"rail.fee_bps": self.fee_bps}


class Defection(Event):
    """A protocol's ``validators``, by group, do otherwise: collude, copy, grow careless, stay away.

    Args:
        favours, opposes: models for which they report 1, or 0, whatever they find.
        copies: the group whose first validator they copy, running no script.
        noise, presence: as those of a group. What is not said stays as it is.
    """

    kind: Literal["defection"]
    validators: tuple[Name, ...] = Field(min_length=1)
    favours: Names = ()
    opposes: Names = ()
    copies: Name | None = None
    noise: NonNegative | None = Field(default=None, le=10)
    presence: Share | None = None

    @model_validator(mode="after")
    def _from_something_to_one_thing(self) -> Self:
        if self.copies is not None and (self.favours or self.opposes):
            msg = "copies, or favours and opposes: who copies reports what another finds"
            raise ValueError(msg)
        said = self.copies or self.favours or self.opposes
        if not said and self.noise is None and self.presence is None:
            msg = "favours, opposes, copies, noise or presence: what they do from then on"
            raise ValueError(msg)
        return self

    def in_force(self, now: "Scenario") -> Settings:
        """The groups as they are then, each whole: another kind has other parameters."""
        groups = now.protocol.validators if now.protocol else {}
        return {
            f'protocol.validators."{name}"': self._conduct(groups[name]) for name in self.validators
        }

    def _conduct(self, group: ValidatorGroup) -> Settings:
        found = group.model_dump()
        changed = {"noise": self.noise, "presence": self.presence}
        found |= {key: value for key, value in changed.items() if value is not None}
        pact = {"kind": "colluding", "favours": self.favours, "opposes": self.opposes}
        if self.copies is not None:
            found |= {"kind": "copying", "of": self.copies}
        elif self.favours or self.opposes:
            found |= pact
        allowed = VALIDATOR_GROUPS[found["kind"]].model_fields
        return {key: value for key, value in found.items() if key in allowed}

    def references(self) -> Iterator[Reference]:
        """The groups of validators, and the models."""
        yield from (("validators", "validators", name) for name in self.validators)
        if self.copies is not None:
            yield "copies", "validators", self.copies
        yield from (("favours", "models", name) for name in self.favours)
        yield from (("opposes", "models", name) for name in self.opposes)


AnyEvent = Annotated[
    Set
    | Release
    | Deprecation
    | Outage
    | Brownout
    | PriceChange
    | Surge
    | Ban
    | Closure
    | ExportControl
    | Fee
    | Defection,
    Field(discriminator="kind"),
]
EVENTS = {
    "set": Set,
    "release": Release,
    "deprecation": Deprecation,
    "outage": Outage,
    "brownout": Brownout,
    "price": PriceChange,
    "surge": Surge,
    "ban": Ban,
    "closure": Closure,
    "export-control": ExportControl,
    "fee": Fee,
    "defection": Defection,
}
