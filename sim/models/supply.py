"""Supply: what happens at models by itself: outages, autoscaling, prices that are set anew."""

from typing import Protocol

from sim.clock import Clock
from sim.models.endpoint import Endpoint
from sim.models.outages import outages
from sim.models.pool import Pool
from sim.models.scaling import Autoscaler
from sim.models.sellers import Seller, sellers
from sim.scenario.phases import Phases
from sim.scenario.schema import Scenario


class Floor(Protocol):
    """The market, as far as processes at its models change it."""

    def go_down(self, model: Endpoint) -> None:
        """An outage begins."""

    def come_back(self, model: Endpoint) -> None:
        """An outage ends."""

    def resize(self, model: Endpoint, slots: int) -> None:
        """A model has other slots."""


class Supply:
    """The processes of a pool's models."""

    def __init__(self, clock: Clock, pool: Pool, floor: Floor) -> None:
        self.clock, self.pool, self.floor = clock, pool, floor
        self._scalers = [Autoscaler(clock, each, floor.resize) for each in pool.endpoints]
        self._sellers: list[Seller] = []

    def start(self, every: Phases) -> None:
        """Starts every process, by the first phase."""
        for scaler in self._scalers:
            endpoint = scaler.endpoint
            outages(
                self.clock, endpoint, every.first.seed, self.floor.go_down, self.floor.come_back
            )
            scaler.adopt(every.first)
        self._sellers = sellers(self.pool, every)
        for seller in self._sellers:
            seller.start(self.clock)

    def adopt(self, scenario: Scenario) -> None:
        """Goes on by a later phase."""
        for scaler in self._scalers:
            scaler.adopt(scenario)
        for seller in self._sellers:
            seller.adopt(scenario)
