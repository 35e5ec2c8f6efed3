"""Gas in dollars, at the scenario's prices of gas and of ETH."""

from decimal import Decimal

import polars as pl

from sim.metrics.definitions import RailFigures
from sim.record.frames import Frames
from sim.scenario.phases import phases
from sim.scenario.schema import Scenario
from sim.units import MICROS_PER_USD, WEI_PER_GWEI, micros_ceil_from_wei


def modelled_micros(frames: Frames) -> int:
    """What all of a run's batches cost in gas, each at the prices of its close; rounded up once."""
    moved = frames.transfers.filter((pl.col("asset") == "ETH") & (pl.col("kind") == "gas"))
    every = phases(frames.scenario)
    number = every.of(moved["time_us"].to_numpy())
    return micros_ceil_from_wei(
        (int(moved.filter(number == at)["amount"].sum() or 0), phase.scenario.chain.eth_usd)
        for at, phase in enumerate(every)
    )


def usd_of_gas(gas: float, scenario: Scenario, rail: RailFigures) -> Decimal:
    """What so much gas costs; where events change its price, at the mean of the run's batches."""
    chains = [phase.scenario.chain for phase in phases(scenario)]
    if any(chain != chains[0] for chain in chains):
        return Decimal(gas) * rail.gas_micros / (rail.gas or 1) / MICROS_PER_USD
    price = Decimal(chains[0].gas_price_gwei) / WEI_PER_GWEI
    return Decimal(gas) * price * Decimal(chains[0].eth_usd)
