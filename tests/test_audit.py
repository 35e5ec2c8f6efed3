"""The audit: whatever is changed on either side, it says so, and names the calls."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from sim.chain import Agent, Audit, AuditRecord, Deployment, Rpc, Settlement, audit, replay
from sim.chain.accounts import ROUTER_INDEX, AccountKind, account
from sim.chain.blocks import OwnBlocks
from sim.chain.contracts import contract
from sim.chain.deployer import deploy_with, treasury
from sim.chain.funding import DEADLINE_UNIX, Funding
from sim.chain.history import Event, history
from sim.chain.node import CHAIN_ID, Node
from sim.chain.pack import GAS_LIMIT, pack
from sim.chain.rebuild import Rebuilt
from sim.chain.sender import Sender
from sim.chain.settlement import GENESIS_UNIX
from sim.chain.transactions import NAME, SavedBlock, TransactionReader, TransactionWriter
from sim.facts import Batch
from sim.units import Int64Array
from tests.chain_helpers import (
    FEE_BPS,
    MAX_PRICE,
    audit_at,
    audited,
    batches,
    of_run,
    record,
    settled,
    setup,
)

pytestmark = pytest.mark.chain

MADE = batches([20, 10, 15])
RECORD = record(MADE)
CALLS = [int(call) for call in RECORD.call_id]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Settlement, Path]]:
    directory = tmp_path_factory.mktemp("run")
    with settled(MADE, setup(directory)) as found:
        yield found, directory


@pytest.fixture
def found(run: tuple[Settlement, Path]) -> Settlement:
    return run[0]


def without(record: AuditRecord, place: int) -> AuditRecord:
    """The record less one call, its sums as they were."""

    def keep(column: Int64Array) -> Int64Array:
        return np.delete(column, place, axis=0)

    return replace(
        record,
        call_id=keep(record.call_id),
        agent=keep(record.agent),
        model=keep(record.model),
        quote_micros=keep(record.quote_micros),
        charge_micros=keep(record.charge_micros),
        score_ppm=keep(record.score_ppm),
        intent=keep(record.intent),
        finished_us=keep(record.finished_us),
        answer_hash=np.delete(record.answer_hash, place, axis=0),
    )


COLUMNS = ["agent", "model", "quote_micros", "charge_micros", "score_ppm", "intent", "finished_us"]


@pytest.mark.parametrize("column", COLUMNS)
def test_a_call_recorded_otherwise_than_settled_is_named(found: Settlement, column: str) -> None:
    changed = getattr(RECORD, column).copy()
    changed[23] = (changed[23] + 1) % 3
    result = audited(found, replace(RECORD, **{column: changed}))
    assert result.differing == (CALLS[23],)
    assert not result.parity
    assert any(f"call {CALLS[23]}: {column} is" in fault for fault in result.faults)
    assert result.missing == result.unexpected == ()
    assert result.difference_micros == 0


def test_an_answer_that_was_changed_is_missing_and_unexpected(found: Settlement) -> None:
    changed = RECORD.answer_hash.copy()
    changed[7, 0] ^= 1
    result = audited(found, replace(RECORD, answer_hash=changed))
    assert (result.missing, result.unexpected) == ((CALLS[7],), (7,))


def test_a_settled_call_that_the_record_lacks_is_unexpected(found: Settlement) -> None:
    result = audited(found, without(RECORD, 44))
    assert (result.unexpected, result.missing, result.differing) == ((44,), (), ())
    assert not result.parity


def test_calls_in_another_order_are_named(found: Settlement) -> None:
    swapped = RECORD.answer_hash.copy()
    swapped[[3, 30]] = swapped[[30, 3]]
    result = audited(found, replace(RECORD, answer_hash=swapped))
    assert result.differing == (CALLS[3], CALLS[30])
    assert any("settled as 30 on the chain, as 3 in the record" in word for word in result.faults)


def test_a_call_settled_twice_is_found(found: Settlement) -> None:
    doubled = RECORD.answer_hash.copy()
    doubled[5] = doubled[6]
    result = audited(found, replace(RECORD, answer_hash=doubled))
    assert "1 calls of the record share an answer hash" in result.faults


def test_a_refunded_call_must_not_be_on_the_chain(found: Settlement) -> None:
    result = audited(found, replace(RECORD, refunded_hash=RECORD.answer_hash[8:9]))
    assert "refunded calls are on the chain as 8" in result.faults


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        (lambda r: replace(r, fees_micros=r.fees_micros + 3), "fees: "),
        (lambda r: replace(r, agent_balance_micros=one_more(r.agent_balance_micros)), "of agent 2"),
        (lambda r: replace(r, model_earned_micros=one_more(r.model_earned_micros)), "of model 2"),
    ],
)
def test_a_balance_that_differs_is_named_and_measured(
    found: Settlement, change: Callable[[AuditRecord], AuditRecord], complaint: str
) -> None:
    result = audited(found, change(RECORD))
    assert result.difference_micros == 3
    assert complaint in result.faults[0]
    assert len(result.faults) == 1


def one_more(column: Int64Array) -> Int64Array:
    changed = column.copy()
    changed[2] += 3
    return changed


def test_the_sample_is_as_large_as_asked(found: Settlement) -> None:
    with Rpc(found.ready.url) as rpc:
        for sample in (0, 7, 45):
            result = audit(rpc, found.ready.deployment, of_run(found, RECORD), sample=sample)
            assert (result.proofs, result.parity) == (sample, True)
        result = audit(rpc, found.ready.deployment, of_run(found, RECORD), sample=1_000)
        assert result.proofs == 45


def test_a_wrong_fee_in_the_deployment_shows_in_every_batch(found: Settlement) -> None:
    wrong = replace(found.ready.deployment, fee_bps=300)
    result = audit_at(found.ready.url, wrong, of_run(found, RECORD))
    assert sum("batch" in fault for fault in result.faults) == 3
    assert result.difference_micros > 0


# -- From a changed transaction file ---------------------------------------------------------------


def audit_again(
    run: tuple[Settlement, Path], directory: Path, change: Callable[[list[SavedBlock]], None]
) -> tuple[Audit, str]:
    """The audit of a replay of the run's changed transactions, and the replay's complaint."""
    found, source = run
    reader = TransactionReader(source)
    blocks = list(reader)
    change(blocks)
    writer = TransactionWriter(directory, reader.genesis)
    for block in blocks:
        writer.append(block.timestamp, block.transactions)
    writer.close()
    with replay(directory) as again:
        assert again.head != found.head
        return audit_at(again.url, found.ready.deployment, of_run(found, RECORD)), again.fault


def test_a_block_cut_from_the_file_leaves_its_calls_and_the_later_missing(
    run: tuple[Settlement, Path], tmp_path: Path
) -> None:
    def cut(blocks: list[SavedBlock]) -> None:
        del blocks[-2]

    result, fault = audit_again(run, tmp_path, cut)
    assert "0 of its 1 transactions could be mined" in fault
    assert result.missing == tuple(CALLS[20:])
    assert result.calls_on_chain == 20


def test_a_byte_turned_in_the_file_leaves_its_calls_and_the_later_missing(
    run: tuple[Settlement, Path], tmp_path: Path
) -> None:
    def turn(blocks: list[SavedBlock]) -> None:
        raw = bytearray(blocks[-1].transactions[0])
        raw[-100] ^= 1
        blocks[-1] = replace(blocks[-1], transactions=(bytes(raw),))

    result, fault = audit_again(run, tmp_path, turn)
    assert fault
    assert result.missing == tuple(CALLS[30:])


def test_a_later_time_in_the_file_is_another_head_and_the_same_calls(
    run: tuple[Settlement, Path], tmp_path: Path
) -> None:
    def delay(blocks: list[SavedBlock]) -> None:
        blocks[-1] = replace(blocks[-1], timestamp=blocks[-1].timestamp + 1)

    result, fault = audit_again(run, tmp_path, delay)
    assert (fault, result.parity) == ("", True)


def test_a_cut_file_replays_as_far_as_it_goes(run: tuple[Settlement, Path], tmp_path: Path) -> None:
    found, source = run
    (tmp_path / NAME).write_bytes((source / NAME).read_bytes()[:-100])
    with replay(tmp_path) as again:
        result = audit_at(again.url, found.ready.deployment, of_run(found, RECORD))
    assert again.head != found.head
    assert result.missing == tuple(CALLS[30:])


# -- The contract's rules, once more ---------------------------------------------------------------


def settle_anyhow(blocks: OwnBlocks, deployment: Deployment, made: list[Batch]) -> None:
    """Settles batches whoever can pay, the last of them after every mandate has run out."""
    deposits = [0, 3_000_000, 2_000_000, 900_000, 4_000_000, 500_000]
    limits = [MAX_PRICE, MAX_PRICE // 2, MAX_PRICE, MAX_PRICE, 10, MAX_PRICE]
    poor = tuple(map(Agent, "abcdef", deposits, limits))
    funded = Funding(blocks, deployment).fund(poor, 3)
    first = 0
    for batch in made:
        packed = pack(batch, slice(None), funded.agent_ids, funded.model_ids, True)
        data = packed.calldata(contract("CallLedger").selector("settleBatch"), first)
        late = DEADLINE_UNIX - GENESIS_UNIX if batch is made[-1] else 0
        ready = blocks.sender.prepare(deployment.call_ledger, data, GAS_LIMIT)
        blocks.submit([ready], late + 1 + batch.number)
        first += len(batch)


def test_unpaid_calls_are_rebuilt_as_the_contract_has_them() -> None:
    made = batches([60] * 6, agents=6, seed=5)
    router = account(AccountKind.OPERATOR, ROUTER_INDEX)
    with Node() as node, Rpc(node.url) as rpc:
        blocks = OwnBlocks(rpc, Sender(rpc, router, CHAIN_ID, free=True), GENESIS_UNIX, None)
        deployment = deploy_with(blocks, FEE_BPS, treasury().address)
        settle_anyhow(blocks, deployment, made)
        rebuilt, unpaid = Rebuilt(FEE_BPS), []
        for event in history(rpc, deployment, rpc.block().number):
            if isinstance(event, Event):
                rebuilt.apply(event)
                continue
            charged = rebuilt.settle(event)
            assert event.total_micros == charged.sum()
            unpaid.append(int((charged != event.records.charge_micros).sum()))
        assert rebuilt.differences(rpc, deployment) == (0, [])
        result = audit(rpc, deployment, record(made, 6), sample=360)
    assert 0 < unpaid[0] < unpaid[4] < unpaid[5] >= 59
    assert (result.proofs, len(result.differing)) == (360, sum(unpaid))
    assert not any("batch" in fault or "contract" in fault for fault in result.faults)
