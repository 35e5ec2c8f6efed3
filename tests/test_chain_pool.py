"""The simulated pool beside the real one: Uniswap v3's own code on an Anvil, to the last unit."""

from collections.abc import Iterator

import pytest

from sim.chain.accounts import ROUTER_INDEX, AccountKind, account
from sim.chain.contracts import contract
from sim.chain.local import deploy_all
from sim.chain.local.contracts import MACHINA_PER_MICRO, POOL_MACHINA, Contracts
from sim.chain.local.work import Work
from sim.chain.node import Node
from sim.chain.rpc import Rpc
from sim.protocols.exchange import Exchange

pytestmark = pytest.mark.chain
FEE_PPM = 3000
SWAPS = (
    (1, True), (2, True), (9_999, True), (123_456_789, True), (10**18 + 7, False), (1, False),
    (5 * 10**9, True), (10**11, True), (3 * 10**12, True), (10**13, True), (10**22 + 3, False),
)  # fmt: skip
"""USDC in micros that buys, MACHINA in wei that is sold; the large ones cross many ticks."""


@pytest.fixture(scope="module")
def rpc() -> Iterator[Rpc]:
    with Node(None, genesis_unix=None, automine=True) as node, Rpc(node.url) as rpc:
        yield rpc


def test_every_swap_gives_what_the_real_pool_gives(rpc):
    made = deploy_all(rpc, 200)
    usdc, machina, exchange = made.ledger.usdc, made.ledger.machina, made.exchange
    me = account(AccountKind.OPERATOR, ROUTER_INDEX)
    work = Work(rpc, me)
    work.add("USDC", usdc, contract("USDC").call("mint", me.address, 10**18))
    for token in (usdc, machina):
        work.add(
            "approval", token, contract("MACHINA").call("approve", exchange.swap_router, 2**255)
        )
    work.do()
    micros = POOL_MACHINA // MACHINA_PER_MICRO
    usdc_first = int(usdc, 16) < int(machina, 16)
    amounts = (micros, POOL_MACHINA) if usdc_first else (POOL_MACHINA, micros)
    pool = Exchange(*amounts, FEE_PPM)
    assert (pool.reserve0, pool.reserve1) == _reserves(rpc, made, usdc_first)
    for given, buys in SWAPS:
        order = (usdc, machina) if buys else (machina, usdc)
        terms = (*order, FEE_PPM, me.address, 2**40, given, 0, 0)
        call = contract("SwapRouter").call("exactInputSingle", terms)
        work.add("a swap", exchange.swap_router, call)
        work.do()
        after = _reserves(rpc, made, usdc_first)
        pool.swap(given, zero_for_one=buys is usdc_first)
        assert (pool.reserve0, pool.reserve1) == after, (given, buys)


def _reserves(rpc: Rpc, made: Contracts, usdc_first: bool) -> tuple[int, ...]:
    balance = contract("MACHINA").call("balanceOf", made.exchange.pool)
    found = [
        int.from_bytes(rpc.view(token, balance))
        for token in (made.ledger.usdc, made.ledger.machina)
    ]
    return tuple(found if usdc_first else reversed(found))
