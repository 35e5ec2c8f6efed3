"""An Anvil that mines at once and overlooks a transaction is told to mine."""

import json

import pytest

from sim.chain import Rpc, blocks
from sim.chain.accounts import ROUTER_INDEX, Account, AccountKind, account
from sim.chain.blocks import ForeignBlocks
from sim.chain.local.work import Work
from sim.chain.node import CHAIN_ID, Node, mines_at_once
from sim.chain.sender import Sender
from sim.facts import ChainError
from tests.chain_helpers import forwarding, server

pytestmark = pytest.mark.chain
OWNER = account(AccountKind.OPERATOR, ROUTER_INDEX)
UNLOCKED = account(AccountKind.OPERATOR, 3).address


def test_what_a_node_of_ours_leaves_waiting_is_mined(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(blocks, "STALLED_S", 0.2)
    node = Node(None, chain_id=CHAIN_ID, genesis_unix=None, automine=False)
    with node, Rpc(node.url) as rpc:
        work = Work(rpc, OWNER)
        for _ in range(3):
            work.add("a payment of nothing", OWNER.address, b"")
        work.do()
        assert rpc.quantity("eth_getTransactionCount", OWNER.address, "latest") == 3


NO_ANVIL = {"error": {"code": -32601, "message": "the method does not exist"}}


@pytest.mark.parametrize("says", [{"result": True}, {"result": False}, NO_ANVIL])
def test_a_users_node_is_told_so_only_if_it_says_that_it_mines_at_once(
    says: dict[str, object], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(blocks, "STALLED_S", 0.2)
    monkeypatch.setattr(blocks, "MINED_TIMEOUT_S", 1.0)
    node = Node(None, chain_id=CHAIN_ID, genesis_unix=None, automine=False)
    with node:
        passed = forwarding(node.url, lambda _: False)

        def answer(body: bytes) -> tuple[int, bytes]:
            asked = json.loads(body)
            if isinstance(asked, dict) and asked["method"] == "anvil_getAutomine":
                return 200, json.dumps({"id": asked["id"], **says}).encode()
            return passed(body)

        with server(answer) as url, Rpc(url) as rpc:
            blocks_of = ForeignBlocks(rpc, Sender(rpc, OWNER, CHAIN_ID, free=False), warp=False)
            ready = [blocks_of.sender.prepare(OWNER.address, b"", 21_000)]
            if says.get("result"):
                assert blocks_of.submit(ready, 0).last == 1
            else:
                with pytest.raises(ChainError, match="is not mined after"):
                    blocks_of.submit(ready, 0)


@pytest.mark.parametrize("signer", [OWNER, UNLOCKED])
def test_what_waits_for_a_nonce_that_was_mined_is_sent_anew(
    signer: Account | str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It comes in before its nonce's turn; then the nonce moves on, and Anvil does not look again.

    Another account's, which waits for a turn of its own, is left alone.
    """
    monkeypatch.setattr(blocks, "STALLED_S", 0.2)
    node = Node(None, chain_id=CHAIN_ID, genesis_unix=None, automine=True)
    with node, Rpc(node.url) as rpc:
        sender = Sender(rpc, signer, CHAIN_ID, free=False)
        other = Sender(rpc, account(AccountKind.OPERATOR, 4), CHAIN_ID, free=False)
        sender.nonce = other.nonce = 1
        other.send([other.prepare(other.address, b"", 21_000)])

        def late(there: Rpc) -> bool:
            there.call("anvil_setNonce", sender.address, "0x1")
            return mines_at_once(there)

        monkeypatch.setattr(blocks, "mines_at_once", late)
        ready = [sender.prepare(sender.address, b"", 21_000)]
        ForeignBlocks(rpc, sender, warp=False).submit(ready, 0)
        assert sender.landed() == 2
        assert rpc.call("txpool_status") == {"pending": "0x0", "queued": "0x1"}
