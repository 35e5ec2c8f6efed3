"""Figures: each is what its formula says, of records that one can count by hand."""

import math
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel

from sim.metrics import Figures, Summary, dictionary, figures
from sim.models import Pool
from sim.rails import BatchRail, Load
from sim.record.frames import Frames
from sim.scenario import Scenario
from tests.scenarios_for_tests import (
    CHAT,
    CODE,
    INTENT,
    WRONG,
    demand,
    group,
    lively,
    model,
    play,
    ran,
    record,
    scenario,
    task,
    token_model,
)

CODING = scenario().intents.index(CODE)


@pytest.fixture(scope="module")
def counted() -> Frames:
    """Six tasks of two agents: two right, one wrong, one late, one lost, one refused."""
    models = {
        "bad": model("0.02", quality={CODE: 0.5}),
        "good": token_model(cache_hit_share=0.1),
        "idle": model("5", quality={"AGENT_TASK": 0.5}),
        "off": model("0.03", outages={"windows": [{"from_h": 8 / 3600, "to_h": 1}]},
                     quality={CODE: 0.5}),
    }  # fmt: skip
    groups = {
        "one": group(value_usd="0.5"),
        "two": group(value_usd="0.25", intents={CODE: demand()}),
        "void": group(),
    }
    what = scenario(models, groups, router={"kind": "quality-floor", "floor": 0.1}, horizon_h=1,
                    rail={"kind": "batch", "interval_s": 2},
                    chain={"backend": "none", "gas_price_gwei": 1, "eth_usd": 1000})  # fmt: skip
    one = [task(1), task(2, output_tokens=300), task(3, difficulty=WRONG), task(4, deadline_s=0.5)]
    code = {"intent": CODING, "value_micros": 250_000}
    two = [task(5, **code), task(7.5, **code, limit_micros=19_999)]
    return record(play(what, one, two, []))


@pytest.fixture(scope="module")
def told(counted: Frames) -> Figures:
    return figures(counted)


RIGHT_COST, LONG_COST, WRONG_COST, BAD_COST = 910 + 200, 910 + 600, 910 + 400, 20_000
SPEND = 2 * RIGHT_COST + LONG_COST + WRONG_COST + BAD_COST


def test_tasks_and_calls_are_counted_by_how_they_ended(told: Figures) -> None:
    assert told.tasks.model_dump() == {
        "posted": 6, "succeeded": 3, "failed": 1, "rejected": 1, "expired": 1, "open": 0,
    }  # fmt: skip
    assert told.calls.model_dump() == {
        "made": 5, "settled": 5, "refunded": 0, "unpaid": 0, "in_flight": 0,
    }  # fmt: skip
    assert told.success_rate == 0.5


def test_money_is_counted_failures_included(told: Figures) -> None:
    assert told.spend_micros == SPEND
    assert told.cost_per_success_micros == round(SPEND / 3)
    assert told.market.welfare_micros == 500_000 * 2 + 250_000 - told.rail.gas_micros


def test_tokens_are_those_of_answers(told: Figures) -> None:
    assert told.tokens.model_dump() == {"input": 5000, "cached": 400, "output": 800}


def test_shares_of_models_are_of_the_whole_market(told: Figures) -> None:
    good, bad, idle = (told.models[name] for name in ("good", "bad", "idle"))
    assert (good.calls, bad.calls, idle.calls) == (4, 1, 0)
    assert (good.share_calls, bad.share_calls) == (0.8, 0.2)
    assert bad.share_tokens == 1100 / 5800
    assert bad.share_spend == BAD_COST / SPEND
    assert (good.share_success, bad.share_success) == (2 / 3, 1 / 3)
    assert (good.score, bad.score, idle.score) == (0.75, 1.0, None)
    assert bad.revenue_micros == 19_600
    assert good.revenue_micros == SPEND - BAD_COST - 2 * 22 - 30 - 26
    assert good.charge_micros_mean == (SPEND - BAD_COST) // 4
    assert idle.charge_micros_mean is None
    assert idle.share_calls == idle.share_tokens == idle.share_spend == idle.share_success == 0


def test_groups_have_their_own_figures(told: Figures) -> None:
    one, two, void = (told.groups[name] for name in ("one", "two", "void"))
    assert (one.posted, one.succeeded, one.success_rate) == (4, 2, 0.5)
    assert one.spend_micros == SPEND - BAD_COST
    assert one.cost_per_success_micros == (SPEND - BAD_COST) // 2
    assert one.budget_left_micros == 1_000_000_000 - one.spend_micros
    assert (two.posted, two.cost_per_success_micros) == (2, BAD_COST)
    assert (void.posted, void.success_rate, void.cost_per_success_micros) == (0, None, None)
    assert void.budget_left_micros == 1_000_000_000


