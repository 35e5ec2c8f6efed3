"""What a protocol mints: the supply that its schedule allows, and the dollars of its pool."""

import polars as pl

from sim.laws.evidence import Evidence
from sim.protocols import Telegraph
from sim.protocols.exchange import Exchange
from sim.protocols.money import WEI_PER_MACHINA
from sim.scenario.phases import phases
from sim.units import micros_from_usd_exact


def pool_at_start(protocol: Telegraph | None) -> tuple[int, int]:
    """What the pool starts with: micros of USDC and wei of MACHINA; nothing without purchases."""
    rules = protocol.purchases if protocol else None
    if rules is None:
        return 0, 0
    pool = Exchange(
        micros_from_usd_exact(rules.pool_usd), int(rules.pool_machina * WEI_PER_MACHINA),
        rules.pool_fee_ppm,
    )  # fmt: skip
    return pool.reserve0, pool.reserve1


def supply_needed(evidence: Evidence) -> int:
    """The wei of MACHINA there must be: the schedule's, up to the last epoch that ended.

    An epoch makes what the schedule says that is in force at its end.
    """
    every, epochs = phases(evidence.frames.scenario), evidence.frames.protocol.epochs
    protocol = every.first.protocol
    if protocol is None:
        return 0
    before = protocol.emission.epochs_before
    supply = protocol.emission.supply_wei(before)
    # The last rows are of the epoch that the run's end cut short.
    ends = epochs.unique("epoch").sort("epoch")["ended_us"].to_list()[:-1]
    for epoch, ended_us in enumerate(ends, before):
        ruling = every.at(ended_us).protocol or protocol
        supply += ruling.emission.due_wei(epoch, supply)
    return supply


def minted(evidence: Evidence, asset: str, target: str | None = None) -> int:
    """How much of an asset was minted, in all or to one account."""
    found = evidence.frames.transfers.filter(
        (pl.col("asset") == asset) & (pl.col("kind") == "mint")
    )
    if target is not None:
        found = found.filter(pl.col("target").cast(pl.String) == target)
    return int(found["amount"].sum() or 0)
