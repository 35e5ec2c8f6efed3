"""One behaviour suite that every rail passes, modelled and on a chain."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from pydantic import TypeAdapter

import sim
from sim.auditing import audit_saved
from sim.chain import Audit, AuditRecord, Settlement, Settler, replay
from sim.rails import RAILS, Rail, loads_of
from tests.chain_helpers import audited, batches, record, settled, setup
from tests.chain_payers import empty, give, without_payments_of

KINDS = list(RAILS)
ON_A_HUB = ("transfer", "x402-exact", "channel")
SIZES = [60, 1, 40]
MADE = batches(SIZES)
SHIPPED = Path(__file__).parents[1] / "scenarios" / "hello-market.yaml"


def rail_of(kind: str) -> Rail:
    return TypeAdapter[Rail](Rail).validate_python({"kind": kind})


# -- Without a chain -------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
def test_every_rail_runs_any_scenario_within_the_laws(kind: str, tmp_path: Path) -> None:
    run = sim.run(SHIPPED, set={"rail.kind": kind, "tasks": 60}, chain="none", out=tmp_path / "run")
    assert run.ok
    rail = run.summary.rail
    assert rail.kind == run.summary.chain.rail == kind
    assert rail.gas > 0
    assert rail.delay_us_max is not None
    assert rail.locked_micros >= 0
    assert rail.at_risk_micros >= 0
    assert (rail.locked_micros == 0) == (kind in ("transfer", "x402-exact"))
    assert (rail.at_risk_micros == 0) == (kind == "escrow-job")


def test_the_rail_moves_nothing_but_what_it_costs(tmp_path: Path) -> None:
    """The same market, call by call, whatever settles it."""
    runs = {
        kind: sim.run(
            SHIPPED, set={"rail.kind": kind, "tasks": 60}, chain="none", out=tmp_path / kind
        )
        for kind in KINDS
    }
    same = [name for name in runs["batch"].calls.columns if name not in ("answer_hash", "batch")]
    for run in runs.values():
        assert run.calls.select(same).equals(runs["batch"].calls.select(same))


# -- On a chain ------------------------------------------------------------------------------------


@pytest.fixture(scope="module", params=KINDS)
def on_chain(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Settlement]:
    """The same calls settled by each rail in turn; the node lives on."""
    kind: str = request.param
    run = replace(
        setup(tmp_path_factory.mktemp(kind)),
        rail=TypeAdapter[Rail](Rail).validate_python({"kind": kind}),
    )
    with settled(MADE, run) as found:
        yield found


def audit_of(found: Settlement, expected: AuditRecord) -> Audit:
    return audited(found, replace(expected, rail=found.ready.rail))


@pytest.mark.chain
def test_every_call_is_settled_and_every_balance_is_exact(on_chain: Settlement) -> None:
    """Invariant I12: the record is the same for every rail, and so are the balances."""
    found = audit_of(on_chain, record(MADE))
    assert (found.faults, found.difference_micros) == ((), 0)
    assert found.parity
    assert found.calls_on_chain == on_chain.calls == sum(SIZES)
    assert on_chain.unpaid == ()
    assert [batch.count for batch in on_chain.batches] == SIZES
    assert [batch.first for batch in on_chain.batches] == [0, 60, 61]


@pytest.mark.chain
def test_what_was_charged_is_told_batch_by_batch(on_chain: Settlement) -> None:
    for batch, row in zip(MADE, on_chain.batches, strict=True):
        assert row.total_micros == batch.charge_micros.sum()
        assert row.fees_micros == batch.fee_micros.sum()


@pytest.mark.chain
@pytest.mark.parametrize("column", ["agent", "model", "charge_micros"])
def test_an_audit_finds_a_record_that_is_not_what_was_settled(
    on_chain: Settlement, column: str
) -> None:
    true = record(MADE)
    changed = getattr(true, column).copy()
    at = int(np.flatnonzero(true.charge_micros)[7])
    changed[at] = changed[at] - 1 if column == "charge_micros" else (changed[at] + 1) % 3
    found = audit_of(on_chain, replace(true, **{column: changed}))
    assert not found.parity
    assert found.faults


@pytest.mark.chain
def test_an_audit_misses_a_call_that_was_never_settled(on_chain: Settlement) -> None:
    more = record(batches([*SIZES, 5]))
    assert not audit_of(on_chain, more).parity
    fewer = record(MADE[:-1])
    assert not audit_of(on_chain, fewer).parity


@pytest.mark.chain
def test_gas_is_near_what_the_rail_was_taken_to_cost(on_chain: Settlement) -> None:
    """The first use of a slot costs 17,100 more, which the figures leave out: hence the room."""
    rail = RAILS[on_chain.ready.rail]()
    number = np.repeat(np.arange(len(MADE)), [len(batch.agent) for batch in MADE])
    columns = (
        np.concatenate([getattr(batch, name) for batch in MADE])
        for name in ("agent", "model", "charge_micros")
    )
    loads = loads_of(number, *columns)
    modelled = sum(rail.gas(load, events=True) for load in loads)
    accounts = 5 + 3 + 1
    assert modelled * 0.93 < on_chain.gas_total < modelled * 1.05 + 3 * accounts * 22_100


@pytest.mark.chain
@pytest.mark.parametrize(
    ("kind", "left_at_the_hub_micros"),
    [*((kind, 0) for kind in KINDS), *((kind, 9_000_000) for kind in ON_A_HUB)],
)
def test_a_payer_emptied_before_settlement_is_unpaid_and_the_rest_is_settled(
    kind: str, left_at_the_hub_micros: int, tmp_path: Path
) -> None:
    """Nor does money of somebody else's, left at the hub, pay for what it did not pay."""
    run = replace(setup(tmp_path), rail=rail_of(kind))
    with Settler(run) as settler:
        ready = settler.wait_ready()
        empty(ready, agent=1)
        if left_at_the_hub_micros:
            give(ready, ready.deployment.call_hub, left_at_the_hub_micros)
        for batch in MADE:
            settler.send(batch)
        found = settler.finish()
        expected = without_payments_of(1, kind, MADE)
        result = audited(found, expected)
    first = found.ready.first_call
    assert found.unpaid == tuple((first + np.flatnonzero(expected.unpaid)).tolist())
    assert found.calls == sum(SIZES)
    assert (result.faults, result.difference_micros) == ((), 0)


