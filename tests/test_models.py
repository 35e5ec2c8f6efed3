"""Supply: how good, how long and how dear answers are, and which models are open to a task."""

from collections import deque
from collections.abc import Iterator
from itertools import islice

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sim.agents import agents
from sim.chance import key, mix
from sim.facts import Reason, Task
from sim.models import Answer, Endpoint, Pool, ability
from sim.scenario import Scenario
from sim.units import PPM
from sim.world import World
from tests.scenarios_for_tests import (
    CHAT,
    CODE,
    INTENT,
    group,
    lively,
    model,
    scenario,
    task,
    token_model,
)

N = 20_000


def reference_tasks(count: int = N, seed: int = 1) -> Iterator[Task]:
    """Tasks of the reference mix: difficulty 0, 1."""
    return islice(agents(scenario(seed=seed))[0].tasks, count)


def endpoints(*models: dict[str, object], **changes: object) -> list[Endpoint]:
    named = {f"m{number}": each for number, each in enumerate(models)}
    return Pool(scenario(named, None, **changes)).endpoints


def rights(endpoint: Endpoint, attempt: int = 0) -> np.ndarray:
    return np.array([endpoint.answer(each, attempt).right for each in reference_tasks()])


@pytest.mark.parametrize("discrimination", [0.5, 3.0, 20.0])
@pytest.mark.parametrize("quality", [0.02, 0.3, 0.7, 0.95])
def test_a_model_solves_the_share_of_the_reference_mix_that_is_its_quality(
    quality: float, discrimination: float
) -> None:
    slope = {"discrimination": discrimination}
    (endpoint,) = endpoints(model(quality={CHAT: quality}), item_response=slope)
    bound = 4 * (quality * (1 - quality) / N) ** 0.5
    assert rights(endpoint).mean() == pytest.approx(quality, abs=bound)


def test_ability_rises_with_quality_and_is_0_at_one_half() -> None:
    found = [ability(quality / 100, 3.0) for quality in range(1, 100)]
    assert found == sorted(set(found))
    assert abs(ability(0.5, 3.0)) <= 1
    assert ability(0.2, 3.0) == pytest.approx(-ability(0.8, 3.0), abs=2)


def test_two_models_of_quality_070_are_right_together_with_correlation_one_half() -> None:
    one, other = (rights(each) for each in endpoints(*[model()] * 2))
    assert np.corrcoef(one, other)[0, 1] == pytest.approx(0.5, abs=0.04)


def test_a_retry_is_a_new_chance_at_the_same_difficulty() -> None:
    (endpoint,) = endpoints(model())
    one, other = rights(endpoint), rights(endpoint, 1)
    assert other.mean() == pytest.approx(0.7, abs=0.015)
    assert np.corrcoef(one, other)[0, 1] == pytest.approx(0.5, abs=0.04)
    even = [task(draw=mix(number, 3, 0), difficulty=ability(0.7, 3.0)) for number in range(N)]
    tries = np.array([[endpoint.answer(t, k).right for t in even] for k in (0, 1, 2)])
    assert tries.mean(axis=1) == pytest.approx([0.5] * 3, abs=0.015)
    assert abs(np.corrcoef(tries) - np.eye(3)).max() < 0.03


def test_the_same_attempt_at_the_same_task_has_the_same_answer() -> None:
    one, other = endpoints(token_model(quality={CHAT: 0.5})), endpoints(token_model())
    even = task(difficulty=0, draw=9)
    assert one[0].answer(even, 1) == one[0].answer(even, 1)
    assert one[0].key == other[0].key == key("model/m0")


@pytest.mark.parametrize("difficulty", [-(10**9), -3 * PPM, 0, PPM, 3 * PPM, 10**9])
def test_the_chance_is_two_parameter_logistic(difficulty: int) -> None:
    (endpoint,) = endpoints(model(quality={CHAT: 0.7}))
    gap = min(700, 3.0 * (difficulty - ability(0.7, 3.0)) / PPM)
    exact = PPM / (1 + np.exp(gap))
    assert endpoint.chance_ppm(INTENT, difficulty) == pytest.approx(exact, abs=0.5001)


def test_answers_are_as_long_as_verbosity_reasoning_and_error_make_them() -> None:
    talker = token_model(verbosity=1.5, reasoning_share=0.4, wrong_output_factor=2.0001)
    (endpoint,) = endpoints(talker)
    assert endpoint.answer(task(), 0).output_tokens == 250
    assert endpoint.answer(task(difficulty=10**9), 0).output_tokens == 501
    assert endpoint.answer(task(output_tokens=1), 0).output_tokens == 3


