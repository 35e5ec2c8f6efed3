"""How long a model's answers are beside others' to the same task: a lognormal factor of its own.

factor = exp(sigma z) / E[exp(sigma z)], z standard normal but cut at +-3, so that its mean is 1 and
a quote can bound it.
"""

import math
from statistics import NormalDist

from sim.chance import uniform
from sim.units import PPM

NORMAL = NormalDist()
CUT = 3.0
LEAST = NORMAL.cdf(-CUT)
INSIDE = 1 - 2 * LEAST


def _moment(exponent: float) -> float:
    """E[exp(exponent z)] of the cut normal: exp(e^2 / 2) (Phi(3 - e) - Phi(-3 - e)) / inside."""
    inside = NORMAL.cdf(CUT - exponent) - NORMAL.cdf(-CUT - exponent)
    return math.exp(exponent * exponent / 2) * inside / INSIDE


def relative_variance(sigma: float) -> float:
    """The variance of the factor, whose mean is 1."""
    return _moment(2 * sigma) / _moment(sigma) ** 2 - 1


def longest_ppm(tokens_ppm: int, sigma: float) -> int:
    """Tokens of the longest answer there can be, where the mean answer has ``tokens_ppm``."""
    return -(-tokens_ppm * OwnLength(sigma).most_ppm // PPM)


class OwnLength:
    """The factor by which one answer is longer or shorter than the model's answers are in the mean.

    Args:
        sigma: standard deviation of its logarithm, before the cut.
    """

    def __init__(self, sigma: float) -> None:
        self.sigma, self._mean = sigma, _moment(sigma)

    @property
    def most_ppm(self) -> int:
        """The greatest factor there is, in ppm."""
        return math.ceil(PPM * math.exp(self.sigma * CUT) / self._mean) if self.sigma else PPM

    def factor_ppm(self, bits: int) -> int:
        """The factor, in ppm, that 64 uniform bits decide."""
        z = max(-CUT, min(CUT, NORMAL.inv_cdf(LEAST + INSIDE * uniform(bits))))
        return min(round(PPM * math.exp(self.sigma * z) / self._mean), self.most_ppm)
