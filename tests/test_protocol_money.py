"""MACHINA: emission and its cap, who gets it, the pool's arithmetic, purchases, the laws."""

from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim.clock import Clock
from sim.facts import ScenarioError
from sim.laws import Evidence, check
from sim.ledger import Ledger
from sim.metrics import figures
from sim.protocol.books import Books
from sim.protocol.mint import Mint
from sim.protocol.purchasing import Purchasing
from sim.protocols import Emission, Purchases
from sim.protocols.exchange import MOST_TICK, Q96, Exchange, sqrt_ratio_at
from sim.protocols.money import WEI_PER_MACHINA
from sim.runner import Run, run
from sim.scenario import from_mapping
from sim.units import US_PER_HOUR
from sim.world import World
from tests.bad_scenarios import GOOD, faults_of
from tests.scenarios_for_tests import group, model, record, scenario

USD = 10**6
PER_EPOCH = 7200 * WEI_PER_MACHINA


@pytest.mark.parametrize(
    ("epoch", "machina"),
    [(0, 7200), (1460, 7200), (1461, 3600), (2922, 1800), (1461 * 13, 0.87890625)],
)
def test_the_emission_halves_every_1461_epochs(epoch, machina):
    assert Emission().scheduled_wei(epoch) == int(machina * WEI_PER_MACHINA)


def test_the_schedule_alone_would_come_to_21_038_400_and_stops_at_21_000_000():
    rules = Emission()
    alone = sum(1461 * rules.scheduled_wei(1461 * era) for era in range(80))
    assert 21_038_399 * WEI_PER_MACHINA < alone <= 21_038_400 * WEI_PER_MACHINA
    assert rules.supply_wei(20_000) == 21_000_000 * WEI_PER_MACHINA
    assert rules.due_wei(20_000, rules.supply_wei(20_000)) == 0


