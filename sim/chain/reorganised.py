"""An Anvil of ours after a reorganisation: back to the last block that it and its file both have.

A reorganisation that comes while an Anvil mines a block puts it on blocks that are gone, or has it
stand without its effects, or keeps its effects as the state of the block before. So nothing after
the last common block can stay, and that one's own state is not to be trusted: it is mined again.
"""

from collections.abc import Sequence

from sim.chain.answers import Block, as_list, as_object, as_quantity, as_text
from sim.chain.node import roll_back
from sim.chain.remaking import mine_again
from sim.chain.rpc import RefusedError, Rpc
from sim.chain.transactions import SavedBlock
from sim.facts import ChainError


def go_back(rpc: Rpc, mined: Sequence[Block], saved: Sequence[SavedBlock]) -> Block:
    """Takes back what the chain and the file do not both have; returns the last block then.

    Args:
        mined: the last blocks that were saved, in order; with the genesis, if there are so few.
        saved: all that the file has.

    Raises `ChainError` if they have nothing in common, or so old a state is not kept.
    """
    found = rpc.blocks([block.number for block in mined])
    other = [at for at, pair in enumerate(zip(found, mined, strict=True)) if pair[0] != pair[1]]
    common = mined[: other[0]] if other else mined
    if not common:
        raise ChainError(f"the chain has taken back more than its last {len(mined)} blocks")
    lost = [at for at, block in enumerate(common) if not took_effect(rpc, block)]
    common = common[: lost[0] + 1] if lost else common  # what came after it was mined without it
    agreed = common[-1]
    for base in reversed(common[:-1]):
        if _remade(rpc, base, agreed, saved):
            return agreed
    if over := rpc.block().number - agreed.number:
        roll_back(rpc, over)
    if rpc.block() != agreed or not took_effect(rpc, agreed):
        raise ChainError(f"block {agreed.number} could not be mined again as it was")
    return agreed


def _remade(rpc: Rpc, base: Block, agreed: Block, saved: Sequence[SavedBlock]) -> bool:
    """Whether the chain could be made from one block to the other as it was."""
    last = rpc.block().number
    try:
        roll_back(rpc, last - base.number)
    except RefusedError:  # so old a state is not kept: then none was changed since
        return last == agreed.number and took_effect(rpc, agreed)
    for number in range(base.number, agreed.number):
        mine_again(rpc, number + 1, saved[number])
    return rpc.block() == agreed and took_effect(rpc, agreed)


def took_effect(rpc: Rpc, block: Block) -> bool:
    """Whether the state is not older than a block: its senders' nonces of then are taken."""
    whole = as_object(rpc.call("eth_getBlockByNumber", hex(block.number), True))
    sent = [as_object(one) for one in as_list(whole.get("transactions"))]
    taken = {as_text(one.get("from")): as_quantity(one.get("nonce")) for one in sent}
    counts = rpc.batch([("eth_getTransactionCount", [who, "latest"]) for who in taken])
    return all(
        as_quantity(count) > nonce for count, nonce in zip(counts, taken.values(), strict=True)
    )
