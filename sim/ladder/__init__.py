"""The settlement ladder: one list of calls through every rail on one Anvil, measured."""

from sim.ladder.climb import SAMPLE_CALLS, climb
from sim.ladder.figures import Ladder, Rung

__all__ = ["SAMPLE_CALLS", "Ladder", "Rung", "climb"]