def test_concentration_is_the_sum_of_squared_shares(told: Figures) -> None:
    assert told.market.hhi_calls == 6_800
    spend = (BAD_COST / SPEND) ** 2 + (1 - BAD_COST / SPEND) ** 2
    assert told.market.hhi_spend == round(spend * 10_000)


def test_the_rail_delays_calls_until_their_batch_closes(counted: Frames, told: Figures) -> None:
    """Answers at 2, 3, 4, 5 and 6 s; ticks every 2 s."""
    assert told.rail.batches == 3
    assert counted.batches["closed_us"].to_list() == [4_000_000, 6_000_000, 8_000_000]
    assert told.rail.delay_us_mean == (2 + 1 + 2 + 1 + 2) * 10**6 // 5
    assert told.rail.delay_us_max == 2_000_000
    rail = BatchRail()
    two, one = Load(2, 1, 1, 2, 1), Load(1, 1, 1, 1, 1)
    gas = 2 * rail.gas(two, events=True) + rail.gas(one, events=True)
    assert told.rail.gas == gas
    assert told.rail.gas_micros == gas


def test_latency_is_of_answered_calls_from_posting() -> None:
    narrow = scenario({"m": model(capacity={"slots": 1, "queue": 200})})
    frames = record(play(narrow, [task(1)] * 100))
    latency = figures(frames).latency_us
    assert latency.p50 in (50_000_000, 51_000_000)
    assert (latency.p95, latency.p99) == (95_000_000, 99_000_000)
    assert figures(ran(scenario(horizon_h=1e-6))).latency_us.p50 is None


def test_calls_without_an_answer_count_in_no_token_latency_or_score() -> None:
    lost = model(outages={"windows": [{"from_h": 1.5 / 3600, "to_h": 1}]})
    told = figures(record(play(scenario({"m": lost}, horizon_h=2), [task(1)])))
    assert told.calls.refunded == told.models["m"].calls == 1
    assert told.tokens.model_dump() == {"input": 0, "cached": 0, "output": 0}
    assert told.latency_us.p50 is None
    assert told.models["m"].score is None
    assert told.cost_per_success_micros is None


def test_an_empty_record_has_figures() -> None:
    told = figures(ran(scenario(horizon_h=1e-6)))
    assert (told.success_rate, told.spend_micros, told.market.hhi_calls) == (None, 0, 0)
    assert (told.rail.delay_us_mean, told.rail.delay_us_max) == (None, None)


def test_figures_are_the_sums_of_their_record() -> None:
    frames = ran(lively(500))
    told, calls = figures(frames), frames.calls
    assert told.digest == frames.digest
    assert sum(m.calls for m in told.models.values()) == told.calls.made == len(calls)
    assert sum(m.share_spend for m in told.models.values()) == pytest.approx(1)
    assert sum(m.share_tokens for m in told.models.values()) == pytest.approx(1)
    assert sum(g.spend_micros for g in told.groups.values()) == told.spend_micros
    fees = calls["fee_micros"].sum()
    assert sum(m.revenue_micros for m in told.models.values()) == told.spend_micros - fees
    ended = sorted((calls["finished_us"] - calls["posted_us"]).filter(calls["score_ppm"] >= 0))
    assert told.latency_us.p99 in ended


# Regret --------------------------------------------------------------------------------------


def surplus(what: Scenario, row: dict[str, int], place: int) -> float:
    """Value times the chance of being right, less the expected charge, of a model for a call."""
    endpoint = Pool(what).endpoints[place]
    mine = task(
        difficulty=row["difficulty"],
        input_tokens=row["input_tokens"],
        output_tokens=row["reference_tokens"],
    )
    chance = 1 / (1 + math.exp(min(500, 3e-6 * (row["difficulty"] - endpoint.abilities[INTENT]))))
    right, wrong = (
        endpoint.charge_micros(
            mine, endpoint.answer(mine._replace(difficulty=sure), 0), endpoint.tariff
        )
        for sure in (-(10**9), 10**9)
    )
    return 5_000_000 * chance - chance * right - (1 - chance) * wrong


