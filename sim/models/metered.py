"""Endpoints that tell of every charge, for the routers that follow the money."""

from collections.abc import Callable

from sim.facts import Task
from sim.mechanisms import Tariff
from sim.models.answer import Answer
from sim.models.endpoint import Endpoint

SPENDERS = ("market-share", "python")
"""The kinds of router that do."""


class Metered(Endpoint):
    """An endpoint that tells ``book`` of every charge; only for routers that follow the money."""

    book: Callable[[Task, int, int], None]

    def charge_micros(self, task: Task, answer: Answer, tariff: Tariff) -> int:
        """What this answer costs, and booked."""
        charge = super().charge_micros(task, answer, tariff)
        self.book(task, self.index, charge)
        return charge

    def charged(self, task: Task, charge_micros: int) -> None:
        """Takes note of a charge that a mechanism made."""
        self.book(task, self.index, charge_micros)