def test_cached_tokens_are_a_share_of_the_prompt_rounded_down() -> None:
    (endpoint,) = endpoints(token_model(cache_hit_share=0.9999))
    assert endpoint.answer(task(input_tokens=5), 0).cached_tokens == 4
    assert endpoint.answer(task(input_tokens=10_000), 0).cached_tokens == 9_999


def test_service_takes_a_first_token_and_the_rest_at_speed() -> None:
    speed = {"first_token_ms": 250, "tokens_per_s": 40, "sigma": 0}
    (endpoint,) = endpoints(model(latency=speed, verbosity=2))
    assert endpoint.answer(task(service=5 * PPM), 0).service_us == 250_000 + 5_000_000
    noisy = {**speed, "sigma": 0.5}
    (endpoint,) = endpoints(model(latency=noisy, verbosity=2))
    longer = endpoint.answer(task(service=2 * PPM), 0).service_us
    assert longer == round(5_250_000 * np.exp(1))
    instant = {"first_token_ms": 0, "tokens_per_s": 1e9, "sigma": 0}
    (endpoint,) = endpoints(model(latency=instant))
    assert endpoint.answer(task(output_tokens=1), 0).service_us == 1


USD = (st.decimals(0, 1, places=6) | st.decimals(0, 100, places=6)).map(str)
TOKEN_PRICES = st.fixed_dictionaries(
    {"kind": st.just("per_token"), "input_usd_per_mtok": USD, "output_usd_per_mtok": USD},
    optional={"cached_usd_per_mtok": USD},
)
CALL_PRICES = st.fixed_dictionaries({"kind": st.just("per_call"), "usd_per_call": USD})
MODELS = st.fixed_dictionaries(
    {"price": TOKEN_PRICES | CALL_PRICES},
    optional={
        "verbosity": st.floats(0.01, 100),
        "reasoning_share": st.floats(0, 0.99),
        "cache_hit_share": st.floats(0, 1),
        "wrong_output_factor": st.floats(1, 100),
        "context_tokens": st.integers(1, 10**7),
        "origin": st.sampled_from(["EU", "US"]),
        "weights": st.sampled_from(["open", "closed"]),
    },
)
TASKS = st.builds(
    lambda given_tokens, made, draw, hard: task(
        input_tokens=given_tokens, output_tokens=made, draw=draw, difficulty=hard
    ),
    st.integers(1, 10**6), st.integers(1, 10**6), st.integers(0, 2**64 - 1),
    st.integers(-3 * PPM, 3 * PPM),
)  # fmt: skip


@settings(max_examples=300)
@given(MODELS, TASKS, st.integers(0, 3))
def test_a_charge_is_never_more_than_its_quote(
    drawn: dict[str, object], mine: Task, attempt: int
) -> None:
    (endpoint,) = endpoints({**model(), **drawn})
    answer = endpoint.answer(mine, attempt)
    quote, charge = (
        endpoint.quote_micros(mine),
        endpoint.charge_micros(mine, answer, endpoint.tariff),
    )
    assert 0 <= charge <= quote
    output = endpoint.answer(mine._replace(difficulty=10**9), 0).output_tokens
    longest = Answer(False, 0, output, 0, output, 0, 0)
    if endpoint.tariff.cached <= endpoint.tariff.input:
        assert quote == endpoint.charge_micros(mine, longest, endpoint.tariff)
    assert endpoint.holds_context(mine) == (
        endpoint.context_tokens is None
        or mine.input_tokens + longest.output_tokens <= endpoint.context_tokens
    )


def fitting(
    pool: Pool, what: Scenario, mine: Task, group_number: int, purse: int, taken: dict[int, int]
) -> tuple[list[int], Reason]:
    """Pool.fitting by its definition; ``taken`` is how many calls each model has."""
    models, intent = list(what.models.values()), what.intents[mine.intent]
    requires = list(what.groups.values())[group_number].requires
    serving = [
        e
        for e, m in zip(pool.endpoints, models, strict=True)
        if intent in m.quality
        and requires.weights in (None, m.weights)
        and (not requires.origins or m.origin in requires.origins)
        and m.origin not in requires.excluded_origins
    ]
    able = [e for e in serving if e.holds_context(mine)]
    if not able:
        return [], Reason.NO_MODEL
    if all(e.quote_micros(mine) > mine.limit_micros for e in able):
        return [], Reason.MAX_PRICE
    paid = [e for e in able if e.quote_micros(mine) <= min(mine.limit_micros, purse)]
    if not paid:
        return [], Reason.NO_BUDGET
    room = [e.index for e in paid if e.up and taken.get(e.index, 0) < e.room]
    return (room, Reason.NONE) if room else ([], Reason.NO_CAPACITY)