@pytest.mark.chain
@pytest.mark.parametrize("kind", KINDS)
def test_a_saved_run_is_replayed_and_audited(kind: str, tmp_path: Path) -> None:
    run = sim.run(SHIPPED, set={"rail.kind": kind, "tasks": 40}, out=tmp_path / "run")
    assert run.ok
    assert run.summary.laws["parity"].ok
    assert run.summary.chain.calls_settled == run.summary.calls.settled
    again = audit_saved(tmp_path / "run")
    assert (again.faults, again.difference_micros) == ((), 0)
    assert again.head == again.head_recorded


@pytest.mark.chain
@pytest.mark.parametrize("kind", ["transfer", "escrow-job"])
def test_blocks_of_many_senders_are_replayed_to_the_same_head(kind: str, tmp_path: Path) -> None:
    """More transactions than fit into one request, of accounts that take turns."""
    run = replace(setup(tmp_path, agents=20), rail=rail_of(kind))
    made = batches([520], agents=20)
    with settled(made, run) as found:
        assert found.calls == 520
    with replay(tmp_path) as again:
        assert (again.fault, again.head) == ("", found.head)


@pytest.mark.chain
@pytest.mark.parametrize("kind", KINDS)
def test_many_models_may_earn_for_the_first_time_together(kind: str, tmp_path: Path) -> None:
    run = replace(setup(tmp_path, models=40), rail=rail_of(kind))
    with settled(batches([50], models=40), run) as found:
        assert found.calls == 50
        assert found.unpaid == ()
