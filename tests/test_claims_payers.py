"""What the scenario of payers on their way out expects, tested."""

from pathlib import Path

import pytest

import sim
from tests.claims import Replications, above, below, within

RACE = "withdrawal-race"


def kept(rail: str) -> Replications:
    """The same market where money stays in wallets, or in accounts that nobody empties."""
    return Replications(RACE, {"groups.payers.withdrawal": None, "rail": {"kind": rail}})


@pytest.fixture(scope="module")
def race() -> Replications:
    return Replications(RACE)


def test_payers_take_most_of_their_money_out_and_buy_as_before(race: Replications) -> None:
    assert above(race.interval("groups.payers.withdrawn_micros"), 65e6)
    stay = race.but({"groups.payers.withdrawal": None})
    assert race.values("success_rate") == stay.values("success_rate")
    assert above(race.interval("success_rate"), 0.75)


@pytest.mark.chain
def test_no_call_is_left_unpaid_though_it_settles_after_the_money_has_gone(tmp_path: Path) -> None:
    run = sim.run(RACE, set={"horizon_h": 2}, chain="anvil", out=tmp_path / "run")
    assert run.ok
    gone = run.saved.frames.withdrawals
    assert gone["executed"].sum() >= 10
    assert run.summary.calls.unpaid == 0
    assert run.summary.calls.settled == run.summary.chain.calls_settled > 1_000


def test_what_a_payer_in_wallets_can_be_gone_with_is_what_the_rail_leaves_unsettled() -> None:
    risk = {kind: kept(kind).interval("rail.at_risk_micros") for kind in ("channel", "x402-exact")}
    assert within(risk["channel"], 3.9e6, 4.9e6)
    assert below(risk["x402-exact"], 0.06e6)
    assert set(kept("escrow-job").values("rail.at_risk_micros")) == {0.0}