def test_an_epoch_is_divided_sixty_twenty_twenty():
    validators, authors = Emission().parts_wei(PER_EPOCH)
    assert (validators, authors) == (PER_EPOCH * 6 // 10, PER_EPOCH * 2 // 10)


@given(st.integers(10**9, 10**14), st.integers(10**18, 10**26), st.booleans(), st.data())
def test_a_swap_never_takes_more_than_constant_product_gives(amount0, amount1, sells_0, data):
    pool = Exchange(amount0, amount1, 3000)
    before = pool.reserve0 * pool.reserve1
    into, out = (pool.reserve0, pool.reserve1) if sells_0 else (pool.reserve1, pool.reserve0)
    amount = data.draw(st.integers(1, into))
    taken, bought = pool.swap(amount, zero_for_one=sells_0)
    assert taken == amount
    assert 0 <= bought < out
    assert pool.reserve0 * pool.reserve1 >= before
    # x y = k with the fee taken off, but for the position's ends far away and rounding.
    net = amount * (1 - 0.003)
    assert bought == pytest.approx(out * net / (into + net), rel=1e-6, abs=2 + out / into)


def test_square_roots_of_prices_are_those_of_their_ticks():
    for tick in (0, 1, -1, 60, -15_360, 200_000, -MOST_TICK, MOST_TICK):
        assert sqrt_ratio_at(tick) / Q96 == pytest.approx(1.0001 ** (tick / 2), rel=1e-9)


def test_a_large_swap_crosses_words_of_the_bitmap_as_small_ones_do():
    whole, parts = Exchange(10**12, 10**24, 3000), Exchange(10**12, 10**24, 3000)
    one = whole.swap(10**14, zero_for_one=True)[1]
    many = sum(parts.swap(10**10, zero_for_one=True)[1] for _ in range(10**4))
    assert one == pytest.approx(many, rel=1e-6)
    assert whole.sqrt_price < sqrt_ratio_at(0) * 10**6 / 100


def buying(**changes: object) -> Mapping[str, object]:
    purchases = {"least_usd": 1, "over_h": 6, "transaction_interval_s": 3600, "pool_usd": 100_000}
    return {
        "kind": "telegraph",
        "epoch_h": 12,
        "spot_checks": {"tasks": 0},
        "validators": {"all": {"kind": "honest", "count": 5}},
        "consensus": {"quorum": 3, "reduced_quorum": 3},
        "purchases": {**purchases, "pool_machina": 100_000, **changes},
    }


def bought(tmp_path, **changes: object) -> Run:
    models = {"big": model("0.05"), "small": model("0.01", quality={"CHAT_COMPLETION": 0.5})}
    what = scenario(models, {"g": group(60)}, horizon_h=30, protocol=buying(**changes))
    ended = run(what, out=tmp_path / "run", chain="none")
    assert ended.ok, ended.failure
    return ended


def swaps(ended: Run, asset: str, model_id: str) -> pl.DataFrame:
    account, side = f"model:{model_id}", "source" if asset == "USDC" else "target"
    moves = ended.transfers.filter((pl.col("kind") == "swap") & (pl.col("asset") == asset))
    return moves.filter(pl.col(side).cast(pl.String) == account)


def test_what_models_earn_buys_machina_hour_by_hour(tmp_path):
    ended = bought(tmp_path)
    spent, got = swaps(ended, "USDC", "big"), swaps(ended, "MACHINA", "big")
    assert set(spent["time_us"] % US_PER_HOUR) == {0}
    assert spent["time_us"].to_list() == got["time_us"].to_list()
    earned = ended.summary.models["big"].revenue_micros
    assert 0.6 * earned < int(spent["amount"].sum()) <= earned
    # One for one but for the fee of 0.3 % and what buying does to the price.
    price = int(got["amount"].sum()) / int(spent["amount"].sum()) / 10**12
    assert 0.995 < price <= 0.997


def test_less_than_the_least_purchase_rolls_over(tmp_path):
    ended = bought(tmp_path, least_usd=10_000)
    assert swaps(ended, "USDC", "big").height == 0


def test_drips_of_a_purchase_are_spread_over_its_time(tmp_path):
    ended = bought(tmp_path, least_usd=50)
    spent = swaps(ended, "USDC", "big")
    hours = spent["time_us"] // US_PER_HOUR
    first = hours[0]
    of_first = [int(each) for each in spent["amount"][:5]]
    assert hours.to_list()[:5] == list(range(first, first + 5))
    assert of_first[1:] == pytest.approx([50 * USD / 6] * 4, rel=0.02)


def test_a_purchase_is_cent_by_cent_evenly_over_a_day_half_a_minute_either_way():
    desk = Purchasing(Clock(), Purchases(), Books(), ["m"], 1)
    desk.earned(0, 0, 99_999_999)
    assert desk.buyers[0].purchases == []
    desk.earned(1, 0, 5_002)
    (purchase,) = desk.buyers[0].purchases
    drips = np.diff(purchase.sums, prepend=0)
    assert len(drips) == 10_001
    assert sorted(set(drips.tolist())) == [5_001, 10_000]
    assert int(purchase.sums[-1]) == 100_005_001
    even = (2 * np.arange(10_001) + 1) * 24 * US_PER_HOUR // (2 * 10_001)
    late = np.abs(purchase.times_us - even)
    assert 20 * USD < late.max() <= 30 * USD


@given(st.dictionaries(st.sampled_from("abcdef"), st.integers(0, 10**6), max_size=6))
def test_authors_share_their_part_by_use_and_the_treasury_has_the_rest(uses):
    books, rules = Books(), Emission(epochs_before=0)
    Mint(rules, books, 0, 0).end_epoch(0, None, None, uses)
    for_authors, every = rules.parts_wei(PER_EPOCH)[1], sum(uses.values())
    got = {intent: books.of(f"author:{intent}") for intent in uses}
    assert got == {
        intent: for_authors * count // every if every else 0 for intent, count in uses.items()
    }
    assert books.of("treasury") == PER_EPOCH - sum(got.values())


def test_supply_is_the_schedules_and_every_epoch_has_its_mint(tmp_path):
    ended = bought(tmp_path)
    mints = ended.transfers.filter((pl.col("asset") == "MACHINA") & (pl.col("kind") == "mint"))
    assert int(mints["amount"].sum()) == 62 * PER_EPOCH
    late = mints.filter(pl.col("time_us") > 0)
    assert sorted(set(late["time_us"])) == [12 * US_PER_HOUR, 24 * US_PER_HOUR]
    by_account = {
        account: int(amount)
        for account, amount in late.group_by("target").agg(pl.col("amount").sum()).iter_rows()
    }
    assert by_account["author:CHAT_COMPLETION"] == 2 * PER_EPOCH // 5
    assert by_account["validator:all/0"] == pytest.approx(2 * PER_EPOCH * 6 / 50, rel=1e-12)
    rewards = ended.saved.frames.protocol.validators.filter(pl.col("validator") == "all/0")
    assert int(rewards["reward_wei"].sum()) == by_account["validator:all/0"]


def test_a_mint_beyond_the_schedule_breaks_conservation(tmp_path):
    ended = bought(tmp_path)
    frames = ended.saved.frames
    extra = pl.when(
        (pl.col("asset") == "MACHINA") & (pl.col("kind") == "mint") & (pl.col("time_us") > 0)
    ).then(pl.col("amount") + 1).otherwise("amount")  # fmt: skip
    forged = replace(frames, transfers=frames.transfers.with_columns(extra.alias("amount")))
    found = figures(forged)
    laws = check(Evidence.gather(forged, found, found, None, Ledger([0], 0)))
    assert not laws["conservation"].ok
    assert "MACHINA" in laws["conservation"].found


def test_stakes_and_pool_are_made_of_what_earlier_epochs_minted():
    rules = {**buying(), "emission": {"epochs_before": 14}}
    (fault,) = faults_of(GOOD | {"protocol": rules})
    assert fault.path == "protocol.emission.epochs_before"
    assert "105000" in fault.allowed


def test_shares_of_an_emission_over_a_hundred_per_cent_are_a_fault():
    rules = {"kind": "telegraph", "emission": {"validators_percent": 70, "authors_percent": 40}}
    with pytest.raises(ScenarioError, match="at most 100 together"):
        from_mapping(GOOD | {"protocol": rules})


def test_a_stake_is_an_exact_decimal():
    assert Emission(first_machina=Decimal("0.000000000000000001")).scheduled_wei(0) == 1


@pytest.mark.parametrize("stop_h", [0.01, 7, 12.5, 25.2])
def test_an_interrupted_run_keeps_the_laws_of_its_protocol(stop_h):
    world = World(scenario({"m": model("0.05")}, {"g": group(60)}, horizon_h=30, protocol=buying()))
    world.clock.after(round(stop_h * US_PER_HOUR), lambda _: world.stop(), None)
    world.run()
    frames = record(world)
    found = figures(frames)
    laws = check(Evidence.gather(frames, found, found, None, world.ledger))
    assert [name for name, law in laws.items() if not law.ok] == []
    assert found.protocol.epochs == int(stop_h / 12)
