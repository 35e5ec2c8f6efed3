"""Protocols: what happens by the clock around the market; ``telegraph`` is Telegraph's.

Without one, models keep the mean of their last verdicts as their score and nothing else changes.
"""

from sim.protocols.money import Emission, Purchases
from sim.protocols.pricing import Jobs, Pricing, Tier
from sim.protocols.telegraph import Registration, SpotChecks, Telegraph
from sim.protocols.validators import Colluding, Consensus, Copying, Discipline, Honest

__all__ = [
    "PROTOCOLS", "Colluding", "Consensus", "Copying", "Discipline", "Emission", "Honest", "Jobs",
    "Pricing", "Protocol", "Purchases", "Registration", "SpotChecks", "Telegraph", "Tier",
]  # fmt: skip

Protocol = Telegraph
PROTOCOLS = {"telegraph": Telegraph}
