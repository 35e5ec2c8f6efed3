"""Floors and demand multipliers: tiers, the rolling window, what is quoted, held and charged."""

from collections.abc import Mapping
from decimal import Decimal

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim.auditing import can_perform
from sim.explaining import explain
from sim.facts import ScenarioError
from sim.metrics import figures
from sim.models import FloorPool
from sim.protocol.demand import Demand
from sim.protocols import Pricing
from sim.record.archive import load
from sim.runner import run
from sim.scenario import Scenario, from_mapping
from sim.units import US_PER_HOUR, times_tenths_ceil
from tests.bad_scenarios import GOOD, MODELS, faults_of
from tests.scenarios_for_tests import CHAT, CODE, demand, group, model, ran, scenario, task


@pytest.mark.parametrize(
    ("requests", "tenths"),
    [(0, 10), (999, 10), (1000, 15), (9999, 15), (10_000, 25), (99_999, 25), (100_000, 50),
     (999_999, 50), (1_000_000, 100), (10**9, 100)],
)  # fmt: skip
def test_the_multiplier_steps_up_at_each_tier(requests, tenths):
    assert Pricing().multiplier_tenths(requests) == tenths


SMALL = {"tiers": [{"requests": 0, "times": 1}, {"requests": 3, "times": "1.5"}]}


TWICE = {"tiers": [{"requests": 0, "times": 2}]}


def priced(pricing: Mapping[str, object] = SMALL, **changes: object) -> Scenario:
    models = {"dear": model("0.03"), "fair": model("0.01")}
    rules = {"kind": "telegraph", "spot_checks": {"tasks": 0}, "pricing": pricing}
    return scenario(models, {"g": group(60)}, protocol=rules, **changes)


@pytest.mark.parametrize(("least_usd", "can"), [("0.01", True), ("0.02", True), ("0.005", False)])
def test_a_market_of_lower_floors_than_the_port_takes_is_another_market(least_usd, can):
    rules = {"kind": "telegraph", "spot_checks": {"tasks": 0}, "purchases": {},
             "pricing": SMALL | {"least_floor_usd": least_usd}}  # fmt: skip
    models = {"dear": model("0.03"), "fair": model("0.02")}
    assert can_perform(scenario(models, protocol=rules)) is can


def test_the_window_rolls_and_the_multiplier_falls_again():
    pool = FloorPool(priced())
    demand = Demand(Pricing.model_validate(SMALL), pool, len(pool.tenths))
    for hour in range(3):
        demand.answered(0, hour * US_PER_HOUR)
        assert pool.tenths[0] == (15 if hour == 2 else 10)
    demand.tell(24 * US_PER_HOUR - 1)
    assert (pool.tenths[0], demand.volume(0)) == (15, 3)
    demand.tell(24 * US_PER_HOUR)
    assert (pool.tenths[0], demand.volume(0)) == (10, 2)
    assert set(pool.tenths[1:]) == {10}


def test_the_first_tier_is_in_force_before_any_answer():
    pool = FloorPool(priced())
    Demand(Pricing.model_validate(TWICE), pool, len(pool.tenths))
    assert set(pool.tenths) == {20}
    calls = ran(priced(TWICE, horizon_h=1)).calls
    assert set(calls["charge_micros"]) == {20_000, 60_000}


