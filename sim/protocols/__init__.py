"""Protocols: what happens by the clock around the market; ``telegraph`` is Telegraph's.

Without one, models keep the mean of their last verdicts as their score and nothing else changes.
"""

from sim.protocols.telegraph import Registration, SpotChecks, Telegraph

__all__ = ["PROTOCOLS", "Protocol", "Registration", "SpotChecks", "Telegraph"]

Protocol = Telegraph
PROTOCOLS = {"telegraph": Telegraph}
