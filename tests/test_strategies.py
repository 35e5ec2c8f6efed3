"""Strategies: what bidders bid, sellers list and ask, and what tasks are worth, rule by rule."""

from collections import Counter
from collections.abc import Mapping
from decimal import Decimal
from itertools import islice

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter

from sim.agents import agents
from sim.costs import UniformCost, costs_of
from sim.ledger import ESCROW
from sim.metrics import figures
from sim.models import Pool
from sim.parameters import Parameters
from sim.strategies import BIDDING, SELLING, VALUES, Bidder, Bidding
from sim.world import World
from tests.auctions import auction, bidders, seller
from tests.scenarios_for_tests import lively, model, ran, record, scenario, task

MICROS = st.integers(0, 10**9)
LEARNING = {"kind": "learning", "factors": [0.5, 0.7, 0.9, 1.0], "explore": 0.1}


def bidder(kind: str, **parameters: object) -> Bidder:
    rule: Bidding = TypeAdapter(Bidding).validate_python({"kind": kind, **parameters})
    return rule.bidder()


@pytest.mark.parametrize("table", [BIDDING, SELLING, VALUES], ids=["bidding", "selling", "values"])
def test_every_strategy_is_in_its_table_under_its_kind_and_says_what_it_does(
    table: Mapping[str, type[Parameters]],
) -> None:
    for kind, rule in table.items():
        assert rule.model_fields["kind"].default == kind
        assert rule.__doc__


@given(MICROS, MICROS)
def test_no_strategy_bids_more_than_the_worth(worth, going):
    rules = [
        bidder("truthful"), bidder("shaded", bidders=3), bidder("price-taking"),
        bidder("budget-paced", spend_usd_per_task=1), bidder("learning"),
    ]  # fmt: skip
    for number, rule in enumerate(rules):
        assert 0 <= rule.bid(task(draw=number), 0, worth, going) <= worth


def test_truth_shade_and_price():
    assert bidder("truthful").bid(task(), 0, 77, 5) == 77
    assert bidder("shaded", bidders=4).bid(task(), 0, 99, 5) == 74
    assert bidder("price-taking", raise_share=0.1).bid(task(), 0, 1000, 100) == 110
    assert bidder("price-taking", raise_share=0.1).bid(task(), 0, 105, 100) == 105


def test_a_paced_bidder_slows_down_after_dear_tasks_and_never_bids_above_the_worth():
    paced = bidder("budget-paced", spend_usd_per_task="0.000100", step=0.5)
    assert paced.bid(task(), 0, 900, 0) == 900
    paced.ended(task(), 0, 300, 0)  # 0.5 x (300 - 100) / 100 = 1
    assert paced.bid(task(), 0, 900, 0) == 450
    paced.ended(task(), 0, 0, 0)
    assert paced.bid(task(), 0, 900, 0) == 600
    for _ in range(5):
        paced.ended(task(), 0, 0, 0)
    assert paced.bid(task(), 0, 900, 0) == 900


def test_pacing_meets_its_target_over_a_day():
    target = 0.05
    paced = {"kind": "budget-paced", "spend_usd_per_task": target, "step": 0.02}
    frames = ran(auction({"kind": "second-price"}, 3, 4000, 1, bidding=paced))
    late = frames.calls.filter(pl.col("task_id") > 6000)
    assert int(late["charge_micros"].sum()) / len(late) / 10**6 == pytest.approx(target, rel=0.05)


def test_a_learner_tries_every_factor_first_then_mostly_the_one_that_gained_most():
    learner = bidder("learning", factors=[0.25, 0.5, 1.0], explore=0.1)
    gains, bids = {250: 3, 500: 9, 1000: 0}, Counter[int]()
    for draw in range(400):
        posted = task(draw=draw * 0x9E3779B97F4A7C15 % 2**64)
        bid = learner.bid(posted, 0, 1000, 0)
        bids[bid] += 1
        learner.ended(posted, 0, 0, gains[bid])
    assert bids[500] > 350
    assert min(bids[250], bids[1000]) > 1


