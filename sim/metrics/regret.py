"""Regret: what better picks would have been worth, at the tasks' true difficulties."""

import math

import numpy as np
import numpy.typing as npt

from sim.metrics.listed import Listed, ListPrice
from sim.models import ability, discrimination_of, longest_ppm
from sim.record import Calls
from sim.scenario.honesty import Inflation
from sim.scenario.phases import Phases
from sim.scenario.schema import Scenario
from sim.scenario.supply import Model
from sim.units import PPM, TOKENS_PER_MTOK, Int64Array, ppm_nearest

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]
CHUNK = 65_536


class _Supply:
    """One model's expected surplus and quote for many calls at once."""

    def __init__(self, scenario: Scenario, model: Model) -> None:
        slope = discrimination_of(model, scenario)
        self.slope = slope
        self.ability = np.array(
            [
                ability(model.quality[i], slope) if i in model.quality else 0
                for i in scenario.intents
            ]
        )
        self.serves = np.array([model.listed and i in model.quality for i in scenario.intents])
        self.meets = np.array([group.requires.met_by(model) for group in scenario.groups.values()])
        self.hit = ppm_nearest(model.cache_hit_share)
        expansion = model.verbosity / (1 - model.reasoning_share)
        self.right, self.wrong = (
            ppm_nearest(expansion),
            ppm_nearest(expansion * model.wrong_output_factor),
        )
        self.longest = longest_ppm(self.wrong, model.output_sigma)
        if isinstance(model.honesty, Inflation):
            self.right, self.wrong, self.longest = (
                math.ceil(each * model.honesty.factor)
                for each in (self.right, self.wrong, self.longest)
            )
        self.context = model.context_tokens
        self.pays_wrong = scenario.rail.settle_on == "delivered"

    def surplus(
        self, calls: Calls, value: Int64Array, price: ListPrice, times: Floats | float
    ) -> Floats:
        """Expected surplus in micros; ``times`` is what list prices were multiplied by."""
        exponent = self.slope * (calls.difficulty - self.ability[calls.intent]) / PPM
        chance = 1 / (1 + np.exp(np.clip(exponent, -500, 500)))
        cached = calls.input_tokens * self.hit // PPM
        fixed = (calls.input_tokens - cached) * price.input + cached * price.cached
        charges = [
            price.per_call
            + (fixed + calls.reference_tokens * factor * price.output / PPM) / TOKENS_PER_MTOK
            for factor in (self.right, self.wrong)
        ]
        charges = [times * charge for charge in charges]
        wrong = charges[1] if self.pays_wrong else 0
        surplus: Floats = chance * (value - charges[0]) - (1 - chance) * wrong
        return surplus

    def fits(
        self, calls: Calls, group: Int64Array, limit: Int64Array, price: ListPrice,
        times: Floats | float,
    ) -> Flags:  # fmt: skip
        """Whether the model could have been offered."""
        output = -(-calls.reference_tokens * self.longest // PPM)
        dearest = np.maximum(price.input, price.cached)
        tokens = calls.input_tokens * dearest + output * price.output
        quote = price.per_call - (-tokens // TOKENS_PER_MTOK)
        fits: Flags = self.serves[calls.intent] & self.meets[group] & (quote * times <= limit)
        if self.context is not None:
            fits &= calls.input_tokens + output <= self.context
        return fits


def regret_micros(
    every: Phases,
    listed: Listed,
    calls: Calls,
    group: Int64Array,
    value_micros: Int64Array,
    limit_micros: Int64Array,
) -> int:
    """The sum of each call's regret, rounded per call, by the phase in which it was posted.

    Args:
        listed: what models asked for it.
        group, value_micros, limit_micros: of each call's agent, and of its task.
    """
    number = every.of(calls.posted_us)
    total = 0
    for place, phase in enumerate(every):
        rows = np.flatnonzero(number == place) if len(every) > 1 else slice(None)
        terms = (group[rows], value_micros[rows], limit_micros[rows])
        total += _regret_micros(phase.scenario, listed, calls.take(rows), *terms)
    return total


def _regret_micros(
    scenario: Scenario,
    listed: Listed,
    calls: Calls,
    group: Int64Array,
    value_micros: Int64Array,
    limit_micros: Int64Array,
) -> int:
    supplies = [_Supply(scenario, model) for model in scenario.models.values()]
    total = 0
    for start in range(0, len(calls), CHUNK):
        rows = slice(start, start + CHUNK)
        part, of_group = calls.take(rows), group[rows]
        prices = [listed.of(number, part.call_id) for number in range(len(supplies))]
        times = _multipliers(scenario, prices, part)
        best = np.full(len(part), -np.inf)
        chosen = np.empty(len(part))
        for number, (supply, price) in enumerate(zip(supplies, prices, strict=True)):
            surplus = supply.surplus(part, value_micros[rows], price, times)
            mine = part.model == number
            np.copyto(chosen, surplus, where=mine)
            offered = supply.fits(part, of_group, limit_micros[rows], price, times) | mine
            best = np.maximum(best, np.where(offered, surplus, -np.inf))
        total += int(np.rint(best - chosen).astype(np.int64).sum())
    return total


def _multipliers(scenario: Scenario, prices: list[ListPrice], calls: Calls) -> Floats | float:
    """What floors were multiplied by for each call: 1, unless a protocol does so."""
    if scenario.protocol is None or scenario.protocol.pricing is None:
        return 1.0
    floors = np.zeros(len(calls), np.int64)
    for number, price in enumerate(prices):
        floors = np.where(calls.model == number, price.per_call, floors)
    return np.rint(10 * calls.quote_micros / floors) / 10
