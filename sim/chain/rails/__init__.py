"""Rails on a chain: how each kind of `sim.rails` becomes transactions, and what came of them."""

from collections.abc import Callable

import numpy as np

from sim.chain.accounts import AccountKind, accounts
from sim.chain.blocks import Blocks
from sim.chain.deployer import RAIL_CONTRACTS
from sim.chain.deployment import Deployment
from sim.chain.funding import Funding, vault_of
from sim.chain.local.fixed import PLACES
from sim.chain.rails.channel import ChannelRail
from sim.chain.rails.epoch import EpochRootRail
from sim.chain.rails.errands import ErrandPart, ErrandRail, post_bonds
from sim.chain.rails.exact import X402ExactRail
from sim.chain.rails.hub import TransferRail
from sim.chain.rails.jobs import EscrowJobRail
from sim.chain.rails.ledger import BatchRail, PrepaidRail
from sim.chain.rails.parts import ChainRail, Landed, Order, Part, Way
from sim.chain.rails.purses import Purses
from sim.chain.sender import Wallets
from sim.chain.settlement import OWN_ANVIL, ChainSetup
from sim.facts import ChainError, ToolError
from sim.rails import ChannelRail as ChannelTerms
from sim.rails import EscrowJobRail as EscrowJobTerms

__all__ = [
    "ChainRail", "ErrandPart", "ErrandRail", "Landed", "Order", "Part", "Way", "rail_on_chain",
    "way_of",
]  # fmt: skip

RAILS: dict[str, Callable[[Way], ChainRail]] = {
    "transfer": TransferRail,
    "x402-exact": X402ExactRail,
    "epoch-root": EpochRootRail,
}
SEND_THEMSELVES = ("transfer", "escrow-job")
LEDGER_RAILS: dict[str, type[BatchRail | PrepaidRail]] = {
    "prepaid": PrepaidRail,
    "batch": BatchRail,
}
"""Those that emit an event per call where they are asked to."""


def way_of(blocks: Blocks, deployment: Deployment, setup: ChainSetup) -> Way:
    """A run's way to the contracts of its rail, with everybody's money where the rail wants it.

    Raises:
        ToolError: the rail cannot be used on this node.
        ChainError: the chain refuses, or lacks the rail's contracts.
    """
    kind, agents, models = setup.rail.kind, setup.agents, len(setup.models)
    _check_place(blocks, deployment, setup)
    kept = None if blocks.sender.on_own_chain else setup.directory
    if kind in LEDGER_RAILS or kind == "epoch-root":
        funding = Funding(blocks, deployment, vault_of(deployment, kind))
        if setup.resumed:
            return Way(blocks, deployment, funding.known(agents, models))
        way = Way(blocks, deployment, funding.fund(agents, models, kept))
        if setup.bonds_micros:
            post_bonds(way, setup)
        return way
    key, name = RAIL_CONTRACTS[kind]
    purses = Purses(blocks, deployment, name, getattr(deployment, key))
    owners = [*accounts(AccountKind.AGENT, len(agents)), *accounts(AccountKind.MODEL, models)]
    wallets = Wallets(blocks.rpc, owners, deployment.chain_id)
    if setup.resumed:
        return Way(blocks, deployment, purses.known(agents, models), wallets)
    approve = wallets if kind == "escrow-job" else None
    funded = purses.fund(agents, models, approve=approve, kept=kept)
    return Way(blocks, deployment, funded, wallets)


def _check_place(blocks: Blocks, deployment: Deployment, setup: ChainSetup) -> None:
    kind, url = setup.rail.kind, blocks.rpc.url
    key, name = RAIL_CONTRACTS.get(kind, ("call_ledger", "CallLedger"))
    if not getattr(deployment, key):
        raise ToolError(
            f"rail {kind} needs {name}, and the deployment names none as {key}: telex deploy "
            "puts one there"
        )
    if kind in SEND_THEMSELVES and setup.backend != OWN_ANVIL:
        raise ToolError(
            f"rail {kind} lets agents send transactions, for which they have no ETH on {url}; "
            "allowed there: x402-exact, prepaid, batch, channel, epoch-root"
        )
    for fixed in ("VoucherChannels", "ERC3009DepositCollector") if kind == "channel" else ():
        if not blocks.rpc.code(PLACES[fixed]):
            raise ChainError(f"no {fixed} at {PLACES[fixed]} on {url}: the chain has no code there")


def rail_on_chain(way: Way, setup: ChainSetup) -> ChainRail:
    """The rail that a run is settled by, on its way to the chain."""
    rail = _rail(way, setup)
    return ErrandRail(rail, way, setup) if setup.has_errands else rail


def _rail(way: Way, setup: ChainSetup) -> ChainRail:
    terms = setup.rail
    if isinstance(terms, ChannelTerms):
        budgets = np.array([agent.deposit_micros for agent in setup.agents], np.int64)
        return ChannelRail(way, terms.book(budgets))
    if isinstance(terms, EscrowJobTerms):
        return EscrowJobRail(way, terms.lifetime_s, setup.block_time_us)
    if terms.kind in LEDGER_RAILS:
        return LEDGER_RAILS[terms.kind](way, emit_events=setup.emit_events)
    return RAILS[terms.kind](way)