def test_learners_come_to_shade_in_first_price_auctions_and_gain_by_it():
    rounds = 1500
    learnt = ran(auction({"kind": "first-price"}, 2, rounds, 2, bidding=LEARNING))
    values = learnt.calls.join(learnt.tasks.select("task_id", "value_micros"), on="task_id")
    late = values.filter(pl.col("task_id") > rounds)
    shade = int(late["bid_micros"].sum()) / int(late["value_micros"].sum())
    assert 0.5 <= shade < 0.65  # the equilibrium is one half; a tenth of the bids explore
    honest = ran(auction({"kind": "first-price"}, 2, rounds, 2))
    assert figures(honest).prices.surplus_micros == 0
    assert figures(learnt).prices.surplus_micros > 0.2 * rounds * 10**6


# Values -------------------------------------------------------------------------------------------


def test_drawn_values_shift_nothing_else():
    fixed = agents(lively())[0].tasks
    groups = lively().model_dump(mode="json", exclude_none=True)["groups"]
    drawn = {**groups, "chat": groups["chat"] | {"values": {"kind": "uniform", "high": 2}}}
    models = lively().model_dump(mode="json", exclude_none=True)["models"]
    again = agents(scenario(models, drawn, tasks=300, validators={"kind": "median", "noise": 0.1}))
    values = set()
    for one, other in islice(zip(fixed, again[0].tasks, strict=False), 600):
        values.add(other.value_micros)
        same = one._replace(value_micros=other.value_micros, limit_micros=other.limit_micros)
        assert same._replace(judgement_ppm=0) == other._replace(judgement_ppm=0)
        assert other.limit_micros == min(one.limit_micros, other.value_micros)
    assert len(values) > 500
    assert max(values) <= 1_000_000
    assert sum(values) / len(values) == pytest.approx(500_000, rel=0.1)


def test_nobody_buys_at_a_posted_price_above_what_the_task_is_worth():
    people = bidders(1)
    frames = ran(scenario({"m": seller("0.4", 9)}, {"a": people}, tasks=500))
    refused = frames.tasks.filter(pl.col("reason") == "max_price")
    assert (refused["value_micros"] < 400_000).all()
    assert len(refused) == pytest.approx(200, abs=40)


# Costs and selling --------------------------------------------------------------------------------


def test_a_drawn_cost_is_the_models_own_and_uniform():
    law = UniformCost(kind="uniform", low_usd=Decimal("0.1"), high_usd=Decimal("0.3"))
    one, other = costs_of(law, "one"), costs_of(law, "other")
    assert one is not None
    assert other is not None
    tasks = [task(draw=draw * 0x9E3779B97F4A7C15 % 2**64) for draw in range(2000)]
    mine = [one.micros(each, 0, 0) for each in tasks]
    assert mine == [one.micros(each, 5, 7) for each in tasks]
    assert mine != [other.micros(each, 0, 0) for each in tasks]
    assert 100_000 <= min(mine) <= max(mine) <= 300_000
    assert sum(mine) / len(mine) == pytest.approx(200_000, rel=0.02)
    assert one.mean_micros(tasks[0], 0, 0) == 200_000


def test_cost_plus_lists_its_cost_and_the_markup_of_it():
    priced = {"cost": {"kind": "per_token", "input_usd_per_mtok": 1, "output_usd_per_mtok": 4},
              "selling": {"kind": "cost-plus", "markup": 0.5}}  # fmt: skip
    tariff = Pool(scenario({"m": model(**priced)})).endpoints[0].tariff
    assert (tariff.per_call, tariff.input, tariff.output) == (0, 1_500_000, 6_000_000)


@pytest.mark.parametrize("kind", ["second-price", "uniform-price", "double"])
def test_a_run_that_is_stopped_leaves_the_holds_of_waiting_bids_in_escrow(kind):
    what = scenario(
        {"m": seller("0.01")}, {"a": bidders(4, deadline_s=30)},
        mechanism={"kind": kind, "tick_s": 1}, tasks=400,
    )  # fmt: skip
    world = World(what)
    world.clock.after(20_200_000, lambda _: world.stop(), None)
    world.run()
    calls = record(world).calls
    flying = calls.filter(pl.col("status") == "in_flight")
    assert len(flying) > 5
    assert (flying["quote_micros"] == flying["bid_micros"]).all()
    assert world.ledger.balances[ESCROW] == flying["quote_micros"].sum()
