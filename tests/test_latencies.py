"""Latency laws, breakdowns and queues: their moments, their chance, and who is served next."""

import math
from collections import Counter

import numpy as np
import pytest
from pydantic import TypeAdapter

from sim.chance import mix
from sim.facts import ScenarioError
from sim.latencies import LATENCIES, Breakdowns, Law, Lognormal
from sim.models import Pool
from sim.routers.drawing import some
from sim.units import US_PER_S
from tests.scenarios_for_tests import fates, group, model, play, ran, record, scenario, task

N = 20_000
SPREADS = {
    "deterministic": 0.0,
    "exponential": 1.0,
    "uniform": 1 / math.sqrt(3),
    "erlang": 0.5,
    "hyperexponential": 2.0,
}


def draws(count: int = N) -> list[int]:
    return [mix(number, 0, 0) for number in range(count)]


def law_of(kind: str) -> Law:
    law: Law = TypeAdapter(Law).validate_python({"kind": kind})
    return law


def latency(law: object, **changes: object) -> dict[str, object]:
    timed = {"first_token_ms": 1000, "tokens_per_s": 1e9, "law": law}
    return model(latency=timed, **changes)


@pytest.mark.parametrize("kind", SPREADS)
def test_a_law_has_mean_1_and_its_own_spread(kind: str) -> None:
    law = law_of(kind)
    assert not isinstance(law, Lognormal)
    found = np.array([law.factor(bits) for bits in draws()])
    assert (found >= 0).all()
    assert found.mean() == pytest.approx(1, abs=max(1e-12, 4 * SPREADS[kind] / math.sqrt(N)))
    assert found.std() == pytest.approx(SPREADS[kind], rel=0.05)


def test_every_law_but_lognormal_has_a_spread_that_is_tested() -> None:
    assert set(SPREADS) | {"lognormal"} == set(LATENCIES)


def test_an_exponential_time_exceeds_t_with_chance_exp_minus_t() -> None:
    law = law_of("exponential")
    assert not isinstance(law, Lognormal)
    found = np.array([law.factor(bits) for bits in draws()])
    for limit in (0.1, 1.0, 3.0):
        share = math.exp(-limit)
        assert (found > limit).mean() == pytest.approx(
            share, abs=4 * math.sqrt(share * (1 - share) / N)
        )


def test_a_retry_and_another_model_take_a_time_of_their_own() -> None:
    pool = Pool(scenario({name: latency({"kind": "exponential"}) for name in ("a", "b")}))
    a, b = pool.endpoints
    times = np.array(
        [
            [end.answer(task(draw=bits), attempt).service_us for end, attempt in who]
            for bits in draws(4000)
            for who in [((a, 0), (a, 1), (b, 0), (a, 0))]
        ]
    ).T
    assert (times[0] == times[3]).all()
    correlation = np.corrcoef(times[:3])
    assert abs(correlation[np.triu_indices(3, 1)]).max() < 4 / math.sqrt(4000)


def test_a_law_of_one_model_shifts_nobody_elses_time() -> None:
    models = {"a": model(), "b": latency({"kind": "erlang", "stages": 3})}
    plain = {"a": model(), "b": model()}
    weights = {"kind": "weighted", "weights": {"a": 1, "b": 1}}
    first, second = (ran(scenario(m, tasks=300, router=weights)).calls for m in (models, plain))
    of_a = [calls.filter(model="a")["started_us", "finished_us"] for calls in (first, second)]
    assert of_a[0].equals(of_a[1])
    assert not first.filter(model="b").equals(second.filter(model="b"))


def test_the_expected_time_that_routers_see_is_the_mean() -> None:
    broken = {"mean_busy_s": 2.0, "mean_repair_s": 1.0}
    pool = Pool(
        scenario(
            {
                "even": latency({"kind": "hyperexponential"}),
                "frail": latency({"kind": "exponential"}, breakdowns=broken),
            }
        )
    )
    assert pool.latencies(task(), [0, 1]) == [1_000_000, 1_500_000]
    times = [pool.endpoints[1].answer(task(draw=bits), 0).service_us for bits in draws()]
    assert np.mean(times) == pytest.approx(1.5e6, rel=0.04)


