"""Noise that is a hash: the error of every validator on every answer, as a matrix at once."""

from typing import Final

import numpy as np
import numpy.typing as npt

from sim.units import PPM

Bits = npt.NDArray[np.uint64]
Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

GOLDEN: Final = np.uint64(0x9E3779B97F4A7C15)
BYTES: Final = np.uint64(0x00FF00FF00FF00FF)
LANES: Final = np.uint64(0x0001000100010001)
MEAN: Final = 8 * 255 // 2
SPREAD: Final = (8 * (256**2 - 1) / 12) ** 0.5


def mixed(draws: Bits, keys: Bits) -> Bits:
    """(draws, keys): 64 uniform bits for each pair, as `sim.chance.mix` makes them."""
    z = (draws[:, None] ^ keys[None, :]) + GOLDEN
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    bits: Bits = z ^ (z >> np.uint64(31))
    return bits


def normals(bits: Bits) -> Floats:
    """Standard normal variates of uniform bits: the sum of eight bytes, less its mean, scaled.

    Normal by the central limit theorem (Irwin-Hall; excess kurtosis -0.15), whole but for one
    division, and so the same on every machine.
    """
    lanes = (bits & BYTES) + ((bits >> np.uint64(8)) & BYTES)
    sums = (lanes * LANES) >> np.uint64(48)
    return (sums.astype(np.int64) - MEAN) / SPREAD


def happens(draw: int, keys: Bits, shares_ppm: npt.NDArray[np.int64]) -> Flags:
    """Whether what has chance ``shares_ppm`` happens to each of ``keys``, by one draw."""
    bits = mixed(np.array([draw], np.uint64), keys)[0]
    flags: Flags = (bits >> np.uint64(32)).astype(np.int64) * PPM >> 32 < shares_ppm
    return flags
