"""Supply: models behind endpoints, and the pool that a router sees."""

from sim.models.ability import ability, discrimination_of
from sim.models.endpoint import Answer, Call, Endpoint, Terms
from sim.models.lengths import longest_ppm
from sim.models.outages import outages
from sim.models.pool import Pool

__all__ = [
    "Answer", "Call", "Endpoint", "Pool", "Terms", "ability", "discrimination_of", "longest_ppm",
    "outages",
]  # fmt: skip
