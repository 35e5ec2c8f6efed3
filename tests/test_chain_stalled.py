"""An Anvil that mines at once and overlooks a transaction is told to mine."""

import pytest

from sim.chain import Rpc, blocks
from sim.chain.accounts import ROUTER_INDEX, AccountKind, account
from sim.chain.local.work import Work
from sim.chain.node import CHAIN_ID, Node

pytestmark = pytest.mark.chain


def test_what_a_node_of_ours_leaves_waiting_is_mined(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(blocks, "STALLED_S", 0.2)
    owner = account(AccountKind.OPERATOR, ROUTER_INDEX)
    node = Node(None, chain_id=CHAIN_ID, genesis_unix=None, automine=False)
    with node, Rpc(node.url) as rpc:
        work = Work(rpc, owner)
        for _ in range(3):
            work.add("a payment of nothing", owner.address, b"")
        work.do()
        assert rpc.quantity("eth_getTransactionCount", owner.address, "latest") == 3
