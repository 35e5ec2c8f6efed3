"""Chance: streams that depend on their names alone, and a hash whose bits are uniform."""

import hashlib
from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim.chance import BLOCK_MAX, MASK64, BlockSizes, below, key, mix, stream

BITS = st.integers(0, MASK64)
MODELS = ("glm-5", "gpt-5", "a", "b")


def test_the_same_name_is_the_same_stream() -> None:
    one, other = stream(7, "coders", 3, "arrival"), stream(7, "coders", 3, "arrival")
    assert (one.random(1000) == other.random(1000)).all()


def test_a_stream_is_seeded_by_the_sha_256_of_its_name() -> None:
    seed = int.from_bytes(hashlib.sha256(b"7/coders/3/arrival").digest()[:16], "big")
    known = np.random.Generator(np.random.PCG64(seed))
    assert (stream(7, "coders", 3, "arrival").random(10) == known.random(10)).all()


@pytest.mark.parametrize(
    "name",
    [(8, "coders", 3, "arrival"), (7, "coder", 3, "arrival"), (7, "coders", 4, "arrival"),
     (7, "coders", 3, "luck"), (7, "coders", 3), (7, "coders", 31, "arrival")],
)  # fmt: skip
def test_another_name_is_an_independent_stream(name: tuple[int, str, int, str]) -> None:
    one = stream(7, "coders", 3, "arrival").standard_normal(10_000)
    other = stream(*name).standard_normal(10_000)
    assert abs(np.corrcoef(one, other)[0, 1]) < 0.04
    assert not np.isin(one, other).any()


def test_one_stream_does_not_move_another() -> None:
    one, other = stream(7, "a"), stream(7, "b")
    one.random(99)
    assert other.random() == stream(7, "b").random()


def test_block_sizes_double_up_to_their_limit() -> None:
    sizes = BlockSizes()
    assert [sizes.next() for _ in range(7)] == [16, 32, 64, 128, 256, 256, 256]
    assert BLOCK_MAX == 256


@given(BITS, st.integers(1, 2**40))
def test_below_is_in_range(bits: int, limit: int) -> None:
    assert 0 <= below(bits, limit) < limit


def test_below_reaches_both_its_ends_and_rises() -> None:
    assert (below(0, 10), below(MASK64, 10)) == (0, 9)
    edge = -(-(1 << 64) // 10)
    assert (below(edge - 1, 10), below(edge, 10)) == (0, 1)


@given(BITS, BITS, st.integers(0, 1000))
def test_mix_is_64_bits(draw: int, salt: int, attempt: int) -> None:
    assert 0 <= mix(draw, salt, attempt) <= MASK64


def test_mix_is_known() -> None:
    """The first number of SplitMix64 seeded with 0, as published."""
    assert mix(0, 0, 0) == splitmix(0x9E3779B97F4A7C15) == 0xE220A8397B1DCDAF
    assert mix(5, 9, 2) == splitmix((5 ^ 9) + 3 * 0x9E3779B97F4A7C15)


def splitmix(z: int) -> int:
    z &= MASK64
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9 & MASK64
    z = (z ^ (z >> 27)) * 0x94D049BB133111EB & MASK64
    return z ^ (z >> 31)


def chi_square(values: list[int], cells: int) -> float:
    """The statistic of counts against even ones; its mean is cells - 1, its variance twice that."""
    counts, wanted = Counter(values), len(values) / cells
    return sum((counts[cell] - wanted) ** 2 for cell in range(cells)) / wanted


@pytest.mark.parametrize("shift", [0, 29, 56])
def test_mix_is_uniform_even_over_draws_that_follow_one_another(shift: int) -> None:
    for salt in map(key, MODELS):
        cells = [mix(draw, salt, 0) >> shift & 255 for draw in range(20_000)]
        assert abs(chi_square(cells, 256) - 255) < 5 * (2 * 255) ** 0.5


def cell(bits: int) -> int:
    return below(bits, 16)


@pytest.mark.parametrize("attempts", [(0, 1), (1, 2), (0, 5)])
def test_attempts_are_independent_of_one_another(attempts: tuple[int, int]) -> None:
    salt, (one, other) = key("model/glm-5"), attempts
    pairs = [
        16 * cell(mix(draw, salt, one)) + cell(mix(draw, salt, other)) for draw in range(20_000)
    ]
    assert abs(chi_square(pairs, 256) - 255) < 5 * (2 * 255) ** 0.5


@pytest.mark.parametrize("names", [("model/a", "model/b"), ("model/a", "router/rank")])
def test_models_and_routers_are_independent_of_one_another(names: tuple[str, str]) -> None:
    one, other = map(key, names)
    pairs = [16 * cell(mix(d, one, 0)) + cell(mix(d, other, 0)) for d in range(20_000)]
    assert abs(chi_square(pairs, 256) - 255) < 5 * (2 * 255) ** 0.5


def test_keys_depend_on_names_alone() -> None:
    assert key("a") == int.from_bytes(hashlib.sha256(b"a").digest()[:8], "big")
    assert len({key(f"model/{number}") for number in range(1000)}) == 1000
