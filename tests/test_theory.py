"""Known answers that `telex verify` does not ask: of the default latency law, and of Little."""

import math
from collections.abc import Callable
from statistics import fmean, stdev

import polars as pl
import pytest

from sim.record.frames import Frames
from sim.scenario import Scenario
from tests.scenarios_for_tests import group, lively, model, ran, scenario

REPLICATIONS = 20
STUDENT = 2.093
"""97.5 % quantile of Student's t with 19 degrees of freedom."""


def near(what: Callable[[int], float], truth: float) -> None:
    """The mean over seeds is within 4 standard errors, and known to 5 %."""
    found = [what(seed) for seed in range(REPLICATIONS)]
    error = stdev(found) / REPLICATIONS**0.5
    assert abs(fmean(found) - truth) < 4 * error, f"found {fmean(found)}, needed {truth}"
    assert STUDENT * error < 0.05 * truth


def station(
    per_s: float, slots: int, queue: int, tasks: int, seed: int, sigma: float = 0
) -> Scenario:
    """Poisson arrivals at one model whose service takes one second, times a lognormal of mean 1."""
    mean_ms = 1000 / math.exp(sigma * sigma / 2)
    served = model(
        0,
        capacity={"slots": slots, "queue": queue},
        latency={"first_token_ms": mean_ms, "tokens_per_s": 1e9, "sigma": sigma},
    )
    asked = group(3600 * per_s, deadline_s=1e9)
    return scenario({"m": served}, {"a": asked}, tasks=tasks, seed=seed)


def mean_wait_s(frames: Frames) -> float:
    """The mean of started - posted after a tenth of the calls."""
    calls = frames.calls.filter(pl.col("call_id") >= len(frames.calls) // 10)
    return float((calls["started_us"] - calls["posted_us"]).to_numpy().mean()) / 10**6


def test_waiting_with_lognormal_service_is_pollaczek_and_khinchines() -> None:
    load, sigma = 0.5, 0.8
    near(
        lambda seed: mean_wait_s(ran(station(load, 1, 10**6, 8_000, seed, sigma))),
        load / (1 - load) * math.exp(sigma * sigma) / 2,
    )


def test_a_queue_of_one_loses_what_m_d_1_2_loses() -> None:
    """At load 1 a departure leaves nobody behind if nobody came in its service: with chance 1/e."""
    empty = math.exp(-1)

    def lost(seed: int) -> float:
        tasks = ran(station(1, 1, 1, 2_500, seed)).tasks
        return float((tasks["reason"] == "no_capacity").to_numpy().mean())

    near(lost, 1 - 1 / (empty + 1))


@pytest.mark.parametrize("seed", range(3))
def test_littles_law_holds_to_the_microsecond(seed: int) -> None:
    frames = ran(lively(500, seed))
    edges = [
        *((us, 1) for us in frames.calls["posted_us"]),
        *((us, -1) for us in frames.calls["finished_us"]),
    ]
    flying = area = before = 0
    for us, change in sorted(edges):
        area += flying * (us - before)
        flying, before = flying + change, us
    assert frames.call_us == area > 0
