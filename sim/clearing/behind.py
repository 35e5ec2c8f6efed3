"""Behind the pick: the router that asks another model where the one that it picked is lost."""

from sim.mechanisms.reverse import Reverse
from sim.routers import InversePower, Leaderboard
from sim.scenario.schema import Scenario

FallingBack = Leaderboard | InversePower


def fallback_of(scenario: Scenario) -> FallingBack | None:
    """A scenario's router, if it has models stand behind its pick, and if its mechanism asks it."""
    router = scenario.router
    if isinstance(scenario.mechanism, Reverse) or not isinstance(router, FallingBack):
        return None
    return router if router.fallbacks else None
