"""The climb: every rail in turn on one Anvil, timed, audited, and held against one ledger."""

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from time import perf_counter

import numpy as np

from sim.auditing import Place, chain_setup
from sim.chain.accounts import ROUTER_INDEX, AccountKind, account
from sim.chain.answers import Block
from sim.chain.audits import audit
from sim.chain.blocks import OwnBlocks
from sim.chain.deployer import RAIL_CONTRACTS, deploy_with, treasury
from sim.chain.deployment import Deployment
from sim.chain.engine import Engine
from sim.chain.local.fixed import put_fixed
from sim.chain.node import CHAIN_ID, Node
from sim.chain.rails import rail_on_chain, way_of
from sim.chain.rpc import Rpc
from sim.chain.sender import Sender
from sim.chain.settlement import GENESIS_UNIX, Audit, SettledBatch
from sim.facts import Batch
from sim.ladder.figures import Ladder, Rung, floors, micros_of_gas
from sim.ladder.listed import Listed, listed
from sim.rails import RAILS, Rail, rail_like
from sim.scenario import Scenario
from sim.units import ratio_nearest

SAMPLE_CALLS = 2_000
PARTS_PER_BLOCK = 16

Told = Callable[[str], None]


@dataclass(frozen=True)
class Chain:
    """The one chain that all rails share, with every rail's contracts on it."""

    rpc: Rpc
    blocks: OwnBlocks
    deployment: Deployment


def climb(
    scenario: Scenario, calls: int | None = SAMPLE_CALLS, told: Told = lambda _: None
) -> Ladder:
    """Settles a scenario's calls by every rail on one Anvil.

    Args:
        calls: how many of them rails take that make a transaction per call; all if None. The other
            rails take the whole list, and are compared after these first ones, too.
        told: hears what is being done.

    Raises:
        ToolError: Anvil or the contracts are missing. ChainError: a rail could not settle.
    """
    told("the market, once")
    found = listed(scenario)
    first = len(found) if calls is None else min(calls, len(found))
    with Node() as node, Rpc(node.url) as rpc:
        chain = _chain(rpc, scenario.rail.fee_bps)
        rungs = []
        for kind in RAILS:
            rail = rail_like(scenario.rail, kind)
            told(f"{kind}: {first if RAILS[kind].per_call else len(found):,} calls")
            rungs.append(_rung(scenario, rail, found, first, chain))
    return Ladder(
        scenario=scenario.name,
        seed=scenario.seed,
        calls=len(found),
        compared=first,
        gas_price_gwei=scenario.chain.gas_price_gwei,
        eth_usd=scenario.chain.eth_usd,
        rungs=tuple(rungs),
    )


def _chain(rpc: Rpc, fee_bps: int) -> Chain:
    put_fixed(rpc)
    router = account(AccountKind.OPERATOR, ROUTER_INDEX)
    blocks = OwnBlocks(rpc, Sender(rpc, router, CHAIN_ID, free=True), GENESIS_UNIX, None)
    return Chain(rpc, blocks, deploy_with(blocks, fee_bps, treasury().address, RAIL_CONTRACTS))


@dataclass
class Climbing:
    """What a rail has settled so far."""

    settled: list[SettledBatch]
    last_block: int
    seconds: float = 0.0

    def take(self, batches: list[SettledBatch], block: Block | None) -> None:
        """Hears of a block."""
        self.settled += batches
        if block is not None:
            self.last_block = block.number


def _rung(scenario: Scenario, rail: Rail, found: Listed, first: int, chain: Chain) -> Rung:
    setup = chain_setup(
        scenario.model_copy(update={"rail": rail}), Place("anvil"), Path()
    )  # fmt: skip
    first_block = chain.rpc.block().number + 1
    way = way_of(chain.blocks, chain.deployment, setup)
    on_chain, so_far = rail_on_chain(way, setup), Climbing([], first_block)
    per_block = PARTS_PER_BLOCK if rail.kind == "batch" else 1
    engine = Engine(
        on_chain, block_time_us=setup.block_time_us, per_block=per_block, settled=so_far.take
    )
    every = found.batches(rail, first)
    stops = np.cumsum([len(batch) for batch in every])
    at = int(np.searchsorted(stops, first)) + 1
    made = every[:at] if rail.per_call else every
    audits = []
    for some in (made[:at], made[at:]):
        _settle(engine, some, so_far)
        if some:
            count, blocks = sum(b.count for b in so_far.settled), (first_block, so_far.last_block)
            record = found.record(count, rail.kind, on_chain.first_call, blocks)
            audits.append(audit(chain.rpc, chain.deployment, record))
    return _measured(
        scenario, rail, found, made, so_far, audits, _opening(chain, first_block, so_far)
    )


def _settle(engine: Engine, batches: list[Batch], so_far: Climbing) -> None:
    started = perf_counter()
    for batch in batches:
        engine.add(batch)
    engine.flush()
    engine.wait()
    so_far.seconds += perf_counter() - started


def _opening(chain: Chain, first_block: int, so_far: Climbing) -> int:
    """The gas of the rail's blocks that settled nothing."""
    blocks = [chain.rpc.block(number) for number in range(first_block, so_far.last_block + 1)]
    return sum(block.gas_used for block in blocks) - sum(row.gas_used for row in so_far.settled)


def _measured(
    scenario: Scenario, rail: Rail, found: Listed, made: list[Batch], so_far: Climbing,
    audits: list[Audit], opening: int,
) -> Rung:  # fmt: skip
    calls, gas = sum(map(len, made)), sum(row.gas_used for row in so_far.settled)
    micros = micros_of_gas(Decimal(gas) / calls, scenario.chain)
    paid = found.paid(made)
    delay = paid.closed_us - found.calls.finished_us[:calls]
    return Rung(
        rail=rail.kind,
        calls=calls,
        sampled=calls < len(found),
        transactions=sum(row.transactions for row in so_far.settled),
        gas_per_call=gas / calls,
        gas_micros_per_call=float(micros),
        opening_gas=opening,
        floor_micros=floors(micros),
        delay_us_mean=ratio_nearest(int(delay.sum()), calls),
        delay_us_max=int(delay.max()),
        locked_micros=rail.locked_micros(paid),
        at_risk_micros=rail.at_risk_micros(paid),
        calls_per_s=calls / so_far.seconds,
        equal=all(one.parity for one in audits),
        difference_micros=sum(one.difference_micros for one in audits),
        faults=tuple(fault for one in audits for fault in one.faults),
    )
