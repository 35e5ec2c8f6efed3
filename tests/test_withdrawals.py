"""Withdrawals: agents take back what they do not need, after a timelock, and never more."""

from dataclasses import replace

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sim.facts import LawError, ScenarioError
from sim.ledger import Ledger
from sim.metrics import figures
from sim.record.frames import Frames
from sim.scenario import Scenario
from sim.units import US_PER_HOUR
from tests.judging import broken_laws, run_of
from tests.scenarios_for_tests import group, model, scenario

RULE = {"every_h": 2, "keep_usd": 1}
CALL = 50_000  # micros


def withdrawing(budget_usd: object = 5, rule: object = None, **changes: object) -> Scenario:
    """Two groups of one agent each, of which the first withdraws; every call costs five cents."""
    groups = {
        "a": group(6, budget_usd=budget_usd, withdrawal=RULE if rule is None else rule),
        "b": group(6, budget_usd=5),
    }
    return scenario({"m": model("0.05")}, groups, **changes)


def test_an_agent_asks_for_what_it_does_not_keep_and_has_it_a_timelock_later() -> None:
    world, frames = run_of(withdrawing())
    asked, paid = frames.withdrawals.to_dicts()
    spent = frames.calls.filter(agent="a/0").filter(pl.col("posted_us") < 2 * US_PER_HOUR).height
    assert asked["time_us"] == 2 * US_PER_HOUR
    assert asked["micros"] == 4_000_000 - spent * CALL
    assert (paid["executed"], paid["time_us"]) == (True, 6 * US_PER_HOUR)
    assert broken_laws(world, frames) == []


def test_what_is_asked_for_buys_nothing_any_more_and_the_rest_does() -> None:
    _, frames = run_of(withdrawing())
    mine = frames.calls.filter(agent="a/0")
    before = mine.filter(pl.col("posted_us") < 2 * US_PER_HOUR)
    assert mine.height - before.height == 1_000_000 // CALL
    refused = frames.tasks.filter(pl.col("agent") == "a/0", pl.col("outcome") == "rejected")
    assert set(refused["reason"]) == {"no_budget"}
    told = figures(frames).groups
    assert told["a"].withdrawn_micros == frames.withdrawals["micros"][0]
    assert told["a"].budget_left_micros == 0
    assert told["b"].withdrawn_micros == 0


def test_a_timelock_that_outlasts_the_run_leaves_the_money_in_the_account() -> None:
    world, frames = run_of(withdrawing(rail={"kind": "batch", "timelock_h": 100}))
    assert frames.withdrawals["executed"].to_list() == [False]
    assert frames.transfers.filter(kind="withdrawal").is_empty()
    assert figures(frames).groups["a"].budget_left_micros == frames.withdrawals["micros"][0]
    assert broken_laws(world, frames) == []


def test_withdrawing_shifts_nobody_elses_tasks() -> None:
    _, frames = run_of(withdrawing())
    _, without = run_of(scenario({"m": model("0.05")}, {"b": group(6, budget_usd=5)}))
    posted = frames.tasks.filter(group="b")["posted_us"]
    assert posted.equals(without.tasks["posted_us"])


def test_a_scenario_in_which_nobody_withdraws_has_the_hash_it_had() -> None:
    still = scenario({"m": model()}, {"a": group()})
    assert b"withdrawal" not in still.canonical_json()
    assert b"timelock" not in still.canonical_json()
    other = scenario({"m": model()}, {"a": group()}, rail={"kind": "batch", "timelock_h": 9})
    assert other.scenario_hash() == still.scenario_hash()
    assert (
        withdrawing().scenario_hash()
        != withdrawing(rail={"kind": "batch", "timelock_h": 9}).scenario_hash()
    )


def test_an_escrows_usual_lifetime_is_no_part_of_a_scenarios_hash_either() -> None:
    def of(**terms: object) -> bytes:
        rail = {"kind": "escrow-job", **terms}
        return scenario({"m": model()}, {"a": group()}, rail=rail).canonical_json()

    assert b"lifetime" not in of()
    assert of(lifetime_h=24) == of()
    assert of(lifetime_h=12) != of()


@settings(max_examples=25, deadline=None)
@given(
    st.integers(1, 40), st.floats(0.1, 5), st.floats(0, 3).map(lambda usd: f"{usd:.6f}"),
    st.floats(0.01, 8), st.sampled_from(["batch", "prepaid", "epoch-root"]),
)  # fmt: skip
def test_no_rule_lets_an_agent_have_more_than_is_free(
    seed: int, every_h: float, keep_usd: str, timelock_h: float, kind: str
) -> None:
    what = withdrawing(
        rule={"every_h": every_h, "keep_usd": keep_usd}, seed=seed,
        rail={"kind": kind, "timelock_h": timelock_h}, horizon_h=20,
    )  # fmt: skip
    world, frames = run_of(what)
    assert broken_laws(world, frames) == []
    assert min(world.ledger.free) >= 0


def test_nobody_asks_for_more_than_is_free() -> None:
    ledger = Ledger([100], 1)
    ledger.hold(0, 60)
    with pytest.raises(LawError, match="no_overdraft"):
        ledger.claim(0, 41)


def spoilt(frames: Frames, **columns: pl.Expr) -> Frames:
    return replace(frames, withdrawals=frames.withdrawals.with_columns(**columns))


def test_money_that_leaves_before_its_time_breaks_the_law_of_order() -> None:
    world, frames = run_of(withdrawing())
    early = pl.col("time_us") - pl.col("executed").cast(pl.Int64)
    assert "order" in broken_laws(world, spoilt(frames, time_us=early))


def test_more_asked_for_than_was_free_breaks_the_law_of_no_overdraft() -> None:
    world, frames = run_of(withdrawing())
    assert "no_overdraft" in broken_laws(world, spoilt(frames, micros=pl.col("micros") + 1_000_001))


def test_money_that_left_unasked_breaks_the_law_of_order() -> None:
    world, frames = run_of(withdrawing())
    asked = frames.withdrawals.filter("executed")
    assert "order" in broken_laws(world, replace(frames, withdrawals=asked))


def test_money_that_is_not_paid_once_its_timelock_is_over_breaks_the_law_of_order() -> None:
    world, frames = run_of(withdrawing())
    locked = frames.withdrawals.filter(~pl.col("executed"))
    kept = frames.transfers.filter(pl.col("kind") != "withdrawal")
    assert "order" in broken_laws(world, replace(frames, withdrawals=locked, transfers=kept))


@pytest.mark.parametrize("kind", ["transfer", "x402-exact", "escrow-job", "channel"])
def test_rails_without_accounts_have_nothing_to_withdraw_from(kind: str) -> None:
    with pytest.raises(ScenarioError, match=r"groups\.a\.withdrawal: found withdrawals by rail"):
        withdrawing(rail={"kind": kind})


def test_all_that_is_wrong_with_a_withdrawal_is_said_at_once() -> None:
    with pytest.raises(ScenarioError) as caught:
        withdrawing(rule={"every_h": 0, "keep_usd": 9, "kep_usd": 1})
    paths = [fault.path for fault in caught.value.faults]
    assert paths == [f"groups.a.withdrawal.{key}" for key in ("every_h", "kep_usd", "keep_usd")]
