"""A node for other people's clients: an Anvil with everything deployed and funded accounts."""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from sim.chain.accounts import ROUTER_INDEX, Account, AccountKind, accounts
from sim.chain.contracts import contract
from sim.chain.deployment import Deployment
from sim.chain.local.contracts import Contracts, deploy_all
from sim.chain.local.document import Document, document
from sim.chain.local.miners import Miner, Registration, catalog_miners, register
from sim.chain.local.work import Work
from sim.chain.node import CHAIN_ID, Node, mine_every
from sim.chain.rpc import Rpc
from sim.facts import ChainError
from sim.units import MICROS_PER_USD

ACCOUNTS = 10
FUNDS_MICROS = 1_000_000 * MICROS_PER_USD
LOOK_S = 0.5


@dataclass(frozen=True)
class Served:
    """A node that answers: each account is unlocked and holds ETH and USDC."""

    url: str
    contracts: Contracts
    accounts: tuple[Account, ...]
    miners: tuple[Registration, ...]
    node: Node

    @property
    def deployment(self) -> Deployment:
        """The part of it that runs settle on."""
        return self.contracts.ledger

    @property
    def document(self) -> Document:
        """What a client needs to know of it."""
        return document(self.url, self.contracts, self.accounts, self.miners)

    def wait(self) -> None:
        """Returns never but by an interrupt; raises `ChainError` if the node dies."""
        while self.node.alive():
            time.sleep(LOOK_S)
        raise ChainError(f"the node died: Anvil, process {self.node.pid}, has ended")


@contextmanager
def serve(
    port: int | None = None,
    *,
    fee_bps: int = 0,
    chain_id: int = CHAIN_ID,
    block_time_s: int | None = None,
    models: Sequence[Miner] = (),
) -> Iterator[Served]:
    """An Anvil with every contract, by the machine's clock, until it is left.

    Args:
        port: where it listens on 127.0.0.1; any free one if None.
        fee_bps: the fee of the rails' contracts; Telegraph's own is fixed.
        block_time_s: a block every so many seconds; one per transaction, at once, if None.
        models: miners to register beside those of the catalog.

    Raises:
        ToolError: Anvil or the contracts are missing, or the port is occupied.
        ChainError: the node does not start, or does not take the contracts.
    """
    owners = accounts(AccountKind.OPERATOR, ACCOUNTS)
    with Node(port, chain_id=chain_id, genesis_unix=None, automine=True) as node:
        with Rpc(node.url) as rpc:
            made = deploy_all(rpc, fee_bps)
            _fund(rpc, made.ledger.usdc, owners)
            known = catalog_miners()
            others = [miner for miner in models if miner not in known]
            miners = register(rpc, made.ledger.port, [*known, *others])
            if block_time_s is not None:
                mine_every(rpc, block_time_s)
        yield Served(node.url, made, owners, tuple(miners), node)


def _fund(rpc: Rpc, usdc: str, owners: tuple[Account, ...]) -> None:
    work = Work(rpc, owners[ROUTER_INDEX])
    for owner in owners:
        work.add("new USDC", usdc, contract("USDC").call("mint", owner.address, FUNDS_MICROS))
    work.do()