def test_breakdowns_come_at_their_rate_of_busy_time_and_last_as_long_as_a_repair() -> None:
    found = np.array(
        [
            Breakdowns(mean_busy_s=2.0, mean_repair_s=0.5).repairs_us(3 * US_PER_S, bits)
            for bits in draws()
        ]
    )
    found = found / US_PER_S
    assert (found == 0).mean() == pytest.approx(math.exp(-1.5), abs=0.015)
    assert found.mean() == pytest.approx(1.5 * 0.5, abs=0.03)
    assert found.var() == pytest.approx(1.5 * 2 * 0.25, rel=0.06)


def test_no_breakdowns_take_no_time() -> None:
    assert Breakdowns().repairs_us(1e12, 7) == 0


def test_a_queue_by_priority_serves_the_greatest_first_and_never_puts_back_who_is_served() -> None:
    capacity = {"slots": 1, "queue": 9}
    groups = {"low": group(priority=-1), "mid": group(), "top": group(priority=5)}
    for discipline, order in (("fifo", "0 1 2 3 4"), ("priority", "0 3 2 1 4")):
        queued = {"m": model(capacity=capacity | {"discipline": discipline})}
        low, mid, top = [task(0), task(0.1), task(0.9)], [task(0.2)], [task(0.3)]
        ended = fates(record(play(scenario(queued, groups), low, mid, top)))
        assert " ".join(line.split()[0] for line in ended) == "0 1 2 3 4"
        by_end = sorted(ended, key=lambda line: float(line.split()[-1]))
        assert " ".join(line.split()[0] for line in by_end) == order


def test_who_gives_up_in_a_queue_by_priority_is_passed_over() -> None:
    queued = {"m": model(capacity={"slots": 1, "queue": 9, "discipline": "priority"})}
    groups = {"low": group(), "top": group(priority=1)}
    ended = fates(
        record(play(scenario(queued, groups), [task(0), task(0.1)], [task(0.2, deadline_s=0.3)]))
    )
    assert ended == ["0 1 succeeded none 1", "1 1 succeeded none 2", "2 1 expired deadline 0.5"]


def test_an_outage_empties_a_queue_by_priority() -> None:
    window = {"windows": [{"from_h": 0.5 / 3600, "to_h": 1}]}
    capacity = {"slots": 1, "queue": 9, "discipline": "priority"}
    queued = {"m": model(capacity=capacity, outages=window)}
    groups = {"low": group(), "top": group(priority=1)}
    ended = fates(record(play(scenario(queued, groups), [task(0), task(0.1)], [task(0.2)])))
    assert [line.split(" ", 1)[1] for line in ended] == ["1 failed outage 0.5"] * 3


def test_some_models_are_different_and_each_as_likely_as_any() -> None:
    pairs = Counter(tuple(sorted(some([3, 4, 5, 9], 2, task(draw=b), 0))) for b in draws(6000))
    assert len(pairs) == 6
    assert all(3 not in pair or pair[0] == 3 for pair in pairs)
    assert max(abs(count - 1000) for count in pairs.values()) < 4 * math.sqrt(6000 * 5 / 36)


def test_least_busy_of_a_few_choices_takes_the_least_busy_of_them() -> None:
    one_slot = {"slots": 1, "queue": 1000}
    models = {f"m{n}": model(capacity=one_slot) for n in range(20)}
    waits = {}
    for choices in (None, 2, 1):
        router = {"kind": "least-busy", "choices": choices}
        calls = ran(scenario(models, {"a": group(3600 * 18)}, tasks=4000, router=router)).calls
        waits[choices] = float((calls["started_us"] - calls["posted_us"]).to_numpy().mean())
    assert waits[None] < waits[2] < waits[1] / 2


def test_a_law_that_is_none_is_refused_with_the_nearest() -> None:
    with pytest.raises(ScenarioError, match=r"latency\.law\.kind.*did you mean exponential"):
        scenario({"m": latency({"kind": "exponental"})})
