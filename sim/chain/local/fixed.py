"""Contracts that clients know by addresses of their own: their code is put there.

The addresses of x402's `batch-settlement` scheme and of Multicall3 are constants in x402's client.
"""

from sim.chain.contracts import contract
from sim.chain.node import put_code
from sim.chain.rpc import Rpc

PLACES = {
    "VoucherChannels": "0x4020074e9dF2ce1deE5A9C1b5c3f541D02a10003",
    "ERC3009DepositCollector": "0x4020806089470a89826cB9fB1f4059150b550004",
    "Permit2DepositCollector": "0x4020425FAf3B746C082C2f942b4E5159887B0005",
    "Multicall3": "0xcA11bde05977b3631167028862bE2a173976CA11",
}


def put_fixed(rpc: Rpc) -> None:
    """Puts each contract's code at its address, on an Anvil; a second time changes nothing.

    Raises:
        ToolError: the contracts are not compiled.
        ChainError: the node does not let code be put.
    """
    for name, place in PLACES.items():
        put_code(rpc, place, contract(name).runtime)
