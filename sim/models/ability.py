"""Item response: from the share of tasks a model solves to its ability, and back."""

from functools import lru_cache

import numpy as np
import numpy.typing as npt

from sim.scenario.schema import Scenario
from sim.scenario.supply import Model
from sim.units import PPM

ABILITY_MAX = 40.0
Floats = npt.NDArray[np.float64]


@lru_cache(maxsize=64)
def _reference_mix(discrimination: float) -> tuple[Floats, Floats]:
    """Standard normal difficulties, and the weight of each, fine enough for a trapezoid sum."""
    step = min(0.05, 0.5 / discrimination)
    nodes = np.arange(-9.0, 9.0 + step, step)
    weights = np.exp(-nodes * nodes / 2)
    return nodes, weights / weights.sum()


def _solved(ability: float, discrimination: float) -> float:
    """E[1 / (1 + exp(-discrimination (a - d)))] for d standard normal, by a trapezoid sum.

    It converges geometrically for this analytic integrand.
    """
    nodes, weights = _reference_mix(discrimination)
    exponent = np.clip(discrimination * (nodes - ability), -500, 500)
    return float((weights / (1 + np.exp(exponent))).sum())


@lru_cache(maxsize=4096)
def ability(quality: float, discrimination: float) -> int:
    """The ability, in millionths, of a model that solves ``quality`` of the reference mix."""
    low, high = -ABILITY_MAX, ABILITY_MAX
    for _ in range(60):
        middle = (low + high) / 2
        if _solved(middle, discrimination) < quality:
            low = middle
        else:
            high = middle
    return round(PPM * (low + high) / 2)


def discrimination_of(model: Model, scenario: Scenario) -> float:
    """The model's own discrimination, or else the scenario's."""
    own = model.discrimination
    return scenario.item_response.discrimination if own is None else own


@lru_cache(maxsize=4096)
def solved_ppm(millionths: int, discrimination: float) -> int:
    """The share of the reference mix, in ppm, that a model of this ability solves."""
    return round(PPM * _solved(millionths / PPM, discrimination))
