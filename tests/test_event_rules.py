"""Events on how models sell and serve, how agents bid, and on the rules of the market."""

from collections.abc import Mapping

import polars as pl
import pytest

from sim.metrics import figures
from sim.record.frames import Frames
from sim.scenario import Scenario
from sim.units import US_PER_HOUR, US_PER_S, WEI_PER_GWEI
from tests.scenarios_for_tests import CHAT, group, model, play, record, scenario, task
from tests.workflow_helpers import lawful

H, S = US_PER_HOUR, US_PER_S
Mappings = Mapping[str, object]
COST = {"kind": "per_call", "usd_per_call": "0.002"}


def at(hour: float, **changes: object) -> dict[str, object]:
    """An event that makes these settings; dots written as ``__``."""
    return {"at_h": hour, "set": {key.replace("__", "."): each for key, each in changes.items()}}


def prices_of(frames: Frames, name: str) -> list[tuple[float, int]]:
    """When, in hours, a model listed another price per call, and which, in micros."""
    mine = frames.prices.filter(pl.col("model") == name)
    return [(row["time_us"] / H, row["per_call_micros"]) for row in mine.iter_rows(named=True)]


def test_a_model_may_start_to_undercut_and_go_back_to_its_list_price() -> None:
    models = {"a": model("0.010", cost=COST), "b": model("0.008", cost=COST)}
    rule = {"kind": "undercut", "by": 0.5, "period_h": 1}
    events = [at(3.5, models__a__selling=rule), at(5.5, models__a__selling={"kind": "fixed"})]
    frames = lawful(scenario(models, router={"kind": "cheapest"}, events=events, horizon_h=8))
    assert prices_of(frames, "a") == [(4.5, 4000), (5.5, 10_000)]
    cheap = frames.calls.filter(pl.col("model") == "a")["posted_us"] / H
    assert cheap.is_between(4.5, 5.5).all()
    assert len(cheap) > 30


def test_a_period_that_changes_counts_from_the_event_on() -> None:
    models = {"a": model("0.010", cost=COST, selling={"kind": "surge", "above": 0, "slope": 1})}
    slow = {"first_token_ms": 10**7, "tokens_per_s": 1e9, "sigma": 0}
    models["a"] |= {"latency": slow, "capacity": {"slots": 10, "queue": 0}}
    event = at(1.001, models__a__selling__period_h=0.5)
    frames = lawful(scenario(models, events=[event], horizon_h=2))
    late = [hour for hour, _ in prices_of(frames, "a") if hour > 1.001]
    assert all(hour in (pytest.approx(1.501), pytest.approx(2.001)) for hour in late)
    assert late


def test_cost_plus_lists_its_markup_from_its_time_on() -> None:
    event = at(2, models__m__selling={"kind": "cost-plus", "markup": 0.5})
    frames = lawful(scenario({"m": model("0.01", cost=COST)}, events=[event], horizon_h=4))
    charged = dict(
        frames.calls.group_by(late=pl.col("posted_us") >= 2 * H)
        .agg(pl.col("charge_micros").unique().sort()).iter_rows()
    )  # fmt: skip
    assert {late: list(each) for late, each in charged.items()} == {False: [10_000], True: [3000]}


