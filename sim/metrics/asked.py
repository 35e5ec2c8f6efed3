"""What models asked for calls in an auction, and what that would have been worth to the agents."""

import numpy as np

from sim.costs import UniformCost, rates
from sim.mechanisms import (
    Double,
    ExecutionContingent,
    FirstPrice,
    Mechanism,
    PayPerSuccess,
    SecondPrice,
    Tariff,
    UniformPrice,
)
from sim.metrics.listed import ListPrice
from sim.metrics.supplies import Floats, Supply
from sim.record import Asks, Calls
from sim.scenario.schema import Scenario
from sim.strategies import Asking
from sim.units import (
    BPS,
    PPM,
    TOKENS_PER_MTOK,
    Int64Array,
    gross_ceil,
    micros_from_usd_exact,
    shares_floor,
)

ForSlots = FirstPrice | SecondPrice | UniformPrice | Double
"""Auctions in which agents bid for slots: nobody knows what a slot would have cost elsewhere."""
ByChance = PayPerSuccess | ExecutionContingent
"""Auctions in which an ask is what an answer costs, right or wrong, whatever is paid for one."""


def ask_micros(
    supply: Supply, calls: Calls, price: ListPrice, scenario: Scenario, asks: Asks
) -> Int64Array:
    """What a model asked for each call: its quote; or by what the answer costs it, and the fee.

    Args:
        asks: the model's own, where its cost is drawn: by ids that rise.
    """
    mechanism, fee_bps = scenario.mechanism, scenario.rail.fee_bps
    selling, cost = supply.model.selling, supply.model.cost
    if not isinstance(selling, Asking):
        asked = supply.quote_micros(calls, price)
    elif isinstance(cost, UniformCost):
        places = np.searchsorted(asks.call_id, calls.call_id)
        asked = np.append(asks.ask_micros, 0)[places]
    else:
        costs, places = np.unique(_cost_micros(supply, calls), return_inverse=True)
        net = map(selling.ask_micros, costs.tolist())
        asked = np.array([gross_ceil(each, fee_bps) for each in net], np.int64)[places]
    if isinstance(mechanism, ForSlots):
        asked = np.maximum(asked, micros_from_usd_exact(mechanism.reserve_usd))
    return asked


def _cost_micros(supply: Supply, calls: Calls) -> Int64Array:
    """What a right answer of the usual length costs the model, rounded up once."""
    cost = supply.model.cost
    if cost is None or isinstance(cost, UniformCost):
        return np.zeros(len(calls), np.int64)
    tariff = Tariff(rates(cost))
    cached = calls.input_tokens * supply.hit // PPM
    output = -(-calls.reference_tokens * supply.made // PPM)
    tokens = (calls.input_tokens - cached) * tariff.input + cached * tariff.cached
    costs: Int64Array = tariff.per_call - (-(tokens + output * tariff.output) // TOKENS_PER_MTOK)
    return costs


def cap_micros(mechanism: Mechanism, limit_micros: Int64Array) -> Int64Array:
    """The most that a model might ask for each call: the limit; in a tender, its reserve too."""
    if isinstance(mechanism, ForSlots) or mechanism.kind == "posted":
        return limit_micros
    reserve = mechanism.reserve_usd
    if reserve is None:
        return limit_micros
    return np.minimum(limit_micros, micros_from_usd_exact(reserve))


def at_ask(
    mechanism: Mechanism, chance: Floats, value: Int64Array, ask: Int64Array, *, pays_any: bool
) -> Floats:
    """Expected surplus of a model that is paid what it asks, in micros.

    ``pays_any``: a wrong answer is paid, too. Where the mechanism pays by what an answer costs, the
    ask is what the model has to get on average.
    """
    paid = ask if pays_any or isinstance(mechanism, ByChance) else chance * ask
    surplus: Floats = chance * value - paid
    return surplus


def at_award(
    mechanism: Mechanism, chance: Floats, value: Int64Array, price: Int64Array, cap: Int64Array,
    *, pays_any: bool, fee_bps: int,
) -> Floats:  # fmt: skip
    """Expected surplus of what an auction among models has agreed for calls, in micros.

    ``price`` is the award for a right answer, ``cap`` the most that could have been awarded;
    ``fee_bps`` is spared a model that owes.
    """
    paid = price if pays_any and not isinstance(mechanism, ByChance) else chance * price
    surplus: Floats = chance * value - paid
    if isinstance(mechanism, ExecutionContingent):
        owed = shares_floor(np.minimum(value, cap) - price, BPS - fee_bps)
        surplus += (1 - chance) * owed
    return surplus