@pytest.mark.parametrize(
    ("quiet_h", "by_epoch"),
    [(12, [(10, 15), (10, 10), (10, 10)]), (26, [(15, 15), (10, 15), (10, 10)])],
)
def test_the_highest_multiplier_is_of_all_times_and_not_of_the_ends_of_epochs(quiet_h, by_epoch):
    quiet = {"kind": "set", "at_h": quiet_h, "set": {"groups.g.arrival.per_hour": 1e-6}}
    models = {"m": model(quality={CHAT: 0.7, CODE: 0.7})}
    groups = {"g": group(60), "on": group(2, intents={CODE: demand()})}
    tiers = [{"requests": 0, "times": 1}, {"requests": 100, "times": "1.5"}]
    rules = {"kind": "telegraph", "pricing": {"tiers": tiers, "window_h": 6}}
    frames = ran(scenario(models, groups, protocol=rules, horizon_h=60, events=[quiet]))
    epochs = frames.protocol.epochs.filter(pl.col("intent") == CHAT).sort("epoch")
    columns = ("multiplier_tenths", "multiplier_tenths_max")
    assert epochs.select(columns).rows() == by_epoch
    assert figures(frames).protocol.multiplier_max == 1.5


def test_a_record_from_before_a_column_is_one_of_another_version(tmp_path):
    run(priced(horizon_h=1), out=tmp_path / "run", chain="none")
    table = tmp_path / "run" / "epochs.parquet"
    pl.read_parquet(table).drop("multiplier_tenths_max").write_parquet(table)
    with pytest.raises(ScenarioError, match="a record of another version"):
        load(tmp_path / "run")


