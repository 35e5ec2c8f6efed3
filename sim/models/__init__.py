"""Supply: models behind endpoints, and the pool that a router sees."""

from sim.models.ability import ability, discrimination_of
from sim.models.answer import Answer
from sim.models.changes import Changes
from sim.models.endpoint import Call, Endpoint, Terms, list_tariff
from sim.models.floors import FloorPool, JobPool, is_job, pool_of
from sim.models.lengths import longest_ppm
from sim.models.outages import outages
from sim.models.pool import Pool
from sim.models.queues import requeue
from sim.models.sellers import Seller, sellers
from sim.models.supply import Supply

__all__ = [
    "Answer", "Call", "Changes", "Endpoint", "FloorPool", "JobPool", "Pool", "Seller", "Supply",
    "Terms", "ability", "discrimination_of", "is_job", "list_tariff", "longest_ppm", "outages",
    "pool_of", "requeue", "sellers",
]  # fmt: skip
