"""Arrivals: the rates, the spread and the weekly pattern that a scenario asks for."""

from itertools import islice

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from sim import arrivals
from sim.arrivals import Arrival, Pattern, posting_times
from sim.units import US_PER_HOUR

Hours = npt.NDArray[np.float64]
KINDS: dict[str, dict[str, object]] = {
    "poisson": {"kind": "poisson"},
    "bursty": {"kind": "gamma", "cv": 3.5},
    "regular": {"kind": "gamma", "cv": 0.25},
    "bursts": {"kind": "bursts", "on_s": 60, "off_s": 240},
}
DAILY = [0.0] * 8 + [1.0, 2.0, 3.0, 4.0] + [2.0] * 12
WEEKLY = [1.0, 1.0, 2.0, 1.0, 0.5, 0.0, 1.0]


def arrival(name: str, per_hour: float = 60, **parameters: object) -> Arrival:
    made: Arrival = TypeAdapter(Arrival).validate_python(
        KINDS[name] | {"per_hour": per_hour} | parameters
    )
    return made


def times(law: Arrival, count: int, seed: int = 1) -> Hours:
    """The first ``count`` posting times, in hours."""
    found: list[int] = []
    for block in posting_times(law, (seed, "group", 0)):
        found += block
        if len(found) >= count:
            break
    return np.array(found[:count]) / US_PER_HOUR


def spread(found: Hours) -> float:
    """The coefficient of variation of the gaps."""
    gaps = np.diff(found)
    return float(gaps.std() / gaps.mean())


@pytest.mark.parametrize("name", KINDS)
@pytest.mark.parametrize("per_hour", [0.5, 60])
def test_arrivals_keep_their_mean_rate(name: str, per_hour: float) -> None:
    count = 60_000
    found = times(arrival(name, per_hour), count)
    in_off = 240 / 3600 * per_hour / 5
    cv = {"poisson": 1, "bursty": 3.5, "regular": 0.25, "bursts": (1 + 8 * in_off * 0.8) ** 0.5}
    assert found[-1] * per_hour / count == pytest.approx(1, abs=4 * cv[name] / count**0.5)


@pytest.mark.parametrize(("name", "cv"), [("poisson", 1), ("bursty", 3.5), ("regular", 0.25)])
def test_gaps_have_their_coefficient_of_variation(name: str, cv: float) -> None:
    found = np.mean([spread(times(arrival(name), 20_000, seed)) for seed in range(5)])
    assert found == pytest.approx(cv, rel=0.03)


def test_gaps_of_a_renewal_process_are_independent() -> None:
    for name in ("poisson", "bursty", "regular"):
        gaps = np.diff(times(arrival(name), 20_000))
        assert abs(np.corrcoef(gaps[1:], gaps[:-1])[0, 1]) < 0.03


def test_a_gamma_of_cv_1_is_a_poisson_process_in_law() -> None:
    gaps = np.diff(times(arrival("bursty", cv=1), 20_000)) * 60
    assert [(gaps > level).mean() for level in (0.1, 1, 3)] == pytest.approx(
        [np.exp(-0.1), np.exp(-1), np.exp(-3)], abs=0.012
    )


def dispersion(found: Hours, width_h: float) -> float:
    """Variance over mean of the counts in windows of ``width_h``."""
    counts = np.bincount((found / width_h).astype(int))[:-1]
    return float(counts.var() / counts.mean())


def test_bursts_are_over_dispersed_and_poisson_is_not() -> None:
    assert dispersion(times(arrival("poisson"), 50_000), 0.1) == pytest.approx(1, abs=0.06)
    assert dispersion(times(arrival("bursts"), 50_000), 0.1) > 3


def test_within_a_burst_the_rate_is_higher_by_the_share_of_time_that_is_off() -> None:
    dense = arrival("bursts", per_hour=3600, on_s=600, off_s=1800)
    gaps = np.diff(times(dense, 100_000)) * 3600
    assert np.median(gaps) == pytest.approx(np.log(2) / 4, rel=0.02)
    pauses = gaps[gaps > 20]
    assert pauses.mean() == pytest.approx(1800, rel=0.4)
    assert len(pauses) / 100_000 == pytest.approx(1 / 2400, rel=0.5)


