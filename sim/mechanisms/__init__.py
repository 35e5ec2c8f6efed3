"""Mechanisms, or how a task's price comes about, as a scenario names them.

A mechanism is a frozen class; to add one, write such a class and name it in ``Mechanism`` and in
``MECHANISMS``. How each clears tasks within a run is in `sim.clearing`. A model that does not serve
the intent, meet the requirements, have room, or keep within limit and purse takes part in none.
"""

from typing import Annotated

from pydantic import Field

from sim.mechanisms.capacity import Double, FirstPrice, SecondPrice, UniformPrice
from sim.mechanisms.posted import Posted
from sim.mechanisms.prices import PerCall, PerToken, Price, Tariff
from sim.mechanisms.reverse import (
    Ask,
    Award,
    ExecutionContingent,
    PayPerSuccess,
    ReverseFirst,
    ReverseSecond,
    Scoring,
)

__all__ = [
    "MECHANISMS", "Ask", "Award", "Double", "ExecutionContingent", "FirstPrice", "Mechanism",
    "PayPerSuccess", "PerCall", "PerToken", "Posted", "Price", "ReverseFirst", "ReverseSecond",
    "Scoring", "SecondPrice", "Tariff", "UniformPrice",
]  # fmt: skip

Mechanism = Annotated[
    Posted
    | FirstPrice
    | SecondPrice
    | UniformPrice
    | ReverseFirst
    | ReverseSecond
    | Scoring
    | PayPerSuccess
    | ExecutionContingent
    | Double,
    Field(discriminator="kind"),
]
MECHANISMS = {
    "posted": Posted,
    "first-price": FirstPrice,
    "second-price": SecondPrice,
    "uniform-price": UniformPrice,
    "reverse-first": ReverseFirst,
    "reverse-second": ReverseSecond,
    "scoring": Scoring,
    "pay-per-success": PayPerSuccess,
    "execution-contingent": ExecutionContingent,
    "double": Double,
}
