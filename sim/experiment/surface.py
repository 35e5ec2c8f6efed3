"""Response surfaces: a quadratic through noisy points, and where it has its least value."""

from collections.abc import Sequence
from itertools import combinations_with_replacement
from typing import Final

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
NEAR: Final = 1.5
"""How many steps from the best point another may be, in each parameter, to bear on the surface."""


def vertex(points: Sequence[Sequence[float]], values: Sequence[float]) -> list[float] | None:
    """Where the quadratic that fits best (least squares) is least.

    None if there are fewer points than a quadratic's coefficients and one more, or if it has no
    least value: it is not convex.
    """
    x, y = np.asarray(points, np.float64), np.asarray(values, np.float64)
    n, dimensions = x.shape
    pairs = list(combinations_with_replacement(range(dimensions), 2))
    if n < 2 + dimensions + len(pairs):
        return None
    middle = x.mean(axis=0)
    x = x - middle
    columns = [np.ones(n), *x.T, *(x[:, i] * x[:, j] for i, j in pairs)]
    coefficients, _, rank, _ = np.linalg.lstsq(np.column_stack(columns), y, rcond=None)
    if rank < len(columns):
        return None
    slope = coefficients[1 : 1 + dimensions]
    hessian = np.zeros((dimensions, dimensions))
    for (i, j), coefficient in zip(pairs, coefficients[1 + dimensions :], strict=True):
        hessian[i, j] += coefficient
        hessian[j, i] += coefficient
    if np.linalg.eigvalsh(hessian).min() <= 0:
        return None
    found: list[float] = (middle - np.linalg.solve(hessian, slope)).tolist()
    return found


def best_guess(
    points: Sequence[Sequence[float]], values: Sequence[float], step: float
) -> list[float]:
    """The vertex of the surface near the point of least value, no further than 1.5 steps from it.

    That point itself if there is no such vertex. Points are in the unit cube, and so is ``step``.
    """
    best, reach = points[int(np.argmin(values))], NEAR * step
    near = [
        place
        for place, point in enumerate(points)
        if max(abs(a - b) for a, b in zip(point, best, strict=True)) <= reach
    ]
    found = vertex([points[place] for place in near], [values[place] for place in near])
    if found is None:
        return list(best)
    return [
        min(max(value, middle - reach, 0.0), middle + reach, 1.0)
        for value, middle in zip(found, best, strict=True)
    ]


def around(centre: Sequence[float], count: int, step: float, seed: int) -> list[list[float]]:
    """The centre, and further points at random within ``step`` of it in the unit cube."""
    random = np.random.default_rng(seed)
    offsets = random.uniform(-step, step, (count, len(centre)))
    offsets[0] = 0
    points: list[list[float]] = np.clip(np.asarray(centre) + offsets, 0, 1).tolist()
    return points