PAIR = {
    "a": token_model(cache_hit_share=0.25, verbosity=1.5),
    "b": model("0.2", quality={CHAT: 0.9}),
    "cold": model("0.001", quality={CODE: 0.9}),
    "dear": model("1.000001", quality={CHAT: 0.99}),
    "edge": model("1", quality={CHAT: 0.98}),
    "far": model("0.001", origin="US", quality={CHAT: 0.99}),
}


def test_regret_is_what_the_best_model_would_have_been_worth_more() -> None:
    asking = group(requires={"excluded_origins": ["US"]}, value_usd=5)
    what = scenario(PAIR, {"a": asking}, router={"kind": "random"})
    mine = [
        task(n, difficulty=n * 300_000 - 10**6, draw=n, value_micros=5_000_000) for n in range(1, 9)
    ]
    frames = record(play(what, mine))
    assert set(frames.calls["model"]) == {"a", "b", "edge"}
    wanted, places = 0, {"a": 0, "b": 1, "edge": 4}
    for row in frames.calls.iter_rows(named=True):
        worth = {name: surplus(what, row, place) for name, place in places.items()}
        wanted += round(max(worth.values()) - worth[row["model"]])
    assert figures(frames).market.regret_micros == pytest.approx(wanted, abs=2 * len(mine))
    assert wanted > 0


def test_regret_counts_a_price_only_if_it_is_paid() -> None:
    """When only right answers are paid for, a wrong one costs nothing, at whatever price."""
    models = {"a": model("0.3", quality={CHAT: 0.5}), "b": model("0.01", quality={CHAT: 0.3})}
    what = scenario(models, router={"kind": "leaderboard", "shares_percent": [100]},
                    rail={"kind": "batch", "settle_on": "success"})  # fmt: skip
    frames = record(play(what, [task(1, difficulty=0)]))
    assert frames.calls["model"].to_list() == ["a"]
    first, second = (e.chance_ppm(INTENT, 0) / 10**6 for e in Pool(what).endpoints)
    wanted = max(0.0, second * (500_000 - 10_000) - first * (500_000 - 300_000))
    assert figures(frames).market.regret_micros == pytest.approx(wanted, abs=2)


def test_with_one_model_there_is_nothing_to_regret() -> None:
    assert figures(ran(scenario(tasks=50))).market.regret_micros == 0


@settings(max_examples=10)
@given(st.integers(0, 2**32))
def test_regret_is_never_negative_even_of_a_single_call(seed: int) -> None:
    frames = ran(lively(60, seed))
    assert figures(frames).market.regret_micros >= 0


# The dictionary ------------------------------------------------------------------------------


def keys(value: object, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    if isinstance(value, BaseModel):
        value = dict(value)
    if not isinstance(value, dict):
        yield path
        return
    for name, part in value.items():
        yield from keys(part, (*path, name))


def test_every_figure_has_one_entry_with_unit_and_formula(told: Figures) -> None:
    names = [name for name, _, _ in dictionary()]
    assert len(names) == len(set(names))
    assert all(unit and formula for _, unit, formula in dictionary())
    for path in keys(told):
        shown = ["ID" if path[at - 1 : at] in (("models",), ("intents",), ("groups",)) else part
                 for at, part in enumerate(path)]  # fmt: skip
        assert ".".join(shown) in names


def test_the_summary_has_the_keys_that_scripts_depend_on() -> None:
    names = {name.split(".ID.")[0].split(".")[0] for name, _, _ in dictionary()}
    wanted = """scenario seed digest duration_us tasks calls success_rate cost_per_success_micros
    spend_micros tokens latency_us models groups market chain laws timing"""
    assert set(wanted.split()) <= names == set(Summary.model_fields)
    shown = {name for name, _, _ in dictionary()}
    deep = """models.ID.calls models.ID.share_calls models.ID.share_tokens models.ID.share_spend
    models.ID.share_success models.ID.score models.ID.revenue_micros models.ID.charge_micros_mean
    groups.ID.posted groups.ID.succeeded groups.ID.success_rate groups.ID.spend_micros
    groups.ID.cost_per_success_micros groups.ID.budget_left_micros market.hhi_calls
    market.hhi_spend market.regret_micros market.welfare_micros chain.rail chain.backend
    chain.calls_settled chain.transactions chain.gas_total chain.gas_per_call chain.parity
    chain.difference_micros chain.head chain.seconds laws.ID.ok laws.ID.found laws.ID.needed
    timing.wall_s timing.sim_s timing.chain_s timing.calls_per_s"""
    assert set(deep.split()) <= shown
