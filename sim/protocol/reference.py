"""Answers to reference tasks: how many of them a model gets right, from one draw."""

import math
from bisect import bisect_right
from functools import lru_cache

from sim.chance import below
from sim.units import PPM

FINE = 10**9


@lru_cache(maxsize=4096)
def _steps(tasks: int, chance_ppm: int) -> tuple[int, ...]:
    """P(at most k right) for k = 0, 1, ..., in billionths (the binomial distribution)."""
    if chance_ppm in (0, PPM):
        return (FINE,) if not chance_ppm else (*(0 for _ in range(tasks)), FINE)
    win, lose = math.log(chance_ppm / PPM), math.log1p(-chance_ppm / PPM)
    every = math.lgamma(tasks + 1)
    steps, total = [], 0.0
    for right in range(tasks + 1):
        ways = every - math.lgamma(right + 1) - math.lgamma(tasks - right + 1)
        total += math.exp(ways + right * win + (tasks - right) * lose)
        steps.append(round(total * FINE))
    steps[-1] = FINE
    return tuple(steps)


def right_answers(tasks: int, chance_ppm: int, draw: int) -> int:
    """How many of ``tasks`` are right when each is with chance ``chance_ppm``; 64 uniform bits."""
    return bisect_right(_steps(tasks, chance_ppm), below(draw, FINE))