def test_bursts_without_pauses_are_a_poisson_process() -> None:
    steady = times(arrival("bursts", on_s=60, off_s=0), 30_000)
    assert spread(steady) == pytest.approx(1, abs=0.03)
    assert dispersion(steady, 0.1) == pytest.approx(1, abs=0.07)


def weeks_of(found: Hours) -> tuple[npt.NDArray[np.int64], float]:
    """Arrivals in each hour of the week over whole weeks, and how many weeks these are."""
    weeks = int(found[-1] // 168)
    hours = (found[found < weeks * 168] % 168).astype(np.int64)
    return np.bincount(hours, minlength=168), weeks


@pytest.mark.parametrize("name", ["poisson", "bursty"])
def test_the_daily_and_weekly_pattern_is_reproduced(name: str) -> None:
    cv = {"cv": 1.2} if name == "bursty" else {}
    law = arrival(name, 100, pattern={"daily": DAILY, "weekly": WEEKLY}, **cv)
    counts, weeks = weeks_of(times(law, 700_000))
    factors = np.outer(WEEKLY, DAILY).ravel()
    wanted = factors / factors.mean() * 100 * weeks
    assert counts[factors == 0].sum() == 0
    lively = factors > 0
    deviations = (counts - wanted)[lively] / wanted[lively] ** 0.5
    assert abs(deviations).max() < 6
    assert counts.sum() / (168 * weeks) == pytest.approx(100, rel=0.01)


def test_a_pattern_keeps_the_mean_and_starts_on_the_first_day() -> None:
    nights = arrival("poisson", 10, pattern={"daily": [1.0] * 6 + [0.0] * 18})
    found = times(nights, 2_000)
    assert (found % 24 < 6 + 1e-9).all()
    assert found[0] < 6
    assert found[-1] / 2_000 * 10 == pytest.approx(1, abs=0.1)


def test_a_level_pattern_changes_nothing() -> None:
    level = Pattern(daily=(2.0,) * 24, weekly=(0.5,) * 7)
    plain = times(arrival("poisson"), 3_000)
    assert times(arrival("poisson", pattern=level.model_dump()), 3_000) == pytest.approx(plain)
    assert level.cumulative().tolist() == list(range(169))


@settings(max_examples=40)
@given(
    st.sampled_from(sorted(KINDS)),
    st.sampled_from([0.01, 60, 1e6]),
    st.integers(0, 2**32),
    st.booleans(),
)
def test_times_never_fall(name: str, per_hour: float, seed: int, patterned: bool) -> None:
    pattern = {"daily": DAILY, "weekly": WEEKLY} if patterned else {}
    blocks = posting_times(arrival(name, per_hour, pattern=pattern), (seed, "g", 0))
    found = [us for block in islice(blocks, 8) for us in block]
    assert found[0] >= 0
    assert found == sorted(found)


@pytest.mark.parametrize("name", KINDS)
def test_times_do_not_depend_on_the_size_of_blocks(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    law = arrival(name, pattern={"daily": DAILY})
    plain = times(law, 900)

    class Fives:
        def next(self) -> int:
            return 5

    monkeypatch.setattr(arrivals, "BlockSizes", Fives)
    assert (times(law, 900) == plain).all()


def test_blocks_are_at_most_256_long() -> None:
    blocks = posting_times(arrival("poisson"), (1, "g", 0))
    assert [len(block) for block in islice(blocks, 7)] == [16, 32, 64, 128, 256, 256, 256]


def test_agents_of_other_names_post_at_other_times() -> None:
    law = arrival("bursts")
    names = [(1, "g", 0), (1, "g", 1), (1, "h", 0), (2, "g", 0)]
    firsts = [tuple(next(posting_times(law, name))) for name in names]
    assert len(set(firsts)) == 4


@pytest.mark.parametrize("factors", [{"daily": [0] * 24}, {"weekly": [0] * 7}, {"daily": [1] * 23}])
def test_a_pattern_without_any_rate_is_refused(factors: dict[str, list[float]]) -> None:
    with pytest.raises(ValidationError):
        Pattern.model_validate(factors)


def test_regular_arrivals_are_a_gap_apart_from_a_phase_on() -> None:
    law: Arrival = TypeAdapter(Arrival).validate_python(
        {"kind": "regular", "per_hour": 3600, "phase": 0.25}
    )
    found = next(posting_times(law, (1, "g", 0)))
    assert found == [250_000 + 1_000_000 * number for number in range(16)]
    assert found == next(posting_times(law, (2, "h", 7)))
