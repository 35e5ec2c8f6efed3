"""The ladder: one list of calls through every rail, and what the table says of it."""

import json
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import numpy as np
import pytest

from sim.cli import main
from sim.cli.laddering import price
from sim.facts import ScenarioError
from sim.ladder import Ladder, climb
from sim.ladder.figures import floors, micros_of_gas
from sim.ladder.listed import Listed, listed
from sim.rails import RAILS, BatchRail, ChannelRail, rail_like
from sim.scenario import load
from sim.scenario.schema import Chain
from tests.scenarios_for_tests import scenario

SMALL = ["tasks=60", "chain.gas_price_gwei=1", "rail.size=20"]


@pytest.fixture(scope="module")
def found() -> Listed:
    return listed(load("hello-market", ["tasks=300"]))


# -- The list --------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", list(RAILS))
def test_every_rail_settles_the_whole_list_in_order_and_the_first_calls_apart(
    found: Listed, kind: str
) -> None:
    made = found.batches(rail_like(BatchRail(), kind), 50)
    places = np.concatenate([np.arange(b.first, b.first + len(b)) for b in made])
    assert places.tolist() == list(range(len(found)))
    assert 50 in np.cumsum([len(batch) for batch in made])
    assert [batch.number for batch in made] == list(range(len(made)))
    assert all((batch.finished_us <= batch.closed_us).all() for batch in made)


def test_what_the_ledger_says_adds_up(found: Listed) -> None:
    record = found.record(len(found), "batch", 0, (1, 2))
    spent = found.budget_micros.sum() - record.agent_balance_micros.sum()
    assert spent == record.model_earned_micros.sum() + record.fees_micros
    assert spent == found.calls.charge_micros.sum() > 0


def test_a_market_that_settles_nothing_is_refused() -> None:
    with pytest.raises(ScenarioError, match="no settled call"):
        listed(scenario(horizon_h=1e-6))


def test_another_rail_takes_the_same_fee_for_the_same_answers() -> None:
    given = BatchRail(fee_bps=77, settle_on="success", size=5)
    assert rail_like(given, "batch") == given
    assert rail_like(given, "channel") == ChannelRail(fee_bps=77, settle_on="success")


# -- Prices ----------------------------------------------------------------------------------------


def test_gas_in_dollars_is_gas_times_both_prices() -> None:
    assert micros_of_gas(Decimal(50_000), Chain(gas_price_gwei=2, eth_usd=3000)) == 300_000


def test_a_floor_is_the_smallest_price_of_which_gas_is_no_more_than_its_share() -> None:
    found = floors(Decimal("7.003"))
    assert found == {"1%": 701, "5%": 141, "20%": 36}
    for percent, micros in found.items():
        share = Decimal(percent.removesuffix("%")) / 100
        assert Decimal("7.003") <= micros * share
        assert Decimal("7.003") > (micros - 1) * share


@pytest.mark.parametrize(
    ("micros", "text"),
    [("1240", "0.00124"), ("0.807", "0.000000807"), ("124000", "0.124"), ("0", "0.00")],
)
def test_small_prices_have_three_figures(micros: str, text: str) -> None:
    assert price(Decimal(micros)) == text


# -- On one Anvil ----------------------------------------------------------------------------------


@pytest.mark.chain
def test_every_rail_ends_in_the_same_balances_on_one_chain(
    capsys: pytest.CaptureFixture[str],
) -> None:
    arguments = [part for value in SMALL for part in ("--set", value)]
    assert main(["rails", "hello-market", *arguments, "--calls", "25", "--json"]) == 0
    captured = capsys.readouterr()
    ladder = Ladder.model_validate_json(captured.out)
    assert ladder.equal
    assert ladder.compared == 25
    assert [rung.rail for rung in ladder.rungs] == list(RAILS)
    for rung in ladder.rungs:
        assert (rung.faults, rung.difference_micros) == ((), 0)
        assert rung.calls == (25 if RAILS[rung.rail].per_call else ladder.calls)
        assert rung.sampled == RAILS[rung.rail].per_call
        assert rung.gas_micros_per_call == pytest.approx(rung.gas_per_call * 3)
        assert rung.opening_gas > 0
        assert rung.calls_per_s > 0
    by_gas = sorted(ladder.rungs, key=lambda rung: -rung.gas_per_call)
    assert (by_gas[0].rail, by_gas[-1].rail) == ("escrow-job", "epoch-root")
    assert "the first 25 of" in captured.err
    assert json.loads(captured.out)["rungs"][0]["floor_micros"].keys() == {"1%", "5%", "20%"}


@pytest.mark.chain
def test_all_calls_go_through_every_rail_if_that_is_asked_for() -> None:
    told: list[str] = []
    ladder = climb(load("hello-market", ["tasks=12"]), None, told.append)
    assert {rung.calls for rung in ladder.rungs} == {ladder.calls}
    assert not any(rung.sampled for rung in ladder.rungs)
    assert len(told) == 1 + len(RAILS)


@pytest.mark.chain
def test_a_ladder_whose_balances_differ_says_so_and_fails(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    true = Listed.record

    def short(self: Listed, count: int, rail: str, first: int, blocks: tuple[int, int]) -> object:
        record = true(self, count, rail, first, blocks)
        return replace(record, fees_micros=record.fees_micros + 1)

    monkeypatch.setattr(Listed, "record", short)
    assert main(["rails", "hello-market", "--set", "tasks=5"]) == 1
    assert "NOT EQUAL" in capsys.readouterr().err


def test_a_scenario_that_is_not_there_is_an_error(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["rails", str(tmp_path / "none.yaml")]) == 2
    assert "none.yaml" in capsys.readouterr().err
