"""Costs: from hardware and energy to dollars per million tokens, to the record, to profit."""

from collections.abc import Callable
from decimal import Decimal

import polars as pl
import pytest

from sim.costs import COSTS, Hardware, rates
from sim.mechanisms import PerToken
from sim.metrics import figures
from sim.scenario import Scenario
from tests.scenarios_for_tests import (
    RIGHT,
    WRONG,
    group,
    lively,
    play,
    ran,
    record,
    scenario,
    task,
    token_model,
)

NODE: dict[str, object] = {
    "kind": "hardware",
    "accelerators": 8,
    "hour_usd": "2",
    "power_kw": "1.25",
    "energy_usd_per_kwh": "0.08",
    "prefill_tokens_per_s": 20_000,
    "decode_tokens_per_s": 2_000,
}


def of(**changes: object) -> PerToken:
    found = rates(Hardware.model_validate(NODE | changes))
    assert isinstance(found, PerToken)
    return found


def test_a_node_of_16_dollars_80_an_hour_writes_2000_tokens_a_second_for_2_dollars_a_third() -> (
    None
):
    # 8 x (2 + 1.25 x 0.08) = 16.80 USD an hour; 16.80 / 3600 / 2000 x 10^6 = 2.333333
    found = of()
    assert found.output_usd_per_mtok == Decimal("2.333333")
    assert found.input_usd_per_mtok == Decimal("0.233333")
    assert found.cached_usd_per_mtok == Decimal("0.023333")


@pytest.mark.parametrize(
    ("change", "falls_to"),
    [
        ({"active_share": "0.05"}, Decimal("0.05")),
        ({"decode_tokens_per_s": 38_000}, Decimal(1) / 19),
        ({"energy_usd_per_kwh": "0.052"}, Decimal("16.52") / Decimal("16.8")),
        ({"hour_usd": 0, "energy_usd_per_kwh": "0.16"}, Decimal("1.6") / Decimal("16.8")),
    ],
    ids=["a mixture of experts", "19 times the throughput", "power 35 % cheaper", "energy only"],
)
def test_output_costs_less_with(change: dict[str, object], falls_to: Decimal) -> None:
    before = of().output_usd_per_mtok
    assert abs(of(**change).output_usd_per_mtok - before * falls_to) <= Decimal("0.000002")


def test_a_prefix_cache_that_saves_all_makes_cached_tokens_free() -> None:
    assert of(cached_share=0).cached_usd_per_mtok == 0
    assert of(cached_share=1).cached_usd_per_mtok == of().input_usd_per_mtok


Expected = Callable[[dict[str, int]], int]
GIVEN: dict[str, tuple[dict[str, object], Expected]] = {
    "per_token": (
        {"kind": "per_token", "input_usd_per_mtok": "0.5", "output_usd_per_mtok": 1},
        lambda row: -(-(row["input_tokens"] + 2 * row["produced_tokens"]) // 2),
    ),
    "per_call": ({"kind": "per_call", "usd_per_call": "0.0007"}, lambda _: 700),
    "hardware": (
        NODE,
        lambda row: (
            1
            + (
                (row["input_tokens"] - row["cached_tokens"]) * 233_333
                + row["cached_tokens"] * 23_333
                + row["produced_tokens"] * 2_333_333
            )
            // 10**6
        ),
    ),
}


def test_a_uniform_cost_is_drawn_per_task_and_the_same_at_every_attempt() -> None:
    cost = {"kind": "uniform", "low_usd": "0.0002", "high_usd": "0.0004"}
    made = {"m": token_model(cost=cost, quality={"CHAT_COMPLETION": 0.3})}
    calls = ran(scenario(made, {"a": group(300, retries=2)}, tasks=200)).calls
    costs = calls["cost_micros"]
    assert 200 <= int(str(costs.min())) < 215
    assert 385 < int(str(costs.max())) <= 400
    assert calls.group_by("task_id").agg(pl.col("cost_micros").n_unique())["cost_micros"].max() == 1
    assert calls["attempt"].max() == 2


def test_every_law_of_cost_is_tested() -> None:
    assert {*GIVEN, "uniform"} == set(COSTS)


@pytest.mark.parametrize("kind", GIVEN)
def test_each_answer_costs_its_model(kind: str) -> None:
    cost, expected = GIVEN[kind]
    made = {"m": token_model(cost=cost, cache_hit_share=0.25 if kind == "hardware" else 0)}
    right, wrong = task(0, difficulty=RIGHT), task(1, difficulty=WRONG)
    frames = record(play(scenario(made), [right, wrong]))
    assert frames.calls["cost_micros"].to_list() == [
        expected(row) for row in frames.calls.to_dicts()
    ]
    assert 0 not in frames.calls["cost_micros"]


def test_profit_is_charge_less_fee_less_cost_and_welfare_bears_the_cost() -> None:
    def at(**cost: object) -> tuple[pl.DataFrame, int, int, int]:
        made = {"m": token_model(**cost)}
        frames = ran(scenario(made, {"a": group(300)}, tasks=200))
        found = figures(frames)
        one = found.models["m"]
        assert one.profit_micros == one.revenue_micros - one.cost_micros
        return frames.calls, one.cost_micros, one.profit_micros, found.market.welfare_micros

    free, dear = at(), at(cost=GIVEN["per_token"][0])
    assert free[1] == 0
    assert dear[1] == dear[0]["cost_micros"].sum() > 0
    assert free[2] - dear[2] == free[3] - dear[3] == dear[1]


def test_a_call_without_an_answer_costs_nothing_and_an_unpaid_answer_costs_all_the_same() -> None:
    cost = {"kind": "per_call", "usd_per_call": "0.0001"}
    document = lively().model_dump()
    for each in document["models"].values():
        each["cost"] = cost
    frames = ran(Scenario.model_validate(document))
    rows = frames.calls.with_columns(pl.col("reason").cast(pl.String))
    answered = rows["reason"].is_in(["none", "wrong", "late"])
    assert set(rows.filter(~answered)["reason"]) >= {"outage", "deadline"}
    assert rows.filter(~answered)["cost_micros"].to_list() == [0] * int((~answered).sum())
    assert set(rows.filter(answered)["cost_micros"]) == {100}
    assert (rows["served_by"] == rows["model"]).all()


def test_nothing_is_paid_for_a_wrong_answer_that_cost_something() -> None:
    made = {"m": token_model(cost={"kind": "per_call", "usd_per_call": "0.0001"})}
    settling = {"kind": "batch", "settle_on": "success"}
    frames = record(play(scenario(made, rail=settling), [task(difficulty=WRONG)]))
    assert figures(frames).models["m"].profit_micros == -100
