"""What a ladder tells: a rung per rail, and whether all of them end in the same balances."""

from decimal import ROUND_CEILING, Decimal

from pydantic import BaseModel, ConfigDict

from sim.scenario.schema import Chain
from sim.units import MICROS_PER_USD, WEI_PER_GWEI

SHARES_PERCENT = (1, 5, 20)


class Rung(BaseModel):
    """One rail's settlement of the list.

    Args:
        calls, transactions: settled, and in how many transactions.
        sampled: whether these are the first calls of the list alone.
        gas_per_call, gas_micros_per_call: measured, and at the scenario's prices in millionths of a
            dollar. opening_gas: of accounts, approvals, mandates and deposits, in all.
        floor_micros: by percent, the smallest price of a call of which gas is no more than that.
        delay_us_mean, delay_us_max: from answer to settlement, in simulated time.
        locked_micros, at_risk_micros: as in the metric dictionary.
        calls_per_s: settled, by the wall's clock.
        equal, difference_micros: whether every balance is the ledger's, by chain data alone.
        faults: what the audit found wrong.
    """

    model_config = ConfigDict(frozen=True)

    rail: str
    calls: int
    sampled: bool
    transactions: int
    gas_per_call: float
    gas_micros_per_call: float
    opening_gas: int
    floor_micros: dict[str, int]
    delay_us_mean: int | None
    delay_us_max: int | None
    locked_micros: int
    at_risk_micros: int
    calls_per_s: float
    equal: bool
    difference_micros: int
    faults: tuple[str, ...]


class Ladder(BaseModel):
    """All rungs of one list: ``compared`` calls went through every rail, ``calls`` are in it."""

    model_config = ConfigDict(frozen=True)

    scenario: str
    seed: int
    calls: int
    compared: int
    gas_price_gwei: float
    eth_usd: float
    rungs: tuple[Rung, ...]

    @property
    def equal(self) -> bool:
        """Whether every rail ended in the same balances."""
        return all(rung.equal for rung in self.rungs)


def micros_of_gas(gas: Decimal, chain: Chain) -> Decimal:
    """What gas costs at a scenario's prices, in millionths of a dollar."""
    ether = gas * Decimal(str(chain.gas_price_gwei)) / WEI_PER_GWEI
    return ether * Decimal(str(chain.eth_usd)) * MICROS_PER_USD


def floors(micros_per_call: Decimal) -> dict[str, int]:
    """The smallest prices in micros of which so much gas is no more than 1, 5 and 20 percent."""
    return {
        f"{percent}%": int(
            (micros_per_call * 100 / percent).to_integral_value(rounding=ROUND_CEILING)
        )
        for percent in SHARES_PERCENT
    }
