"""What a user can get wrong about a chain: a clear error, nothing lost, nothing paid twice."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from sim.chain import Rpc, Served, Settler, deploy, serve
from sim.chain.accounts import ROUTER_INDEX, AccountKind, account
from sim.chain.blocks import OwnBlocks
from sim.chain.contracts import contract
from sim.chain.deployer import deploy_with, treasury
from sim.chain.node import CHAIN_ID, Node
from sim.chain.pack import GAS_LIMIT, pack
from sim.chain.rails import rail_on_chain, way_of
from sim.chain.sender import Sender
from sim.chain.settlement import GENESIS_UNIX
from sim.cli import main
from sim.facts import ChainError
from sim.rails import ACCOUNT_RAILS
from tests.chain_helpers import DEPOSIT, FEE_BPS, MAX_PRICE, audited, batches, record, setup
from tests.chain_payers import set_mandate
from tests.test_rail_family import rail_of

pytestmark = pytest.mark.chain
LEDGER = contract("CallLedger")


@pytest.fixture(scope="module")
def served() -> Iterator[Served]:
    with serve(fee_bps=FEE_BPS) as node:
        yield node


def test_a_deployer_without_ether_is_told_so(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TELEX_PRIVATE_KEY", "0x" + "7e" * 32)
    with Rpc(served.url) as rpc, pytest.raises(ChainError, match=r"(?i)insufficient funds"):
        deploy(rpc, FEE_BPS)


def test_a_deployment_of_another_chain_is_refused(served: Served, tmp_path: Path) -> None:
    path = tmp_path / "given.json"
    replace(served.deployment, chain_id=1).save(path)
    run = replace(setup(tmp_path), backend=served.url, deployment=path)
    with (
        Settler(run) as settler,
        pytest.raises(ChainError, match="is chain 31337, the deployment 1"),
    ):
        settler.wait_ready()


NOWHERE = "0x" + "12" * 20
REMOTE = "http://192.0.2.1:8545"
SHIPPED = str(Path(__file__).parents[1] / "scenarios" / "hello-market.yaml")
DIRECTED: dict[str, tuple[list[str], dict[str, int | str], str]] = {
    "another chain": (["run", SHIPPED, "--chain", "URL"], {"chain_id": 1}, "is chain 31337"),
    "no contract there": (
        ["run", SHIPPED, "--chain", "URL"], {"call_ledger": NOWHERE}, f"no CallLedger at {NOWHERE}"
    ),
    "another fee": (["run", SHIPPED, "--chain", "URL"], {"fee_bps": 7}, "the deployment says 7"),
    "no ether": (["deploy", "--rpc", "URL"], {}, "nsufficient funds"),
    "nobody there": (["deploy", "--rpc", "http://127.0.0.1:9"], {}, "nothing answers there"),
    "a remote run": (["run", SHIPPED, "--chain", REMOTE], {}, "is not on this machine"),
    "a remote deployment": (["deploy", "--rpc", REMOTE], {}, "is not on this machine"),
}  # fmt: skip


@pytest.mark.parametrize("kind", list(DIRECTED))
def test_a_command_that_is_sent_to_a_wrong_chain_ends_with_2_and_leaves_nothing(
    kind: str, served: Served, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    command, changes, complaint = DIRECTED[kind]
    path, out = tmp_path / "given.json", tmp_path / "out"
    document = {**served.deployment.fields(), **changes}
    path.write_text(json.dumps(document))
    where = [served.url if word == "URL" else word for word in command]
    given = ["--deployment", str(path), "--set", "tasks=5"] if changes else []
    if kind == "no ether":
        monkeypatch.setenv("TELEX_PRIVATE_KEY", "0x" + "7e" * 32)
    assert main([*where, *given, "--out", str(out)]) == 2
    said = capsys.readouterr().err
    assert complaint in said
    assert "Traceback" not in said
    assert not out.exists()


@pytest.mark.parametrize("kind", ACCOUNT_RAILS)
def test_calls_after_a_mandate_has_run_out_are_unpaid(kind: str, tmp_path: Path) -> None:
    first, second, third = made = batches([20, 20, 20])
    with Settler(replace(setup(tmp_path), rail=rail_of(kind))) as settler:
        ends = GENESIS_UNIX + 70
        set_mandate(settler.wait_ready(), agent=2, cap=DEPOSIT, max_price=MAX_PRICE, deadline=ends)
        for batch in made:
            settler.send(batch)
        found = settler.finish()
    late = np.flatnonzero((third.agent == 2) & (third.charge_micros > 0))
    assert len(late)
    assert found.unpaid == tuple((len(first) + len(second) + late).tolist())
    assert found.calls == 60


def test_a_batch_that_another_router_process_was_quicker_with_is_not_settled_twice(
    tmp_path: Path,
) -> None:
    """Somebody else holds the router's key, and settles the same calls at the same place."""
    first, second = made = batches([20, 15])
    with Settler(setup(tmp_path)) as settler:
        ready = settler.wait_ready()
        place, ids = ready.deployment.call_ledger, np.arange(1, 9)
        packed = pack(first, slice(None), ids[:5], ids[5:], emit_events=True)
        with Rpc(ready.url) as rpc:
            router = account(AccountKind.OPERATOR, ROUTER_INDEX)
            other = Sender(rpc, router, ready.deployment.chain_id, free=True)
            data = packed.calldata(LEDGER.selector("settleBatch"), 0)
            other.send([other.prepare(place, data + bytes(1), GAS_LIMIT)])
        for batch in made:
            settler.send(batch)
        with pytest.raises(ChainError, match=r"batch 0 \(calls 0 to 19\) was not settled"):
            settler.finish()
        so_far = settler.settlement_so_far
        assert so_far is not None
        assert so_far.calls == 0
        result = audited(so_far, replace(record([first]), last_block=None))
    assert result.calls_on_chain <= 20
    assert (result.unexpected, result.differing) == ((), ())
    assert len(second) == 15


def test_a_batch_of_somebody_elses_is_not_taken_for_the_runs(tmp_path: Path) -> None:
    """The same calls at the same place, in the same block, by a transaction that the run knows not.

    The contract's count then goes on as if they were the run's.
    """
    run, (batch,) = setup(tmp_path), batches([20])
    router = account(AccountKind.OPERATOR, ROUTER_INDEX)
    with Node() as node, Rpc(node.url) as rpc:
        blocks = OwnBlocks(rpc, Sender(rpc, router, CHAIN_ID, free=True), GENESIS_UNIX, None)
        deployment = deploy_with(blocks, FEE_BPS, treasury().address)
        rail = rail_on_chain(way_of(blocks, deployment, run), run)
        (part,) = rail.parts(batch)
        (order,) = part.orders
        blocks.sender.send([blocks.sender.prepare(order.to, order.data + bytes(1), GAS_LIMIT)])
        with pytest.raises(ChainError, match=r"batch 0 .* was settled by 0x\w+, which is not ours"):
            rail.settle([part], 60)
