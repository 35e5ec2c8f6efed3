"""Named random streams, so that the randomness of one component never depends on another.

A stream is named by the run's seed and a path such as ``("coders", 3, "arrival")``: its generator
is seeded with the SHA-256 of that name, so adding an agent shifts nobody else. What is decided per
call (is this answer right, which rank is drawn) is no stream but a hash of the task's own draw, the
name of what decides and the attempt: models share a task's difficulty, not its luck.
"""

import hashlib
from statistics import NormalDist
from typing import Final

import numpy as np

BLOCK_MAX: Final = 256
MASK64: Final = (1 << 64) - 1
HALF_STEPS: Final = 1 << 53
NORMAL: Final = NormalDist()


def stream(seed: int, *name: str | int) -> np.random.Generator:
    """The generator of the stream ``name`` under ``seed`` (PCG64, 128 bits of SHA-256)."""
    digest = hashlib.sha256("/".join(map(str, (seed, *name))).encode()).digest()
    return np.random.Generator(np.random.PCG64(int.from_bytes(digest[:16], "big")))


def key(name: str) -> int:
    """A 64-bit key for `mix` that depends on a name alone."""
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big")


def mix(draw: int, salt: int, attempt: int) -> int:
    """A counter-based hash: 64 uniform bits from (draw, salt, attempt).

    The finaliser is SplitMix64's (Steele, Lea, Flood 2014, "Fast splittable pseudorandom number
    generators"), on a draw that is itself uniform.
    """
    z = (draw ^ salt) + (attempt + 1) * 0x9E3779B97F4A7C15 & MASK64
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9 & MASK64
    z = (z ^ (z >> 27)) * 0x94D049BB133111EB & MASK64
    return z ^ (z >> 31)


def below(bits: int, limit: int) -> int:
    """64 uniform bits as an int in [0, limit), by multiply and shift (bias below limit / 2**64)."""
    return bits * limit >> 64


def uniform(bits: int) -> float:
    """64 uniform bits as a float strictly between 0 and 1: the middles of 2**53 equal steps."""
    return (2 * below(bits, HALF_STEPS) + 1) / (2 * HALF_STEPS)


def normal(bits: int) -> float:
    """64 uniform bits as a standard normal variate, by inversion."""
    return NORMAL.inv_cdf(uniform(bits))


class BlockSizes:
    """Sizes of successive blocks of a stream: 16, 32, ... up to 256; short streams stay cheap."""

    def __init__(self) -> None:
        self._size = 8

    def next(self) -> int:
        """The size of the next block."""
        self._size = min(2 * self._size, BLOCK_MAX)
        return self._size
