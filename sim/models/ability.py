"""Item response: from the share of tasks a model solves to its ability."""

from functools import lru_cache

import numpy as np

from sim.scenario.schema import Model, Scenario
from sim.units import PPM

ABILITY_MAX = 40.0


@lru_cache(maxsize=4096)
def ability(quality: float, discrimination: float) -> int:
    """The ability, in millionths, of a model that solves ``quality`` of the reference mix.

    Solves E[1 / (1 + exp(-discrimination (a - d)))] = quality for d standard normal by bisection;
    the mean is a trapezoid sum, which converges geometrically for this analytic integrand.
    """
    step = min(0.05, 0.5 / discrimination)
    nodes = np.arange(-9.0, 9.0 + step, step)
    weights = np.exp(-nodes * nodes / 2)
    weights /= weights.sum()
    low, high = -ABILITY_MAX, ABILITY_MAX
    for _ in range(60):
        middle = (low + high) / 2
        exponent = np.clip(discrimination * (nodes - middle), -500, 500)
        if float((weights / (1 + np.exp(exponent))).sum()) < quality:
            low = middle
        else:
            high = middle
    return round(PPM * (low + high) / 2)


def discrimination_of(model: Model, scenario: Scenario) -> float:
    """The model's own discrimination, or else the scenario's."""
    own = model.discrimination
    return scenario.item_response.discrimination if own is None else own
