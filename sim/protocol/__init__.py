"""Telegraph's clock: epochs, registrations and spot checks around a market that runs."""

from sim.protocol.course import Course

__all__ = ["Course"]