REQUIRED = st.fixed_dictionaries(
    {},
    optional={
        "weights": st.sampled_from(["open", "closed"]),
        "origins": st.sampled_from([["EU"], ["US"], ["EU", "US"]]),
        "excluded_origins": st.sampled_from([["EU"], ["US"]]),
    },
)


@settings(max_examples=300)
@given(st.lists(MODELS, min_size=1, max_size=4), TASKS, st.data())
def test_the_bound_on_quotes_admits_whom_the_quotes_themselves_admit(
    drawn: list[dict[str, object]], mine: Task, data: st.DataObject
) -> None:
    named = {f"m{number}": {**model(), **each} for number, each in enumerate(drawn)}
    named["at-home"] = model("100", origin="EU", quality={CODE: 0.5})
    named["abroad"] = model("100", origin="US", quality={CODE: 0.5})
    what = scenario(named)
    requires = data.draw(REQUIRED)
    asking = what.groups["a"].model_validate(group(requires=requires))
    what = what.model_copy(update={"groups": {"a": asking}})
    pool = Pool(what)
    quotes = [e.quote_micros(mine) for e in pool.endpoints]
    near = st.sampled_from(quotes).flatmap(lambda quote: st.integers(-4, 4).map(quote.__add__))
    limit, purse = data.draw(near), data.draw(near | st.just(10**12))
    asked = mine._replace(limit_micros=max(1, limit))
    found, reason = pool.fitting(asked, 0, purse)
    assert (list(found), reason) == fitting(pool, what, asked, 0, purse, {})


@given(st.integers(1, 10**5), st.integers(1, 10**5), st.sampled_from(["0.3", "2.5", "900"]))
def test_a_limit_of_one_micro_less_than_the_quote_admits_nobody(
    given_tokens: int, made_tokens: int, usd: str
) -> None:
    price = {"kind": "per_token", "input_usd_per_mtok": "0.7", "output_usd_per_mtok": usd}
    pool = Pool(scenario({"m": model(price=price, wrong_output_factor=1.001)}))
    mine = task(input_tokens=given_tokens, output_tokens=made_tokens)
    quote = pool.endpoints[0].quote_micros(mine)
    for limit, purse, found in (
        (quote - 1, 10**12, ((), Reason.MAX_PRICE)),
        (quote, quote - 1, ((), Reason.NO_BUDGET)),
        (quote, quote, ([0], Reason.NONE)),
    ):
        assert pool.fitting(mine._replace(limit_micros=limit), 0, purse) == found


@pytest.mark.parametrize("seed", range(4))
def test_in_a_run_the_open_models_are_always_those_with_room(
    seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    what = lively(500, seed)
    world, asked = World(what), []
    plain = world.pool.fitting

    def watched(mine: Task, number: int, purse: int) -> tuple[object, Reason]:
        taken: dict[int, int] = {}
        for call in world.market.in_flight.values():
            taken[call.model.index] = taken.get(call.model.index, 0) + 1
        found, reason = plain(mine, number, purse)
        wanted = fitting(world.pool, what, mine, number, purse, taken)
        assert (list(found), reason) == wanted
        asked.append(reason)
        return found, reason

    monkeypatch.setattr(world.pool, "fitting", watched)
    world.run()
    assert set(asked) >= {Reason.NONE, Reason.NO_CAPACITY}


@given(
    st.integers(1, 6),
    st.lists(st.integers(0, PPM), max_size=30),
    st.sampled_from([0.123456, 0.9]),
)
def test_a_score_is_the_mean_of_the_last_verdicts_rounded_down(
    window: int, verdicts: list[int], declared: float
) -> None:
    judged = {"kind": "median", "score": {"kind": "window", "verdicts": window}}
    both = {CHAT: 0.5, CODE: 0.6}
    what = scenario(
        {"m": model(quality=both, declared_quality={CHAT: declared})}, validators=judged
    )
    pool, last = Pool(what), deque([round(declared * PPM)] * window, maxlen=window)
    for score in verdicts:
        assert pool.scores[INTENT][0] == sum(last) // window
        pool.observe(INTENT, 0, score)
        last.append(score)
    assert pool.scores[INTENT][0] == sum(last) // window
    assert pool.scores[what.intents.index(CODE)][0] == 600_000


def test_a_model_starts_at_its_true_quality_unless_it_declares_another() -> None:
    boast = model(quality={CHAT: 0.5}, declared_quality={CHAT: 0.99})
    assert Pool(scenario({"m": model(), "n": boast})).scores[INTENT] == [700_000, 990_000]
