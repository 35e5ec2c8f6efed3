"""Settling on a real node: an Anvil of our own, and one that somebody else runs."""

import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from sim.chain import (
    Agent,
    Rpc,
    Served,
    Settlement,
    deploy,
    find_anvil,
    load_deployment,
    replay,
    serve,
)
from sim.chain.contracts import contract, integers
from sim.chain.node import port_is_free
from tests.chain_helpers import (
    DEPOSIT,
    FEE_BPS,
    audit_at,
    audited,
    batches,
    of_run,
    record,
    settled,
    setup,
    spent,
)

pytestmark = pytest.mark.chain

SIZES = [40, 1, 25, 30]
MADE = batches(SIZES)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Settlement, Path]]:
    directory = tmp_path_factory.mktemp("run")
    with settled(MADE, setup(directory)) as found:
        yield found, directory


def test_what_was_sent_is_on_the_chain_to_the_last_micro(run: tuple[Settlement, Path]) -> None:
    found, _ = run
    result = audited(found, record(MADE))
    assert result.faults == ()
    assert result.parity
    assert result.difference_micros == 0
    assert result.calls_on_chain == found.calls == sum(SIZES)
    assert result.proofs == 32
    assert (result.batches, result.gas_total) == (found.transactions, found.gas_total)
    assert result.head == found.head
    assert result.missing == result.unexpected == result.differing == ()


def test_a_row_says_what_became_of_its_batch(run: tuple[Settlement, Path]) -> None:
    found, _ = run
    firsts = [0, 40, 41, 66]
    assert [row.number for row in found.batches] == [0, 1, 2, 3]
    assert [row.first for row in found.batches] == firsts
    assert [row.count for row in found.batches] == SIZES
    assert [row.total_micros for row in found.batches] == [
        int(batch.charge_micros.sum()) for batch in MADE
    ]
    assert [row.fees_micros for row in found.batches] == [
        int(batch.fee_micros.sum()) for batch in MADE
    ]
    ledger = contract("CallLedger")
    with Rpc(found.ready.url) as rpc:
        for row in found.batches:
            receipt = rpc.receipt(row.transaction)
            assert (receipt.ok, receipt.block) == (True, row.block)
            assert receipt.gas_used == row.gas_used
            assert rpc.block(row.block).timestamp == row.timestamp
            root = rpc.view(found.ready.deployment.call_ledger, ledger.call("rootOf", row.number))
            assert "0x" + root.hex() == row.root


def test_blocks_follow_simulated_time(run: tuple[Settlement, Path]) -> None:
    found, _ = run
    start = setup(Path()).genesis_unix
    assert [row.timestamp - start for row in found.batches] == [2, 62, 122, 182]


def test_the_deployment_is_in_the_run_directory(run: tuple[Settlement, Path]) -> None:
    found, directory = run
    assert load_deployment(directory / "deployment.json") == found.ready.deployment


def test_a_fresh_node_replays_to_the_same_head(run: tuple[Settlement, Path]) -> None:
    found, directory = run
    with replay(directory) as again:
        assert (again.head, again.fault) == (found.head, "")
        result = audit_at(again.url, found.ready.deployment, of_run(found, record(MADE)))
    assert result.parity


def test_the_same_batches_end_in_the_same_head(
    run: tuple[Settlement, Path], tmp_path: Path
) -> None:
    with settled(MADE, setup(tmp_path)) as again:
        assert again.head == run[0].head


def test_batches_of_one_window_share_a_block_and_keep_their_own_gas(tmp_path: Path) -> None:
    made = batches([5, 6, 7], gap_us=900_000)
    with settled(made, setup(tmp_path)) as found:
        blocks = [row.block for row in found.batches]
        assert blocks[0] + 1 == blocks[1] + 1 == blocks[2] or blocks[0] == blocks[1] == blocks[2]
        with Rpc(found.ready.url) as rpc:
            gas = [rpc.receipt(row.transaction).gas_used for row in found.batches]
        assert [row.gas_used for row in found.batches] == gas
        assert audited(found, record(made)).parity


def test_a_batch_too_large_for_a_transaction_is_settled_in_parts(tmp_path: Path) -> None:
    made = batches([4_000, 10])
    with settled(made, setup(tmp_path)) as found:
        assert [row.number for row in found.batches] == [0, 0, 1]
        assert sum(row.count for row in found.batches[:2]) == 4_000
        assert found.batches[1].first == found.batches[0].count
        assert all(row.gas_used < 16_700_000 for row in found.batches)
        assert audited(found, record(made)).parity


def test_without_events_calls_cost_less_and_are_proved_as_well(
    run: tuple[Settlement, Path], tmp_path: Path
) -> None:
    with settled(MADE, replace(setup(tmp_path), emit_events=False)) as found:
        saved = run[0].gas_total - found.gas_total
        assert 1_500 < saved / sum(SIZES) < 2_500
        assert audited(found, record(MADE)).parity


