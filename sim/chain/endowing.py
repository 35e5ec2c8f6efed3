"""ETH for accounts of a run, on a node of the user's: who sends something there pays for gas."""

from collections.abc import Mapping

from sim.chain.blocks import Blocks
from sim.chain.local.work import FOREIGN_GAS
from sim.facts import ChainError

PLAIN_GAS = 21_000


def endow(blocks: Blocks, wei: Mapping[str, int], seconds: int, purpose: str) -> None:
    """Has the router give each address so many wei, ``seconds`` after simulated time 0.

    Raises `ChainError` if it has not so much: ``purpose`` says what it is for.
    """
    sender, rpc, needed = blocks.sender, blocks.rpc, sum(wei.values())
    has = rpc.quantity("eth_getBalance", sender.address, "latest")
    if has <= needed:
        raise ChainError(
            f"the router {sender.address} has {has} wei on {rpc.url}, needed more than {needed} "
            f"for the transactions by which {purpose}"
        )
    addresses, size = list(wei), FOREIGN_GAS // PLAIN_GAS
    for start in range(0, len(addresses), size):
        some = addresses[start : start + size]
        blocks.submit([sender.prepare(to, b"", PLAIN_GAS, wei[to]) for to in some], seconds)
