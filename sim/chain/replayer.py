"""A finished run's chain once more: its saved blocks on a fresh Anvil, to the same head hash."""

from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from sim.chain.local.fixed import put_fixed
from sim.chain.node import CHAIN_ID, Node
from sim.chain.remaking import mine_again
from sim.chain.rpc import Rpc
from sim.chain.transactions import TransactionReader
from sim.facts import ChainError, ToolError


@dataclass(frozen=True)
class Replay:
    """A chain made again; a context manager that ends its node when it is left.

    Args:
        head: hash of the last block, 0x hex. blocks: how many were mined.
        fault: why a saved block could not be mined as it was, empty if all could.
    """

    node: Node
    head: str
    blocks: int
    fault: str

    @property
    def url(self) -> str:
        """Where the node answers."""
        return self.node.url

    def close(self) -> None:
        """Ends the node."""
        self.node.stop()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


def replay(directory: Path, port: int | None = None) -> Replay:
    """Mines the blocks of a run directory's transaction file on an Anvil of our own.

    It ends at the first block that cannot be mined as it was saved, and says so in ``fault``: what
    is missing then on the chain, an audit tells call by call.

    Raises:
        ToolError: the directory holds no transaction file, Anvil is missing, the port is occupied.
        ChainError: the node does not start, or dies.
    """
    saved = TransactionReader(directory)
    if saved.genesis.chain_id != CHAIN_ID:
        raise ToolError(f"{saved.path} is of chain {saved.genesis.chain_id}, needed {CHAIN_ID}")
    node = Node(port, genesis_unix=saved.genesis.genesis_unix)
    try:
        with Rpc(node.url) as rpc:
            fault = _mine_all(rpc, saved)
            head = rpc.block()
    except BaseException:
        node.stop()
        raise
    return Replay(node, head.hash, head.number, fault)


def again(rpc: Rpc, directory: Path) -> None:
    """Mines a run directory's blocks on a fresh node, for the run to go on there.

    Raises `ChainError` if one cannot be mined as it was saved.
    """
    fault = _mine_all(rpc, TransactionReader(directory))
    if fault:
        raise ChainError(f"the run's chain cannot be made again: {fault}")


def _mine_all(rpc: Rpc, saved: TransactionReader) -> str:
    """Mines every block until one cannot be; returns what is wrong with that."""
    if saved.genesis.fixed:
        put_fixed(rpc)
    for number, block in enumerate(saved, start=1):
        fault = mine_again(rpc, number, block)
        if fault:
            return fault
    return ""
