"""A node for other people's clients: an Anvil with the contracts deployed and funded accounts."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from sim.chain.accounts import ROUTER_INDEX, TREASURY_INDEX, Account, AccountKind, accounts
from sim.chain.blocks import ForeignBlocks
from sim.chain.contracts import contract
from sim.chain.deployer import deploy_with
from sim.chain.deployment import Deployment
from sim.chain.node import CHAIN_ID, Node
from sim.chain.rpc import Rpc
from sim.chain.sender import Sender, Transaction
from sim.facts import ChainError
from sim.units import MICROS_PER_USD

ACCOUNTS = 10
FUNDS_MICROS = 1_000_000 * MICROS_PER_USD
MINT_GAS = 100_000
LOOK_S = 0.5


@dataclass(frozen=True)
class Served:
    """A node that answers: each account is unlocked and holds ETH and USDC."""

    url: str
    deployment: Deployment
    accounts: tuple[Account, ...]
    node: Node

    def wait(self) -> None:
        """Returns never but by an interrupt; raises `ChainError` if the node dies."""
        while self.node.alive():
            time.sleep(LOOK_S)
        raise ChainError(f"the node died: Anvil, process {self.node.pid}, has ended")


@contextmanager
def serve(port: int | None = None, *, fee_bps: int = 0) -> Iterator[Served]:
    """An Anvil that mines each transaction at once, by the machine's clock, until it is left.

    Args:
        port: where it listens on 127.0.0.1; any free one if None.
        fee_bps: the fee of the CallLedger that is deployed.

    Raises:
        ToolError: Anvil or the contracts are missing, or the port is occupied.
        ChainError: the node does not start.
    """
    funded = accounts(AccountKind.OPERATOR, ACCOUNTS)
    with Node(port, genesis_unix=None, automine=True) as node:
        with Rpc(node.url) as rpc:
            sender = Sender(rpc, funded[ROUTER_INDEX], CHAIN_ID, free=True)
            blocks = ForeignBlocks(rpc, sender, warp=False)
            deployment = deploy_with(blocks, fee_bps, funded[TREASURY_INDEX].address)
            blocks.submit([_mint(sender, deployment, owner) for owner in funded], 0)
        yield Served(node.url, deployment, funded, node)


def _mint(sender: Sender, deployment: Deployment, owner: Account) -> Transaction:
    data = contract("USDC").call("mint", owner.address, FUNDS_MICROS)
    return sender.prepare(deployment.usdc, data, MINT_GAS)