@given(st.integers(1, 10**8), st.integers(0, 10**9), st.integers(1, 100))
def test_what_fits_is_what_costs_no_more_than_the_limit(floor, limit, tenths):
    assert (times_tenths_ceil(floor, tenths) <= limit) == (floor <= limit * 10 // tenths)


def test_calls_cost_the_floor_times_the_multiplier_of_the_volume_before_them():
    calls = ran(priced(horizon_h=6, router={"kind": "cheapest"})).calls.sort("posted_us")
    answered = calls["finished_us"].sort().to_list()
    for row in calls.head(40).iter_rows(named=True):
        before = sum(time <= row["posted_us"] for time in answered)
        expected = 10_000 if before < 3 else 15_000
        assert row["quote_micros"] == row["charge_micros"] == expected


def test_an_agent_whose_limit_the_multiplier_passes_is_refused():
    frames = ran(
        scenario(
            {"m": model("0.01")},
            {"poor": group(60, max_price_usd="0.014")},
            protocol={"kind": "telegraph", "spot_checks": {"tasks": 0}, "pricing": SMALL},
            horizon_h=12,
        )
    )
    assert len(frames.calls) == 3
    assert set(frames.tasks.slice(4)["reason"]) == {"max_price"}


def test_a_wrong_answer_costs_nothing_when_only_a_success_is_paid():
    rail = {"kind": "batch", "settle_on": "success"}
    calls = ran(priced(horizon_h=12, rail=rail)).calls
    assert calls.filter(~pl.col("success"))["charge_micros"].sum() == 0
    assert (calls.filter("success")["charge_micros"] > 0).all()


def test_a_run_with_multipliers_keeps_the_laws_and_knows_its_regret(tmp_path):
    ended = run(priced(horizon_h=12), out=tmp_path / "run", chain="none")
    assert ended.ok, ended.failure
    # Both models are as good, so that each call to the dear one regrets the difference.
    dear = ended.calls.filter(pl.col("model") == "dear")
    expected = (dear["charge_micros"] * 2 // 3).sum()
    assert ended.summary.market.regret_micros == pytest.approx(expected, rel=0.001)


def test_a_task_costs_routers_its_multiplied_price():
    pool = FloorPool(priced())
    each = task()
    pool.tenths[each.intent] = 25
    assert pool.expected_costs(each, [1]) == [25_000 * 10**6]


def test_pricing_and_the_rest_of_the_scenario_must_agree():
    bad = GOOD | {
        "protocol": {"kind": "telegraph", "pricing": {}},
        "mechanism": {"kind": "reverse-first"},
    }
    cheap = {"cheap": {"price": {"kind": "per_call", "usd_per_call": Decimal("0.009")},
                        "quality": {"CHAT_COMPLETION": 0.5}}}  # fmt: skip
    bad["models"] = {**MODELS, **cheap}
    assert {fault.path for fault in faults_of(bad)} == {
        "models.gpt-5.2.price", "models.cheap.price.usd_per_call", "mechanism.kind",
    }  # fmt: skip


def test_tiers_must_rise_from_nothing():
    tiers = [{"requests": 0, "times": 1}, {"requests": 0, "times": 2}]
    with pytest.raises(ScenarioError, match="each from more requests than the one before"):
        from_mapping(GOOD | {"protocol": {"kind": "telegraph", "pricing": {"tiers": tiers}}})


def test_a_changed_floor_is_a_new_registration_and_begins_in_grace():
    models = {"old": model("0.01"), "same": model("0.01")}
    cut = {"kind": "set", "at_h": 12, "set": {"models.old.price.usd_per_call": "0.02"}}
    rules = {"kind": "telegraph", "spot_checks": {"tasks": 0}, "grace_h": 48, "pricing": FLAT}
    frames = ran(
        scenario(models, {"g": group(200)}, horizon_h=24, protocol=rules, events=[cut])
    )  # fmt: skip
    late = frames.calls.filter(pl.col("posted_us") > 12 * US_PER_HOUR)
    mine = late.filter(pl.col("model") == "old")
    assert len(mine) / len(late) == pytest.approx(0.05, abs=0.02)
    assert set(mine["charge_micros"]) == {20_000}
    standing = frames.protocol.epochs.filter(pl.col("model") == "old")["standing"]
    assert standing[-1] == "grace"


FLAT = {"tiers": [{"requests": 0, "times": 1}]}


def test_a_floor_does_not_move_by_itself():
    models = {"m": model("0.01", selling={"kind": "surge", "most": 2})}
    rules = {"kind": "telegraph", "pricing": {}}
    faults = faults_of(GOOD | {"models": models, "protocol": rules})
    assert "models.m.selling.kind" in {fault.path for fault in faults}


def test_a_model_that_declares_no_rate_limit_gets_the_protocols():
    def taken(**capacity: object) -> int:
        fast = model(capacity={"slots": 1000, "queue": 1000, **capacity})
        rules = {"kind": "telegraph", "spot_checks": {"tasks": 0}, "calls_per_minute": 5}
        busy = group(1200, deadline_s=30)
        return len(ran(scenario({"m": fast}, {"g": busy}, horizon_h=1, protocol=rules)).calls)

    assert taken() <= 5 * 61
    assert taken(calls_per_minute=100) > 1000


def test_an_explanation_shows_the_price_at_the_multiplier_of_the_moment(tmp_path):
    ended = run(priced(horizon_h=6), out=tmp_path / "run", chain="none")
    found = explain(tmp_path / "run", 20)
    row = ended.calls.filter(pl.col("call_id") == 20).to_dicts()[0]
    picked = next(each for each in found.candidates if each.model == found.pick)
    charge_usd = row["charge_micros"] / 10**6
    assert row["charge_micros"] in (15_000, 45_000)
    assert (picked.quote_usd, picked.ask_usd) == (charge_usd, charge_usd)
    other = next(each for each in found.candidates if each.model != found.pick)
    gap = (picked.expected_surplus_usd or 0) - (other.expected_surplus_usd or 0)
    assert gap == pytest.approx((other.quote_usd or 0) - charge_usd, abs=1e-9)


def test_an_event_that_pays_for_success_alone_pays_for_success_alone():
    rules = {"kind": "telegraph", "spot_checks": {"tasks": 0}, "pricing": FLAT}
    paid = {"kind": "set", "at_h": 0.0001, "set": {"rail.settle_on": "success"}}
    calls = ran(
        scenario({"m": model("0.01")}, {"g": group(200)}, tasks=100, protocol=rules, events=[paid])
    ).calls
    wrong = calls.filter(~pl.col("success"))
    assert len(wrong) > 5
    assert wrong["charge_micros"].sum() == 0
