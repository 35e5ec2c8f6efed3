"""Rails: when a batch closes, what its gas is taken to be, what is tied up and what is at risk."""

import json
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from sim.rails import (
    RAILS,
    BatchCloser,
    BatchRail,
    ChannelBook,
    ChannelRail,
    Closed,
    EpochRootRail,
    EscrowJobRail,
    Load,
    Move,
    Paid,
    Pair,
    PrepaidRail,
    Rail,
    TransferRail,
    X402ExactRail,
    gas,
    loads_of,
    port_gas,
)

TIMES = st.lists(st.integers(0, 100), max_size=60).map(sorted)


def closed_one_by_one(times: list[int], size: int, interval: int) -> list[Closed]:
    """The rule, call by call: a batch is closed by its last call, or by the next tick."""
    closed: list[Closed] = []
    start = 0
    for place, time in enumerate(times):
        if place > start and time // interval > times[place - 1] // interval:
            tick = (times[place - 1] // interval + 1) * interval
            closed.append(Closed(len(closed), start, place, tick))
            start = place
        if place + 1 - start == size:
            closed.append(Closed(len(closed), start, place + 1, time))
            start = place + 1
    if start < len(times):
        tick = (times[-1] // interval + 1) * interval
        closed.append(Closed(len(closed), start, len(times), tick))
    return closed


@given(TIMES, st.integers(1, 7), st.integers(1, 30), st.lists(st.integers(0, 60), max_size=6))
def test_batches_are_those_of_the_rule_however_the_calls_come_in(
    times: list[int], size: int, interval: int, cuts: list[int]
) -> None:
    closer = BatchCloser(size, interval)
    edges = [0, *sorted(min(cut, len(times)) for cut in cuts), len(times)]
    closed: list[Closed] = []
    for begin, end in pairwise(edges):
        closed += closer.add(np.array(times[begin:end], np.int64))
    closed += closer.finish()
    assert closed == closed_one_by_one(times, size, interval)


@given(TIMES, st.integers(1, 7), st.integers(1, 30))
def test_every_call_is_in_one_batch_that_closes_no_earlier(
    times: list[int], size: int, interval: int
) -> None:
    closer = BatchCloser(size, interval)
    closed = [*closer.add(np.array(times, np.int64)), *closer.finish()]
    places = [place for batch in closed for place in range(batch.start, batch.stop)]
    assert places == list(range(len(times)))
    assert [batch.number for batch in closed] == list(range(len(closed)))
    assert [batch.closed_us for batch in closed] == sorted(batch.closed_us for batch in closed)
    for batch in closed:
        assert 0 < batch.stop - batch.start <= size
        assert 0 <= batch.closed_us - times[batch.stop - 1] <= interval


def test_a_full_batch_closes_with_its_last_call() -> None:
    closer = BatchCloser(2, 100)
    assert closer.add(np.array([5, 7, 9])) == [Closed(0, 0, 2, 7)]
    assert closer.add(np.array([99])) == [Closed(1, 2, 4, 99)]
    assert closer.finish() == []


def test_a_tick_closes_what_came_before_it() -> None:
    closer = BatchCloser(9, 100)
    assert closer.add(np.array([5, 99])) == []
    assert closer.add(np.array([100])) == [Closed(0, 0, 2, 100)]
    assert closer.add(np.array([777])) == [Closed(1, 2, 3, 200)]
    assert closer.finish() == [Closed(2, 3, 4, 800)]


def test_without_calls_nothing_closes() -> None:
    closer = BatchCloser(9, 100)
    assert closer.add(np.array([], np.int64)) == []
    assert closer.finish() == []


def test_the_rail_counts_its_ticks_in_simulated_time() -> None:
    closer = BatchRail(size=7, interval_s=1.5).closer()
    assert (closer.size, closer.interval_us) == (7, 1_500_000)
    assert BatchRail(interval_s=1e-9).closer().interval_us == 1


FIGURES = {
    "transfer": {"per_call": 5, "split_base": 1_000, "split_per_call": 10, "split_per_model": 100},
    "x402_exact": {"per_call": 7, "split_base": 0, "split_per_call": 0, "split_per_model": 0},
    "escrow_job": {"open": 1, "deliver": 10, "release": 100},
    "prepaid": {"per_call": 1, "per_call_event": 10},
    "batch": {"base": 1, "per_call": 10, "per_call_event": 100, "per_agent": 1_000, "per_model": 0},
    "channel": {
        "claim_base": 1, "claim_per_voucher": 1_000, "settle": 100, "deposit": 0, "split_base": 10,
        "split_per_call": 0, "split_per_model": 0,
    },
    "epoch_root": {"base": 1, "per_agent": 100, "per_model": 10_000},
    "port": {
        "deposit": 1, "create_job": 10, "terminal": 100, "register_miner": 0, "update_miner": 0,
        "deregister_miner": 0, "miner_intent": 0,
    },
}  # fmt: skip


@pytest.fixture
def figures(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Gas figures whose digits tell which of them went into a sum."""
    (tmp_path / "gas.json").write_text(json.dumps(FIGURES))
    monkeypatch.setattr(gas, "__file__", str(tmp_path / "rails" / "gas.py"))
    gas.gas.cache_clear()
    yield
    gas.gas.cache_clear()


LOAD = Load(calls=6, agents=3, models=2, payments=4, pairs=2)


@pytest.mark.usefixtures("figures")
@pytest.mark.parametrize(
    ("rail", "load", "expected"),
    [
        (TransferRail(), LOAD, 4 * 5 + 1_000 + 6 * 10 + 2 * 100),
        (X402ExactRail(), LOAD, 4 * 7),
        (EscrowJobRail(), LOAD, 6 * 111),
        (PrepaidRail(), LOAD, 6 * 11),
        (BatchRail(), LOAD, 1 + 6 * 110 + 3 * 1_000),
        (ChannelRail(), LOAD, 1 + 2 * 1_000 + 100 + 10),
        (ChannelRail(), LOAD._replace(pairs=101), 2 + 101 * 1_000 + 100 + 10),
        (ChannelRail(), LOAD._replace(payments=0, pairs=0), 10),
        (EpochRootRail(), LOAD, 1 + 3 * 100 + 2 * 10_000),
    ],
)
def test_gas_is_that_of_the_committed_figures(rail: Rail, load: Load, expected: int) -> None:
    assert rail.gas(load, events=True) == expected


@pytest.mark.usefixtures("figures")
def test_a_job_takes_its_creation_and_its_end_and_no_deposit() -> None:
    assert port_gas().per_job == 110


@pytest.mark.usefixtures("figures")
def test_events_of_calls_cost_only_where_a_ledger_settles_call_by_call() -> None:
    spared = {kind: rule().gas(LOAD, events=False) for kind, rule in RAILS.items()}
    paid = {kind: rule().gas(LOAD, events=True) for kind, rule in RAILS.items()}
    assert {kind: paid[kind] - spared[kind] for kind in RAILS if paid[kind] != spared[kind]} == {
        "prepaid": 60,
        "batch": 600,
    }


def test_a_load_counts_what_each_batch_names() -> None:
    batch = np.array([0, 0, 0, 0, 0, 1, 1])
    agent, model = np.array([0, 0, 1, 1, 2, 2, 2]), np.array([1, 1, 1, 3, 3, 3, 0])
    charge = np.array([5, 6, 0, 7, 0, 1, 0])
    assert loads_of(batch, agent, model, charge) == [
        Load(5, 3, 2, payments=3, pairs=2),
        Load(2, 1, 2, payments=1, pairs=1),
    ]


def test_without_calls_there_are_no_loads() -> None:
    none = np.zeros(0, np.int64)
    assert loads_of(none, none, none, none) == []


@pytest.mark.parametrize(
    "parameters",
    [
        {"size": 0},
        {"size": 1001},
        {"size": 1.5},
        {"interval_s": 0},
        {"fee_bps": 10_001},
        {"fee_bps": -1},
        {"settle_on": "never"},
    ],
)
def test_a_rail_that_cannot_be_is_refused(parameters: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        BatchRail.model_validate(parameters)


def test_a_rail_without_a_kind_is_the_batch() -> None:
    assert TypeAdapter(Rail).validate_python({"size": 7}) == BatchRail(size=7)


# -- Money tied up, money at risk ------------------------------------------------------------------


def paid(**columns: list[int]) -> Paid:
    """Calls that are settled, with ones where nothing else is said; one agent has 1000."""
    count = len(next(iter(columns.values())))
    names = "agent model quote_micros charge_micros posted_us closed_us batch budget_micros".split()
    usual = {name: [1] * count for name in names} | {"posted_us": [0] * count}
    usual |= {"agent": [0] * count, "model": [0] * count, "budget_micros": [1_000]}
    given_columns = {name: np.array(column, np.int64) for name, column in (usual | columns).items()}
    return Paid(**given_columns)


def test_deposits_are_tied_up_from_the_start_and_wallets_are_not() -> None:
    what = paid(charge_micros=[3], budget_micros=[70, 30])
    tied = {kind: rule().locked_micros(what) for kind, rule in RAILS.items()}
    assert tied == {
        "transfer": 0, "x402-exact": 0, "escrow-job": 1, "prepaid": 100, "batch": 100,
        "channel": 70, "epoch-root": 100,
    }  # fmt: skip


def test_an_escrow_holds_the_quotes_between_posting_and_settlement() -> None:
    what = paid(quote_micros=[5, 7, 11], posted_us=[0, 10, 20], closed_us=[15, 20, 30])
    assert EscrowJobRail().locked_micros(what) == 12


def test_at_risk_is_the_dearest_batch_but_in_an_escrow() -> None:
    what = paid(charge_micros=[5, 7, 11, 1], batch=[0, 0, 1, 1])
    risks = {kind: rule().at_risk_micros(what) for kind, rule in RAILS.items()}
    assert risks.pop("escrow-job") == 0
    assert set(risks.values()) == {12}
    assert BatchRail().at_risk_micros(paid(charge_micros=[])) == 0


SPENDING = st.lists(
    st.dictionaries(
        st.tuples(st.integers(0, 2), st.integers(0, 2)), st.integers(1, 40), max_size=5
    ),
    max_size=12,
)


@given(SPENDING, st.integers(1, 60))
def test_channels_pay_whatever_budgets_can_and_hold_no_more_than_their_agents_had(
    spending: list[dict[Pair, int]], deposit: int
) -> None:
    budgets = [sum(m for due in spending for (a, _), m in due.items() if a == n) for n in range(3)]
    book, held = ChannelBook(np.array(budgets, np.int64), deposit), dict.fromkeys(range(9), 0)
    claimed = dict.fromkeys(range(9), 0)
    for batch in spending:
        for (agent, model), micros in book.settle(batch):
            held[3 * agent + model] += micros
            assert held[3 * agent + model] >= claimed[3 * agent + model]
        for (agent, model), micros in batch.items():
            claimed[3 * agent + model] += micros
        assert all(held[at] >= claimed[at] for at in held)
        assert min(book.wallet, default=0) >= 0
        assert book.locked_micros == sum(held.values()) - sum(claimed.values())
    assert book.wallet == [
        budgets[agent] - sum(held[3 * agent + model] for model in range(3)) for agent in range(3)
    ]


def test_a_channel_is_filled_when_it_is_needed_and_emptied_when_another_is() -> None:
    book = ChannelBook(np.array([10]), 6)
    assert book.settle({(0, 0): 1}) == [Move((0, 0), 6)]
    assert book.settle({(0, 0): 2}) == []
    assert book.settle({(0, 1): 5}) == [Move((0, 0), -3), Move((0, 1), 6)]
    assert book.locked_most_micros == 6
