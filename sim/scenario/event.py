"""What all events have in common: when they begin and end, whom they name, what they set."""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from pydantic import Field

from sim.parameters import Parameters, Positive
from sim.scenario.names import Name
from sim.scenario.supply import Hours
from sim.units import us_from_hours_nearest

if TYPE_CHECKING:
    from sim.scenario.schema import Scenario

Settings = Mapping[str, object]
"""Values by path, as overrides are."""
Reference = tuple[str, str, str]
"""A key of an event, what it names (``models``, ``groups``, ``validators``, ``origin``,
``owner``), and whom."""


class Event(Parameters):
    """What all events say: when, in hours from the start, and for how long (else to the end).

    The settings of an event are made upon the scenario as the events before it leave it.
    """

    at_h: Hours
    for_h: Positive | None = Field(default=None, le=1_000_000)

    @property
    def from_us(self) -> int:
        """When it begins."""
        return us_from_hours_nearest(self.at_h)

    @property
    def until_us(self) -> int | None:
        """When it is over, if it ever is."""
        return None if self.for_h is None else us_from_hours_nearest(self.at_h + self.for_h)

    def times_us(self) -> tuple[int, ...]:
        """When its settings change."""
        return (self.from_us,) if self.until_us is None else (self.from_us, self.until_us)

    def stage(self, time_us: int) -> int:
        """0 before it, 1 while it is in force, 2 once it is over."""
        if time_us < self.from_us:
            return 0
        return 2 if self.until_us is not None and time_us >= self.until_us else 1

    def settings(self, now: "Scenario", stage: int) -> Settings:
        """Its settings at a stage, upon the scenario ``now``."""
        return self.in_force(now) if stage == 1 else {}

    def in_force(self, now: "Scenario") -> Settings:
        """Its settings while it is in force; none, unless an event says which."""
        del now
        return {}

    def references(self) -> Iterator[Reference]:
        """The names that it takes to be known."""
        yield from ()


class OfModel(Event):
    """An event of one ``model``."""

    model: Name

    @property
    def path(self) -> str:
        """Where the model's parameters are."""
        return f'models."{self.model}"'

    def references(self) -> Iterator[Reference]:
        """The model."""
        yield "model", "models", self.model


class OfGroups(Event):
    """An event of some ``groups``; of all, when left out."""

    groups: tuple[Name, ...] = ()

    def concerned(self, now: "Scenario") -> tuple[str, ...]:
        """The groups that it is about."""
        return self.groups or tuple(now.groups)

    def references(self) -> Iterator[Reference]:
        """The groups."""
        for group in self.groups:
            yield "groups", "groups", group
