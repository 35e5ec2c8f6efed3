"""Balances: moved by transfers alone, kept twice, and refused when a law of money would break."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sim.facts import Kind, LawError, Reason, Status
from sim.ledger import ESCROW, FIRST_AGENT, ISSUER, TREASURY, Ledger, mints, moved, transfers
from sim.record import Calls, Transfers
from sim.world import World
from tests.scenarios_for_tests import lively, record

FIELDS = list(Calls.__dataclass_fields__)
Row = tuple[int, ...]


def call(call_id: int, status: Status, quote: int, charge: int, fee: int, **others: int) -> Row:
    """A call of agent 1 at model 0, posted at 5 and finished at 9."""
    plain = dict.fromkeys(FIELDS, 0) | {
        "call_id": call_id, "agent": 1, "posted_us": 5, "started_us": 6, "finished_us": 9,
        "quote_micros": quote, "charge_micros": charge, "fee_micros": fee, "status": status,
    }  # fmt: skip
    return tuple((plain | others).values())


def rows(found: Transfers) -> list[tuple[int, int, str, int, int, int]]:
    """Transfers as (call, time, kind, source, target, micros)."""
    columns = (getattr(found, name).tolist() for name in Transfers.__dataclass_fields__)
    return [
        (call, time, Kind(kind).name.lower(), source, target, micros)
        for call, time, kind, source, target, micros in zip(*columns, strict=True)
    ]


AGENT, MODEL = FIRST_AGENT + 1, FIRST_AGENT + 2


def test_a_settled_call_is_held_released_and_the_rest_refunded() -> None:
    calls = Calls.from_rows([call(7, Status.SETTLED, 100, 60, 3)])
    assert rows(transfers(calls, 2)) == [
        (7, 5, "hold", AGENT, ESCROW, 100),
        (7, 9, "release", ESCROW, MODEL, 60),
        (7, 9, "fee", MODEL, TREASURY, 3),
        (7, 9, "refund", ESCROW, AGENT, 40),
    ]


def test_a_refunded_call_gets_its_whole_hold_back() -> None:
    calls = Calls.from_rows([call(7, Status.REFUNDED, 100, 0, 0, reason=Reason.OUTAGE)])
    assert rows(transfers(calls, 2)) == [
        (7, 5, "hold", AGENT, ESCROW, 100),
        (7, 9, "refund", ESCROW, AGENT, 100),
    ]


def test_a_call_in_flight_is_held_only() -> None:
    calls = Calls.from_rows([call(7, Status.IN_FLIGHT, 100, 0, 0)])
    assert rows(transfers(calls, 2)) == [(7, 5, "hold", AGENT, ESCROW, 100)]


def test_transfers_of_nothing_are_left_out() -> None:
    free, whole = call(7, Status.SETTLED, 0, 0, 0), call(8, Status.SETTLED, 50, 50, 0, model=1)
    assert rows(transfers(Calls.from_rows([free, whole]), 2)) == [
        (8, 5, "hold", AGENT, ESCROW, 50),
        (8, 9, "release", ESCROW, MODEL + 1, 50),
    ]
    assert rows(transfers(Calls.from_rows([]), 2)) == []


def test_the_issuer_mints_every_budget_at_the_start() -> None:
    assert rows(mints(np.array([10, 20]))) == [
        (-1, 0, "mint", ISSUER, FIRST_AGENT, 10),
        (-1, 0, "mint", ISSUER, FIRST_AGENT + 1, 20),
    ]
    assert Ledger([10, 20], 2).balances.tolist() == [-30, 0, 0, 10, 20, 0, 0]


def test_moving_leaves_the_balances_before_alone() -> None:
    before = np.array([0, 5, 5, 5])
    columns = [[0, 0], [0, 0], [0, 0], [1, 1], [2, 3], [2, 1]]
    after = moved(before, Transfers(*(np.array(column) for column in columns)))
    assert (before.tolist(), after.tolist()) == ([0, 5, 5, 5], [0, 2, 7, 6])


def test_the_books_know_what_each_party_has_in_the_end() -> None:
    ledger = Ledger([10, 200], 2)
    ledger.hold(1, 100)
    ledger.hold(1, 30)
    ledger.end_hold(1, 100, 60)
    ledger.post(Calls.from_rows([call(0, Status.SETTLED, 100, 60, 3)]), [(1, 30)])
    assert ledger.free == [10, 110]
    assert ledger.of_agents.tolist() == [10, 140]
    assert ledger.of_models.tolist() == [57, 0]
    assert ledger.of_treasury == 3


def test_a_hold_may_take_the_last_micro_and_not_one_more() -> None:
    ledger = Ledger([100], 1)
    ledger.hold(0, 100)
    with pytest.raises(LawError, match="no_overdraft") as raised:
        ledger.hold(0, 1)
    assert ledger.free == [0]
    assert raised.value.found == "agent 0 at -1 micros"


@pytest.mark.parametrize("charge", [-1, 11])
def test_a_charge_beyond_its_hold_is_refused(charge: int) -> None:
    ledger = Ledger([100], 1)
    ledger.hold(0, 10)
    with pytest.raises(LawError, match="no_more_than_held"):
        ledger.end_hold(0, 10, charge)
    assert ledger.free == [90]


@pytest.mark.parametrize(("charge", "free"), [(0, 100), (10, 90)])
def test_a_hold_may_end_in_nothing_or_in_all_of_it(charge: int, free: int) -> None:
    ledger = Ledger([100], 1)
    ledger.hold(0, 10)
    ledger.end_hold(0, 10, charge)
    assert ledger.free == [free]


def ended(quote: int, charge: int) -> Ledger:
    """The ledger of an agent with 100 micros, one of whose holds has ended."""
    ledger = Ledger([100], 1)
    ledger.hold(0, quote)
    ledger.end_hold(0, quote, charge)
    return ledger


PAID = call(0, Status.SETTLED, 50, 40, 1, agent=0)


def test_posting_finds_a_purse_that_the_transfers_do_not_explain() -> None:
    for more in (-1, 1):
        ledger = ended(50, 40)
        ledger.free[0] += more
        with pytest.raises(LawError, match=f"60 micros by transfers, needed {60 + more}"):
            ledger.post(Calls.from_rows([PAID]), [])


def test_posting_finds_a_hold_that_is_not_in_flight() -> None:
    ledger = ended(50, 40)
    ledger.hold(0, 5)
    with pytest.raises(LawError, match="conservation"):
        ledger.post(Calls.from_rows([PAID]), [])


def test_posting_finds_an_ended_call_that_is_still_held() -> None:
    with pytest.raises(LawError, match="every_hold_ends_once"):
        ended(50, 40).post(Calls.from_rows([call(0, Status.IN_FLIGHT, 50, 0, 0, agent=0)]), [])


def test_posting_finds_money_from_nowhere() -> None:
    ledger = ended(50, 40)
    ledger.balances[TREASURY] += 1
    with pytest.raises(LawError, match="conservation"):
        ledger.post(Calls.from_rows([PAID]), [])


def test_posting_finds_an_account_below_zero() -> None:
    ledger = ended(50, 40)
    ledger.balances[TREASURY] -= 2
    ledger.balances[-1] += 2
    with pytest.raises(LawError, match="no_overdraft"):
        ledger.post(Calls.from_rows([PAID]), [])


def test_stranded_calls_stay_in_the_escrow() -> None:
    ledger = Ledger([100], 1)
    ledger.hold(0, 30)
    ledger.strand(Calls.from_rows([call(0, Status.IN_FLIGHT, 30, 0, 0, agent=0)]))
    assert (ledger.balances[ESCROW], ledger.of_agents.tolist()) == (30, [70])


def test_a_stranded_call_that_was_refunded_breaks_the_law() -> None:
    with pytest.raises(LawError, match="every_hold_ends_once"):
        Ledger([100], 1).strand(Calls.from_rows([call(0, Status.REFUNDED, 30, 0, 0, agent=0)]))


@given(
    st.lists(
        st.tuples(
            st.integers(0, 2), st.integers(0, 1), st.integers(0, 10**6), st.floats(0, 1),
            st.sampled_from(Status),
        ),
        max_size=30,
    )
)  # fmt: skip
def test_transfers_make_no_money_and_leave_the_holds_of_calls_in_flight(
    drawn: list[tuple[int, int, int, float, Status]],
) -> None:
    made = []
    for number, (agent, model, quote, share, status) in enumerate(drawn):
        charge = int(quote * share) if status is Status.SETTLED else 0
        others = {"agent": agent, "model": model}
        made.append(call(number, status, quote, charge, charge // 50, **others))
    calls = Calls.from_rows(made)
    found = transfers(calls, 3)
    after = moved(np.zeros(FIRST_AGENT + 5, np.int64), found)
    flying = calls.status == Status.IN_FLIGHT
    assert after.sum() == 0
    assert after[ESCROW] == calls.quote_micros[flying].sum()
    assert after[TREASURY] == calls.fee_micros.sum()
    assert -after[FIRST_AGENT : FIRST_AGENT + 3].sum() == after[FIRST_AGENT + 3 :].sum() + (
        after[TREASURY] + after[ESCROW]
    )
    assert (found.micros > 0).all()


@settings(max_examples=20)
@given(st.integers(0, 2**32), st.integers(1, 200), st.sampled_from(["delivered", "success"]))
def test_random_runs_conserve_money(seed: int, stop_s: int, settle_on: str) -> None:
    world = World(lively(200, seed, rail={"kind": "batch", "settle_on": settle_on}))
    world.clock.after(stop_s * 10**6, lambda _: world.stop(), None)
    world.run()
    ledger, calls = world.ledger, record(world).calls
    assert ledger.balances.sum() == 0
    assert ledger.balances[ESCROW:].min() >= 0
    assert ledger.of_models.sum() == (calls["charge_micros"] - calls["fee_micros"]).sum()
    assert ledger.of_treasury == calls["fee_micros"].sum()
    flying = calls.filter(calls["status"] == "in_flight")
    assert ledger.balances[ESCROW] == flying["quote_micros"].sum()
