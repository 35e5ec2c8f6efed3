"""Supplies: what each model could do for many calls at once, told from the record and scenario."""

import math

import numpy as np
import numpy.typing as npt

from sim.metrics.listed import ListPrice
from sim.models import ability, discrimination_of, longest_ppm
from sim.record import Calls
from sim.scenario.honesty import Inflation
from sim.scenario.schema import Scenario
from sim.scenario.supply import Model
from sim.units import PPM, TOKENS_PER_MTOK, Int64Array, ppm_nearest

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]


class Supply:
    """One model's chances, quotes and charges for many calls at once, as it says that it is."""

    def __init__(self, scenario: Scenario, model: Model) -> None:
        slope = discrimination_of(model, scenario)
        self.model, self.slope = model, slope
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
        self.made, self.wrong = (
            ppm_nearest(expansion),
            ppm_nearest(expansion * model.wrong_output_factor),
        )
        self.right, self.longest = self.made, longest_ppm(self.wrong, model.output_sigma)
        if isinstance(model.honesty, Inflation):
            self.right, self.wrong, self.longest = (
                math.ceil(each * model.honesty.factor)
                for each in (self.right, self.wrong, self.longest)
            )
        self.context = model.context_tokens

    def chance(self, calls: Calls) -> Floats:
        """P(right) of each call, at its task's true difficulty."""
        exponent = self.slope * (calls.difficulty - self.ability[calls.intent]) / PPM
        chance: Floats = 1 / (1 + np.exp(np.clip(exponent, -500, 500)))
        return chance

    def charges(self, calls: Calls, price: ListPrice) -> tuple[Floats, Floats]:
        """The expected charge of a right answer and of a wrong one by its tariff, in micros."""
        cached = calls.input_tokens * self.hit // PPM
        fixed = (calls.input_tokens - cached) * price.input + cached * price.cached
        right, wrong = (
            price.per_call
            + (fixed + calls.reference_tokens * factor * price.output / PPM) / TOKENS_PER_MTOK
            for factor in (self.right, self.wrong)
        )
        return right, wrong

    def quote_micros(self, calls: Calls, price: ListPrice) -> Int64Array:
        """The most that each call could cost here: nothing cached, the longest wrong answer."""
        output = -(-calls.reference_tokens * self.longest // PPM)
        dearest = np.maximum(price.input, price.cached)
        tokens = calls.input_tokens * dearest + output * price.output
        quote: Int64Array = price.per_call - (-tokens // TOKENS_PER_MTOK)
        return quote

    def could(self, calls: Calls, group: Int64Array) -> Flags:
        """Whether it serves the intent, meets what the group requires, and holds the context."""
        could: Flags = self.serves[calls.intent] & self.meets[group]
        if self.context is not None:
            output = -(-calls.reference_tokens * self.longest // PPM)
            could &= calls.input_tokens + output <= self.context
        return could
