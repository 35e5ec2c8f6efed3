"""The mechanism family: what holds of every member, in small markets."""

from collections import Counter

import polars as pl
import pytest

from sim.mechanisms import MECHANISMS
from sim.runner import run
from sim.scenario import Scenario, from_mapping
from sim.world import World
from tests.auctions import ON_SUCCESS, bidders, seller
from tests.scenarios_for_tests import (
    Mappings,
    fates,
    life,
    lively,
    play,
    ran,
    record,
    scenario,
    task,
)

KINDS = list(MECHANISMS)
BY_BIDS = ["first-price", "second-price", "uniform-price", "double"]
BY_ASKS = ["reverse-first", "reverse-second", "scoring", "pay-per-success", "execution-contingent"]
STRATEGIES: list[Mappings] = [
    {"kind": "truthful"},
    {"kind": "shaded", "bidders": 3},
    {"kind": "budget-paced", "spend_usd_per_task": "0.001"},
    {"kind": "learning"},
    {"kind": "price-taking"},
]


def busy(
    kind: str, tasks: int = 150, seed: int = 1, bidding: Mappings | None = None, **changes: object
) -> Scenario:
    """Outages, waiting, refusals, retries, prices per token and per call, and one who asks by cost.

    The agents of one group value each task differently.
    """
    whole = lively(tasks, seed).model_dump(mode="json", exclude_none=True)
    whole["models"]["mid"] |= {
        "cost": {"kind": "per_call", "usd_per_call": "0.0001"},
        "selling": {"kind": "cost-plus", "markup": 1},
    }
    whole["groups"]["chat"] |= {
        "bidding": bidding or STRATEGIES[0], "values": {"kind": "uniform"},
    }  # fmt: skip
    return from_mapping(whole | {"mechanism": {"kind": kind}, **changes})


def test_the_two_sorts_and_posted_price_are_all_there_is():
    assert {"posted", *BY_BIDS, *BY_ASKS} == set(KINDS)
    assert all(rule.__doc__ for rule in MECHANISMS.values())


@pytest.mark.parametrize("settle_on", ["delivered", "success"])
@pytest.mark.parametrize("kind", KINDS)
def test_every_mechanism_keeps_the_laws_in_a_lively_run(kind, settle_on, tmp_path):
    rail = {"kind": "batch", "size": 16, "interval_s": 30, "settle_on": settle_on}
    ended = run(busy(kind, rail=rail), out=tmp_path / "run", chain="none")
    assert ended.ok, (ended.failure, ended.summary.laws)
    assert ended.summary.calls.settled > 20


@pytest.mark.parametrize("bidding", STRATEGIES, ids=lambda rule: str(rule["kind"]))
@pytest.mark.parametrize("kind", BY_BIDS)
def test_every_bidding_strategy_keeps_the_laws_under_every_auction(kind, bidding, tmp_path):
    ended = run(busy(kind, 80, 2, bidding), out=tmp_path / "run", chain="none")
    assert ended.ok, (ended.failure, ended.summary.laws)


@pytest.mark.parametrize("kind", KINDS)
def test_no_call_goes_to_what_is_down_or_full_and_none_is_served_without_a_slot(kind, monkeypatch):
    world = World(busy(kind, 250, 3))
    enter, serve, seen = world.market._enter, world.market.serve, Counter[str]()

    def entering(call):
        assert call.model.has_room
        assert call.task.intent in call.model.abilities
        assert call.quote_micros <= call.bid_micros <= call.task.limit_micros
        seen["made"] += 1
        enter(call)

    def serving(call):
        assert call.model.up
        assert len(call.model.serving) < call.model.slots
        assert call.ask_micros <= call.bid_micros
        seen["served"] += 1
        serve(call)

    monkeypatch.setattr(world.market, "_enter", entering)
    monkeypatch.setattr(world.market, "serve", serving)
    world.run()
    assert seen["made"] >= seen["served"] > 50


@pytest.mark.parametrize("kind", KINDS)
def test_the_charge_is_within_the_hold_and_a_success_is_paid_what_was_asked(kind):
    calls = ran(busy(kind, 200, 4)).calls
    assert (calls["charge_micros"] <= calls["quote_micros"]).all()
    assert (calls["quote_micros"] <= calls["bid_micros"]).all()
    assert (calls["ask_micros"] <= calls["quote_micros"]).all()
    won = calls.filter(calls["success"])
    assert len(won) > 20
    if kind != "posted":
        assert (won["charge_micros"] >= won["ask_micros"]).all()


@pytest.mark.parametrize("kind", KINDS)
def test_the_same_seed_gives_the_same_record(kind):
    first, second = (ran(busy(kind, 120, 5)).digest for _ in range(2))
    assert first == second
    assert ran(busy(kind, 120, 6)).digest != first


@pytest.mark.parametrize("kind", BY_BIDS)
def test_of_equal_bids_the_earlier_is_served_first(kind):
    what = scenario(
        {"m": seller()}, {"a": bidders(3)}, rail=ON_SUCCESS, mechanism={"kind": kind, "tick_s": 1}
    )
    mine = [[task(0.1 * n, deadline_s=60)] for n in (3, 1, 2)]
    frames = record(play(what, *mine))
    served = frames.calls.sort("started_us")
    assert served["agent"].to_list() == ["a/1", "a/2", "a/0"]


@pytest.mark.parametrize("kind", BY_ASKS)
def test_of_equal_asks_the_first_model_wins(kind):
    models = {name: seller("0.1", 1) for name in ("c", "b", "a")}
    what = scenario(models, {"a": bidders(1)}, rail=ON_SUCCESS, mechanism={"kind": kind})
    frames = record(play(what, [task(1), task(10)]))
    assert frames.calls["model"].to_list() == ["a", "a"]


@pytest.mark.parametrize("kind", BY_BIDS)
def test_a_bid_below_the_reserve_is_refused_with_its_reason(kind):
    what = scenario({"m": seller("0.2")}, {"a": bidders(1)}, mechanism={"kind": kind})
    mine = [task(1, value_micros=199_998), task(2, value_micros=300_000)]
    frames = record(play(what, mine))
    assert fates(frames)[0] == "0 0 rejected reserve 1"
    assert len(life(frames)) == 1


@pytest.mark.parametrize("kind", BY_BIDS)
def test_a_bidder_is_never_charged_above_its_budget(kind):
    what = scenario(
        {"m": seller("0.01", 1)}, {"a": bidders(6, budget_usd="0.7")},
        mechanism={"kind": kind}, tasks=120,
    )  # fmt: skip
    calls = ran(what).calls
    spent = calls.group_by("agent").agg(pl.col("charge_micros").sum())
    assert (spent["charge_micros"] <= 700_000).all()
    assert spent["charge_micros"].sum() > 700_000
