"""A block of a transaction file, mined once more as it was."""

from sim.chain.merkle import keccak
from sim.chain.node import mine
from sim.chain.rpc import RefusedError, Request, Rpc
from sim.chain.transactions import SavedBlock


def mine_again(rpc: Rpc, number: int, block: SavedBlock) -> str:
    """Mines one block; returns what is wrong with it, if anything."""
    asked: list[Request] = [
        ("eth_sendRawTransaction", ["0x" + raw.hex()]) for raw in block.transactions
    ]
    try:
        for answer in rpc.in_order(asked):
            if isinstance(answer, RefusedError):
                return f"block {number}: {answer}"
        mine(rpc, block.timestamp)
    except RefusedError as refused:
        return f"block {number}: {refused}"
    found = rpc.block(number).transactions
    needed = tuple("0x" + keccak(raw).hex() for raw in block.transactions)
    if len(found) != len(needed):
        return f"block {number}: {len(found)} of its {len(needed)} transactions could be mined"
    return "" if found == needed else f"block {number}: its transactions are in another order"