def test_an_agent_without_money_is_registered_and_pays_nothing(tmp_path: Path) -> None:
    free = [replace(batch, charge_micros=batch.charge_micros * 0) for batch in batches([20])]
    free = [replace(batch, fee_micros=batch.charge_micros) for batch in free]
    poor = setup(tmp_path)
    poor = replace(poor, agents=tuple(Agent(a.name, 0, a.max_price_micros) for a in poor.agents))
    expected = replace(record(free), agent_balance_micros=np.zeros(5, dtype=np.int64))
    with settled(free, poor) as found:
        assert audited(found, expected).parity


def test_the_settlers_process_imports_no_market_and_the_door_no_chain_library() -> None:
    heavy = "import {}, sys; print([m for m in {} if m in sys.modules])"
    cases = (
        ("sim.chain.child", ["polars", "simpy", "pydantic_core.heavy", "sim.market", "typer"]),
        ("sim.chain", ["web3", "eth_account", "eth_abi", "requests"]),
    )
    for module, names in cases:
        command = [sys.executable, "-c", heavy.format(module, names)]
        found = subprocess.run(command, capture_output=True, text=True, check=True)
        assert found.stdout.strip() == "[]", module


# -- On a node of somebody else's ------------------------------------------------------------------


@pytest.fixture(scope="module")
def served() -> Iterator[Served]:
    with serve(fee_bps=FEE_BPS) as node:
        yield node


def test_a_served_node_has_accounts_with_keys_and_money(served: Served) -> None:
    token = contract("USDC")
    with Rpc(served.url) as rpc:
        for owner in served.accounts:
            call = token.call("balanceOf", owner.address)
            assert integers(rpc.view(served.deployment.usdc, call)) == [10**12]


def test_two_runs_settle_on_one_deployment_and_audit_each_by_itself(
    served: Served, tmp_path: Path
) -> None:
    served.deployment.save(tmp_path / "deployment.json")
    other = batches([30, 20], seed=2, agents=7)
    runs = []
    for number, (made, agents) in enumerate(((MADE, 5), (other, 7))):
        directory = tmp_path / str(number)
        directory.mkdir()
        there = replace(
            setup(directory, agents=agents),
            backend=served.url,
            deployment=tmp_path / "deployment.json",
        )
        with settled(made, there) as found:
            runs.append((found, record(made, agents)))
            assert audited(*runs[-1]).faults == ()
    (first, expected), (second, _) = runs
    assert second.ready.first_call == first.ready.first_call + sum(SIZES)
    assert second.ready.agent_balances[:5] == tuple(DEPOSIT - spent(MADE, 5))
    again = audited(first, expected)
    assert (again.parity, again.calls_on_chain) == (True, sum(SIZES))


def test_contracts_are_deployed_to_a_running_node_with_a_key_of_the_users(
    served: Served, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    owner = served.accounts[3]
    monkeypatch.setenv("TELEX_PRIVATE_KEY", "0x" + owner.key.hex())
    with Rpc(served.url) as rpc:
        deployment = deploy(rpc, FEE_BPS)
    assert deployment.router == owner.address
    deployment.save(tmp_path / "mine.json")
    there = replace(setup(tmp_path), backend=served.url, deployment=tmp_path / "mine.json")
    with settled(MADE, there) as found:
        assert audited(found, record(MADE)).parity
    monkeypatch.delenv("TELEX_PRIVATE_KEY")
    with settled(MADE[:1], there) as unlocked:
        assert unlocked.ready.first_call == sum(SIZES)


def test_a_foreign_nodes_clock_is_left_alone_unless_warped(served: Served, tmp_path: Path) -> None:
    there = replace(setup(tmp_path), backend=served.url)
    with settled(MADE, there) as plain, Rpc(served.url) as rpc:
        assert plain.batches[-1].timestamp - plain.batches[0].timestamp < 30
        before = rpc.block().timestamp
    with settled(MADE, replace(there, warp=True)) as warped:
        times = [row.timestamp - before for row in warped.batches]
        assert [later - times[0] for later in times] == [0, 60, 120, 180]
        assert audited(warped, record(MADE)).parity


def test_an_anvil_that_the_user_started_plainly_will_do(tmp_path: Path) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    url, made = f"http://127.0.0.1:{port}", batches([1_000] * 3)
    plain = subprocess.Popen([find_anvil(), "--port", str(port), "--quiet"])
    try:
        while port_is_free(port):
            assert plain.poll() is None
        with settled(made, replace(setup(tmp_path), backend=url)) as found:
            assert audited(found, record(made)).parity
            assert found.ready.node_pid is None
    finally:
        plain.kill()
        plain.wait()
