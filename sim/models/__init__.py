"""Supply: models behind endpoints, and the pool that a router sees."""

from sim.models.ability import ability
from sim.models.endpoint import Answer, Call, Endpoint
from sim.models.outages import outages
from sim.models.pool import Pool

__all__ = ["Answer", "Call", "Endpoint", "Pool", "ability", "outages"]