def test_slots_grow_only_while_they_may() -> None:
    slow = {"first_token_ms": 60_000, "tokens_per_s": 1e9, "sigma": 0}
    models = {"m": model(latency=slow, capacity={"slots": 1, "queue": 500})}
    scaling = {"max_slots": 50, "every_s": 60, "start_s": 60, "calm_s": 600}
    events = [at(2, models__m__capacity__scaling=scaling), at(3, models__m__capacity__scaling=None)]
    crowd = {"a": group(300, deadline_s=1e6)}
    calls = lawful(scenario(models, crowd, events=events, horizon_h=4)).calls
    started = calls.group_by(hour=pl.col("started_us") // H).len().sort("hour")
    by_hour = dict(started.iter_rows())
    assert by_hour[0] == by_hour[1] == 60
    assert by_hour[2] > 300
    # Who is served beyond the one slot is served to the end; then it is one by one again.
    assert 55 <= by_hour[3] <= 60


def test_the_queue_that_waits_is_served_in_the_order_of_its_day() -> None:
    slow = {"first_token_ms": 10_000, "tokens_per_s": 1e9, "sigma": 0}
    models = {"m": model(latency=slow, capacity={"slots": 1, "queue": 9})}
    crowd = {"a": group(1), "b": group(1, priority=1)}
    for events, order in (
        ([], "aabb"),
        ([at(0.002, models__m__capacity__discipline="priority")], "abba"),
        ([at(0.002, models__m__capacity__discipline="priority", groups__a__priority=2)], "aabb"),
    ):
        what = scenario(models, crowd, events=events)
        frames = record(play(what, [task(0), task(1)], [task(2), task(3)]))
        assert "".join(frames.calls.sort("started_us")["group"].cast(pl.String)) == order


def auction(*events: Mappings, rule: Mappings, hours: float = 4, **bidders: object) -> Scenario:
    """Six agents that bid for two slots; an answer takes 20 s."""
    slow = {"first_token_ms": 20_000, "tokens_per_s": 1e9, "sigma": 0}
    models = {"m": model("0.001", latency=slow, capacity={"slots": 2, "queue": 50})}
    crowd = {"a": group(80, count=6, values={"kind": "uniform"}, deadline_s=120, **bidders)}
    return scenario(models, crowd, mechanism=rule, events=list(events), horizon_h=hours)


@pytest.mark.parametrize("kind", ["learning", "budget-paced"])
def test_what_was_bid_by_a_rule_is_learnt_by_it_though_another_holds(kind: str) -> None:
    spent = {"spend_usd_per_task": "0.05"} if kind == "budget-paced" else {}
    events = [at(2, groups__a__bidding={"kind": "truthful"}),
              at(3, groups__a__bidding={"kind": kind, **spent})]  # fmt: skip
    what = auction(*events, rule={"kind": "first-price"}, bidding={"kind": kind, **spent})
    calls = lawful(what).calls
    value = pl.col("bid_micros") / 500_000
    truthful = calls.filter(pl.col("posted_us").is_between(2 * H, 3 * H))
    others = calls.filter(~pl.col("posted_us").is_between(2 * H, 3 * H))
    means = [each.select(value.mean()).item() for each in (truthful, others)]
    assert means[0] > 1.15 * means[1]


@pytest.mark.parametrize("kind", ["first-price", "second-price", "uniform-price", "double"])
def test_a_reserve_holds_for_bids_that_are_made_from_then_on(kind: str) -> None:
    frames = lawful(auction(at(2, mechanism__reserve_usd="0.2"), rule={"kind": kind}))
    late = pl.col("posted_us") >= 2 * H
    settled = frames.calls.filter(pl.col("status") == "settled")
    assert min(settled.filter(late)["charge_micros"].to_list()) >= 200_000
    assert min(settled.filter(~late)["charge_micros"].to_list()) < 50_000
    refused = frames.tasks.filter(pl.col("reason") == "reserve")["posted_us"] // H
    assert refused.filter(refused >= 2).len() > 100


def test_slots_are_sold_by_the_tick_from_its_time_and_as_they_fall_free_again() -> None:
    events = [at(1, mechanism__tick_s=60), at(2, mechanism__tick_s=None)]
    calls = lawful(auction(*events, rule={"kind": "second-price"}, hours=3)).calls
    waited = pl.col("started_us") > pl.col("posted_us")
    served = calls.filter(waited & (pl.col("status") == "settled"))
    on_tick = served.group_by(hour=pl.col("started_us") // H).agg(
        share=(pl.col("started_us") % (60 * S) == 0).mean()
    )
    shares = dict(on_tick.iter_rows())
    assert shares[1] > 0.95
    assert shares[0] < 0.5
    assert shares[2] < 0.5


def test_a_payment_rule_changes_what_is_paid_and_not_who_wins() -> None:
    asks = {"kind": "per_call", "usd_per_call": "0.002"}
    models = {"a": model("0.01", cost=asks), "b": model("0.012", cost=asks)}
    rule = {"kind": "scoring", "payment": "first-score"}
    event = at(2, mechanism__payment="second-score")
    calls = lawful(scenario(models, mechanism=rule, events=[event], horizon_h=4)).calls
    late = pl.col("posted_us") >= 2 * H
    paid = pl.col("charge_micros") - pl.col("ask_micros")
    assert calls.filter(~late).select(paid.max()).item() == 0
    assert calls.filter(late).select(paid.mean()).item() > 1000


def test_gas_is_paid_at_the_prices_of_the_time_at_which_a_batch_closes() -> None:
    event = at(12, chain__gas_price_gwei=0.05, chain__eth_usd=1000)
    frames = lawful(scenario(events=[event]))
    late = frames.batches["closed_us"] >= 12 * H
    gas = [int(frames.batches.filter(each)["gas_modelled"].sum()) for each in (~late, late)]
    moved = frames.transfers.filter(pl.col("kind") == "gas")["amount"].sum()
    assert int(str(moved)) == (gas[0] * WEI_PER_GWEI + gas[1] * 5 * WEI_PER_GWEI) // 100
    wanted = gas[0] * 0.01e-9 * 3000 + gas[1] * 0.05e-9 * 1000
    assert figures(frames).rail.gas_micros == pytest.approx(wanted * 1e6, abs=2)


def ruled(*events: Mappings) -> Scenario:
    """Epochs of an hour, five validators, purchases of half a dollar."""
    rules = {
        "kind": "telegraph", "epoch_h": 1, "emission": {"epochs_before": 20},
        "validators": {"all": {"kind": "honest", "count": 5}},
        "consensus": {"quorum": 3, "reduced_quorum": 3},
        "purchases": {"least_usd": "0.5", "over_h": 0.5, "transaction_interval_s": 600,
                      "pool_usd": 1000, "pool_machina": 1000},
    }  # fmt: skip
    crowd = {"a": group(120)}
    return scenario(groups=crowd, protocol=rules, events=list(events), horizon_h=6)


def test_an_epoch_makes_what_the_schedule_says_at_its_end() -> None:
    emission = at(2.5, protocol__emission__first_machina=600,
                  protocol__emission__validators_percent=50)  # fmt: skip
    cap = at(4.5, protocol__emission__cap_machina=1)
    frames = lawful(ruled(emission, cap))
    made = frames.transfers.filter(
        (pl.col("asset") == "MACHINA") & (pl.col("kind") == "mint") & (pl.col("time_us") > 0)
    )
    by = made.group_by(hour=pl.col("time_us") // H).agg(wei=pl.col("amount").cast(pl.Float64).sum())
    assert {hour: round(wei / 1e18) for hour, wei in by.sort("hour").iter_rows()} == {
        1: 7200, 2: 7200, 3: 600, 4: 600,
    }  # fmt: skip
    rewards = frames.protocol.validators.group_by("epoch").agg(pl.col("reward_wei").sum())
    paid = {epoch: int(wei) / 1e18 for epoch, wei in rewards.iter_rows()}
    assert paid[0] == pytest.approx(7200 * 0.6, rel=1e-6)
    assert paid[2] == pytest.approx(600 * 0.5, rel=1e-6)


def test_purchases_begin_by_the_rules_of_their_time() -> None:
    frames = lawful(ruled(at(3, protocol__purchases__least_usd=1000)))
    swaps = frames.transfers.filter((pl.col("kind") == "swap") & (pl.col("asset") == "USDC"))
    hours = swaps["time_us"] / H
    assert hours.is_between(0.5, 3.7).all()
    assert len(hours) > 5


def test_a_limit_of_the_protocol_holds_for_models_that_declare_none() -> None:
    calls = lawful(ruled(at(3, protocol__calls_per_minute=1))).calls
    minute = pl.col("posted_us") // (60 * S)
    most = dict(
        calls.group_by(minute=minute).len().group_by(late=pl.col("minute") >= 180)
        .agg(pl.col("len").max()).iter_rows()
    )  # fmt: skip
    assert most[True] == 1
    assert most[False] > 2


def test_a_quality_that_falls_is_what_a_bonded_model_declares() -> None:
    models = {"a": model("0.01", cost=COST), "b": model("0.01", cost=COST, quality={CHAT: 0.6})}
    event = at(2, models__a__quality={CHAT: 0.3})
    rule = {"kind": "execution-contingent"}
    calls = lawful(scenario(models, mechanism=rule, events=[event], horizon_h=4)).calls
    chosen = calls.group_by(late=pl.col("posted_us") >= 2 * H).agg(pl.col("model").unique())
    assert {late: list(each) for late, each in chosen.iter_rows()} == {False: ["a"], True: ["b"]}
