"""The pool: which models are open to a task, what they would cost, and how they score."""

from collections import deque
from collections.abc import Sequence
from typing import NamedTuple

from sim.facts import Reason, Task
from sim.mechanisms import Tariff
from sim.models.endpoint import Endpoint
from sim.scenario.schema import Scenario
from sim.units import PPM, TOKENS_PER_MTOK, ppm_nearest


class Offers(NamedTuple):
    """Models open to a group's intent now, with a bound on what any of them can quote.

    ``constant`` in micros; ``input``, ``output`` in micros per million tokens of the prompt and of
    the reference answer. The bound spares asking every model for its quote.
    """

    models: Sequence[int]
    constant: int
    input: int
    output: int


UNBOUNDED = 1 << 62
KNOWN_MAX = 1024


class Pool:
    """All models: who serves what, who has room, the scores, the expected costs."""

    def __init__(self, scenario: Scenario) -> None:
        self.endpoints = [
            Endpoint(index, model_id, model, scenario)
            for index, (model_id, model) in enumerate(scenario.models.items())
        ]
        self.scores = [
            [
                ppm_nearest(model.declared_quality.get(name, model.quality.get(name, 0.0)))
                for model in scenario.models.values()
            ]
            for name in scenario.intents
        ]
        self.window = scenario.validators.window
        self._verdicts: dict[tuple[int, int], deque[int]] = {}
        self._sums: dict[tuple[int, int], int] = {}
        self._costs = [self._cost_terms(model, scenario) for model in scenario.models]
        models = list(scenario.models.values())
        groups = list(scenario.groups.values())
        self._serving = {
            (number, intent): [
                endpoint.index
                for endpoint, model in zip(self.endpoints, models, strict=True)
                if intent in endpoint.abilities and group.requires.met_by(model)
            ]
            for number, group in enumerate(groups)
            for intent in range(len(scenario.intents))
        }
        # What is open to a group's intent depends on which models are shut, a bit each.
        self._shut = 0
        self._open: dict[tuple[int, int], Offers] = {}
        self._known = {self._shut: self._open}

    def _cost_terms(self, model_id: str, scenario: Scenario) -> tuple[int, int, int]:
        model = scenario.models[model_id]
        tariff = Tariff(model.price)
        hit = model.cache_hit_share
        per_input = round((1 - hit) * tariff.input + hit * tariff.cached)
        expansion = model.verbosity / (1 - model.reasoning_share)
        return tariff.per_call * TOKENS_PER_MTOK, per_input, round(expansion * tariff.output)

    def expected_costs(self, task: Task, models: Sequence[int]) -> list[int]:
        """Expected cost of a right answer per model, in millionths of a micro-USDC.

        tokens_in [(1 - h) p_in + h p_cached] + tokens_out p_out, with h the cache-hit share.
        """
        inputs, outputs, terms = task.input_tokens, task.output_tokens, self._costs
        return [
            call + inputs * per_input + outputs * per_output
            for call, per_input, per_output in map(terms.__getitem__, models)
        ]

    def room_changed(self, endpoint: Endpoint) -> None:
        """To be called once a model has filled up or has room again, is down or back."""
        bit = 1 << endpoint.index
        self._shut = self._shut & ~bit if endpoint.has_room else self._shut | bit
        if len(self._known) > KNOWN_MAX:
            self._known.clear()
        self._open = self._known.setdefault(self._shut, {})

    def _offers(self, group: int, intent: int) -> Offers:
        found = [
            self.endpoints[m] for m in self._serving[group, intent] if self.endpoints[m].has_room
        ]
        # Rounding up adds less than one token and one micro to the sum of the exact parts.
        constant = max((e.tariff.per_call for e in found), default=0) + 2
        constant += max((e.tariff.output for e in found), default=0) // TOKENS_PER_MTOK
        if any(e.context_tokens is not None for e in found):
            constant = UNBOUNDED
        return Offers(
            [endpoint.index for endpoint in found],
            constant,
            max((max(e.tariff.input, e.tariff.cached) for e in found), default=0),
            max((-(-e.tariff.output * e.wrong_tokens_ppm // PPM) for e in found), default=0),
        )

    def fitting(self, task: Task, group: int, purse_micros: int) -> tuple[Sequence[int], Reason]:
        """Models that serve the task, are up, have room, and quote within limit and purse.

        Returns them in the scenario's order; if there are none, also the reason why.
        """
        offers = self._open.get((group, task.intent))
        if offers is None:
            offers = self._open[group, task.intent] = self._offers(group, task.intent)
        if not offers.models:
            served = bool(self._serving[group, task.intent])
            return (), Reason.NO_CAPACITY if served else Reason.NO_MODEL
        limit = min(task.limit_micros, purse_micros)
        variable = task.input_tokens * offers.input + task.output_tokens * offers.output
        if offers.constant + variable // TOKENS_PER_MTOK < limit:
            return offers.models, Reason.NONE
        return self._within(task, offers.models, limit)

    def _within(
        self, task: Task, models: Sequence[int], limit: int
    ) -> tuple[Sequence[int], Reason]:
        able = [m for m in models if self.endpoints[m].holds_context(task)]
        if not able:
            return (), Reason.NO_MODEL
        quotes = [self.endpoints[m].quote_micros(task) for m in able]
        fits = [m for m, quote in zip(able, quotes, strict=True) if quote <= limit]
        if fits:
            return fits, Reason.NONE
        dear = min(quotes) > task.limit_micros
        return (), Reason.MAX_PRICE if dear else Reason.NO_BUDGET

    def observe(self, intent: int, model: int, score_ppm: int) -> None:
        """Takes a verdict into the model's score.

        The score is the mean of the last ``window`` verdicts, rounded down; the declared quality
        stands in for those that have not been given yet.
        """
        place = (intent, model)
        verdicts = self._verdicts.get(place)
        if verdicts is None:
            verdicts = self._verdicts[place] = deque()
            self._sums[place] = self.scores[intent][model] * self.window
            verdicts.extend([self.scores[intent][model]] * self.window)
        total = self._sums[place] + score_ppm - verdicts.popleft()
        verdicts.append(score_ppm)
        self._sums[place] = total
        self.scores[intent][model] = total // self.window
