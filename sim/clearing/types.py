"""What a clearing is, and what it needs of the market it is part of."""

from collections.abc import Sequence
from typing import Protocol

from sim.agents import Agent
from sim.clock import Clock
from sim.facts import Reason, Task
from sim.ledger import Ledger
from sim.mechanisms import Ask
from sim.models import Call, Endpoint, Pool, Terms
from sim.rails import Rail
from sim.routers import Router
from sim.scenario.schema import Scenario

Offer = tuple[Endpoint, int, int, int, Terms | None]
"""A model, what is held, what the agent bids and the model asks for the call (all in micros), and
the charge where it is not the model's tariff that makes it: hold <= bid, ask <= hold."""


class Floor(Protocol):
    """The market as its mechanism sees it."""

    clock: Clock
    pool: Pool
    ledger: Ledger
    router: Router
    rail: Rail
    pay_any: bool
    in_flight: dict[int, Call]
    asks: list[tuple[int, ...]]

    def serve(self, call: Call) -> None:
        """The model serves an Answer."""

    def move(self, call: Call, model: Endpoint) -> None:
        """A call that waits goes to another model."""


class Clearing(Protocol):
    """One mechanism within a run."""

    @property
    def unserved(self) -> Reason:
        """Why a call ends that has waited until its deadline."""
        ...

    def offer(
        self, agent: Agent, task: Task, attempt: int, models: Sequence[int],
        behind: int | None = None,
    ) -> Offer | Reason:  # fmt: skip
        """The call to be made of a task that these models fit; or why there is none.

        ``behind``: the one among them that takes over a lost call; no router is asked then.
        """
        ...

    def asks(self, task: Task, models: Sequence[int]) -> list[Ask]:
        """What each of these models asks for a task: the least it is paid for a success."""
        ...

    def enter(self, call: Call) -> bool:
        """Serves a call that was just made, if it may be served now; says whether it did."""
        ...

    def slot_freed(self, model: Endpoint) -> None:
        """Serves who waits for a slot of this model, as far as the mechanism lets it."""
        ...

    def ended(self, call: Call, charge_micros: int, success: bool) -> None:
        """A call has ended and was charged."""
        ...

    def adopt(self, scenario: Scenario) -> None:
        """A phase begins: new calls go by its rules; bids that wait stay as they were made."""
        ...
