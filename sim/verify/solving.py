"""Qualities: the one by which a model is right with a wanted chance, all tasks equally hard."""

from functools import lru_cache

import numpy as np

from sim.scenario.schema import ItemResponse


@lru_cache
def quality_of(chance: float) -> float:
    """The share of the reference mix that is solved by who solves a task of difficulty 0 so often.

    With discrimination k: ability ln(chance / (1 - chance)) / k, and from it the mean of
    1 / (1 + exp(-k (ability - d))) over d standard normal, by Gauss and Hermite's rule.
    """
    slope = ItemResponse().discrimination
    ability = np.log(chance / (1 - chance)) / slope
    nodes, weights = np.polynomial.hermite_e.hermegauss(200)
    solved = 1 / (1 + np.exp(-slope * (ability - nodes)))
    return float((weights * solved).sum() / weights.sum())
