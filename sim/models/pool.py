"""The pool: which models are open to a task, what they would cost, and how they score."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import NamedTuple

from sim.chance import below, mix
from sim.facts import Reason, Task
from sim.mechanisms import Tariff
from sim.models.answer import Answer
from sim.models.deceit import Substituted
from sim.models.endpoint import Endpoint, list_tariff
from sim.models.host import Host
from sim.models.learnt import Learnt
from sim.models.metered import SPENDERS, Metered
from sim.models.speeds import time_terms
from sim.scenario.honesty import Substitution
from sim.scenario.phases import phases
from sim.scenario.schema import Scenario
from sim.units import PPM, TOKENS_PER_MTOK, US_PER_S, ppm_nearest
from sim.validators import Running


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
THOUSAND_CALLS = 1000


class Pool(Learnt):
    """All models: who serves what, who has room, the scores, the expected costs."""

    def __init__(self, scenario: Scenario) -> None:
        super().__init__(len(scenario.models), len(scenario.intents))
        every = phases(scenario)
        spent = any(phase.scenario.router.kind in SPENDERS for phase in every)
        made = Metered if spent else Endpoint
        self._scenario = self._first = scenario = every.first
        self.endpoints = [
            made(index, model_id, model, scenario)
            for index, (model_id, model) in enumerate(scenario.models.items())
        ]
        for endpoint in self.endpoints:
            if isinstance(endpoint, Metered):
                endpoint.book = self.book
        self.rule = scenario.validators.score
        self._declared = [
            [
                ppm_nearest(model.declared_quality.get(name, model.quality.get(name, 0.0)))
                for model in scenario.models.values()
            ]
            for name in scenario.intents
        ]
        self.scores = [list(map(self.rule.starts, declared)) for declared in self._declared]
        self._running: dict[tuple[int, int], Running] = {}
        self.on_changed: Callable[[Endpoint], None] = lambda _: None
        self.ids: Sequence[str] = tuple(scenario.models)
        self._take_terms(scenario)
        self.newcomers: dict[int, frozenset[int]] = {}
        self.barred: set[tuple[int, int]] = set()
        self.tenths = [10] * len(scenario.intents)
        # What is open to a group's intent depends on which models are shut, a bit each.
        self._shut = 0
        self._open: dict[tuple[int, int], Offers] = {}
        self._known = {self._shut: self._open}

    def adopt(self, scenario: Scenario) -> None:
        """Takes the models' parameters and the groups' requirements in mid-run."""
        before, self._scenario = self._scenario, scenario
        limited = _default_limit(before) != _default_limit(scenario)
        for endpoint in self.endpoints:
            old, new = before.models[endpoint.id], scenario.models[endpoint.id]
            if (old.price, old.cost, old.selling) != (new.price, new.cost, new.selling):
                self._list(endpoint, list_tariff(new))
            endpoint.fee_bps = scenario.rail.fee_bps
            if old != new or limited:
                endpoint.adopt(new, scenario)
                endpoint.may_overrun = True
                self.on_changed(endpoint)
                self.room_changed(endpoint)
        self._take_terms(scenario)
        self._forget_offers()

    def _take_terms(self, scenario: Scenario) -> None:
        """What follows from the models' and the groups' parameters alone."""
        ends, models = self.endpoints, list(scenario.models.values())
        self._costs = [self._cost_terms(endpoint, endpoint.tariff) for endpoint in ends]
        self._times = [time_terms(model) for model in models]
        for endpoint, model in zip(ends, models, strict=True):
            if isinstance(endpoint.deceit, Substituted) and isinstance(model.honesty, Substitution):
                endpoint.deceit.other = ends[self.ids.index(model.honesty.by)]
        self.list_prices: Sequence[int] = [_list_price(endpoint.tariff) for endpoint in ends]
        self.first_token_us: Sequence[int] = [e.first_token_us for e in ends]
        self.millitokens_per_s: Sequence[int] = [
            round(1000 * US_PER_S / e.us_per_token) for e in ends
        ]
        self._serving = {
            (number, intent): [
                endpoint.index
                for endpoint, model in zip(ends, models, strict=True)
                if model.listed and intent in endpoint.abilities and group.requires.met_by(model)
            ]
            for number, group in enumerate(scenario.groups.values())
            for intent in range(len(scenario.intents))
        }

    def latencies(self, task: Task, models: Sequence[int]) -> list[int]:
        """Expected service time of a right answer per model, in us, rounded down.

        (first token + tokens_out / speed) E[factor] (1 + repair / busy), where the factor is
        lognormal exp(sigma^2 / 2), else 1, and the last term the time lost to breakdowns.
        """
        tokens = task.output_tokens
        times = map(self._times.__getitem__, models)
        return [int(first + tokens * each) for first, each in times]

    def loads(self, models: Sequence[int]) -> list[int]:
        """Calls served or waiting over slots, per model, in ppm."""
        ends = map(self.endpoints.__getitem__, models)
        return [end.occupied * PPM // end.slots for end in ends]

    def rights(self, task: Task, attempt: int, models: Sequence[int]) -> list[bool]:
        """Whether each model's answer at this attempt is right."""
        draw, intent, difficulty = task.draw, task.intent, task.difficulty
        ends = map(self.endpoints.__getitem__, models)
        return [
            below(mix(draw, end.key, attempt), PPM) < end.chance_ppm(intent, difficulty)
            for end in ends
        ]

    def list_cost(self, task: Task, endpoint: Endpoint, tariff: Tariff) -> int:
        """What `expected_costs` would say of a model by another tariff."""
        call, per_input, per_output = self._cost_terms(endpoint, tariff)
        return call + task.input_tokens * per_input + task.output_tokens * per_output

    def _cost_terms(self, endpoint: Endpoint, tariff: Tariff) -> tuple[int, int, int]:
        hit = endpoint.hit_share
        per_input = round((1 - hit) * tariff.input + hit * tariff.cached)
        per_output = round(endpoint.expansion * tariff.output)
        return tariff.per_call * TOKENS_PER_MTOK, per_input, per_output

    def _list(self, endpoint: Endpoint, tariff: Tariff) -> None:
        endpoint.tariff = tariff
        self.on_changed(endpoint)

    def reprice(self, endpoint: Endpoint, tariff: Tariff) -> None:
        """A model lists another price from now on; calls under way keep the one they had."""
        self._list(endpoint, tariff)
        self._costs[endpoint.index] = self._cost_terms(endpoint, tariff)
        self.list_prices = [_list_price(each.tariff) for each in self.endpoints]
        self._forget_offers()

    def expected_costs(self, task: Task, models: Sequence[int]) -> list[int]:
        """Expected cost of a right answer per model, in millionths of a micro-USDC.

        tokens_in [(1 - h) p_in + h p_cached] + tokens_out p_out, with h the cache-hit share.
        """
        inputs, outputs, terms = task.input_tokens, task.output_tokens, self._costs
        return [
            call + inputs * per_input + outputs * per_output
            for call, per_input, per_output in map(terms.__getitem__, models)
        ]

    def signal_micros(self, task: Task, micros: int) -> int:
        """What is asked for an answer that a model's own tariff has at so much."""
        del task
        return micros

    def serving(self, group: int, intent: int) -> Sequence[int]:
        """Models that may serve a group's intent, busy or down though they may be."""
        return self._serving[group, intent]

    def own(self, model: int, slots: int) -> Host:
        """A model on an agent's own machines, beside the price of the same in the market.

        The weights are those that are to be had now, the speed is that of the start: a provider's
        new machines or brown-outs are not the agent's.
        """
        model_id = self.ids[model]
        first = self._first.models[model_id]
        speed = {"latency": first.latency, "breakdowns": first.breakdowns}
        had = self._scenario.models[model_id].model_copy(update=speed)
        endpoint = Endpoint(model, model_id, had, self._scenario)
        endpoint.deceit = None
        return Host(endpoint, slots, partial(self.list_charge, model))

    def list_charge(self, model: int, task: Task, answer: Answer) -> int:
        """What an answer costs by the tariff that a model lists now, and what is made of that."""
        fresh = task.input_tokens - answer.cached_tokens
        tariff = self.endpoints[model].tariff
        charge_micros = tariff.charge_ceil(fresh, answer.cached_tokens, answer.output_tokens)
        return self.signal_micros(task, charge_micros)

    def room_changed(self, endpoint: Endpoint) -> None:
        """To be called once a model has filled up or has room again, is down or back."""
        bit = 1 << endpoint.index
        self._shut = self._shut & ~bit if endpoint.has_room else self._shut | bit
        if len(self._known) > KNOWN_MAX:
            self._known.clear()
        self._open = self._known.setdefault(self._shut, {})

    def bar(self, intent: int, model: int, barred: bool) -> None:
        """Closes a model to an intent's tasks, however much room it has, or opens it again."""
        if barred is ((intent, model) in self.barred):
            return
        self.barred ^= {(intent, model)}
        self._forget_offers()

    def _forget_offers(self) -> None:
        self._known.clear()
        self._open = self._known.setdefault(self._shut, {})

    def _offers(self, group: int, intent: int) -> Offers:
        found = [
            self.endpoints[m]
            for m in self._serving[group, intent]
            if self.endpoints[m].has_room and (intent, m) not in self.barred
        ]
        # Rounding up adds less than one token and one micro to the sum of the exact parts.
        constant = max((e.tariff.per_call for e in found), default=0) + 2
        constant += max((e.tariff.output for e in found), default=0) // TOKENS_PER_MTOK
        if any(e.context_tokens is not None or e.asks_by_cost for e in found):
            constant = UNBOUNDED
        return Offers(
            [endpoint.index for endpoint in found],
            constant,
            max((max(e.tariff.input, e.tariff.cached) for e in found), default=0),
            max((-(-e.tariff.output * e.longest_tokens_ppm // PPM) for e in found), default=0),
        )

    def fitting(self, task: Task, group: int, purse_micros: int) -> tuple[Sequence[int], Reason]:
        """Models that serve the task, are up, have room, and quote or ask within limit and purse.

        Returns them in the scenario's order; if there are none, also the reason why.
        """
        offers = self._open.get((group, task.intent))
        if offers is None:
            offers = self._open[group, task.intent] = self._offers(group, task.intent)
        limit = min(task.limit_micros, purse_micros)
        variable = task.input_tokens * offers.input + task.output_tokens * offers.output
        if offers.models and offers.constant + variable // TOKENS_PER_MTOK < limit:
            return offers.models, Reason.NONE
        fits = self._within(task, offers.models, limit)
        return (fits, Reason.NONE) if fits else ((), self._refusal(task, group, limit))

    def able(self, task: Task, group: int) -> list[int]:
        """Models that serve the task and are up, whatever room they have and whatever they ask."""
        return [
            model
            for model in self._serving[group, task.intent]
            if self.endpoints[model].up
            and (task.intent, model) not in self.barred
            and self.endpoints[model].holds_context(task)
        ]

    def _within(self, task: Task, models: Sequence[int], limit: int) -> list[int]:
        found = (self.endpoints[m] for m in models)
        return [e.index for e in found if e.holds_context(task) and e.least_micros(task) <= limit]

    def _refusal(self, task: Task, group: int, limit: int) -> Reason:
        """Why no model fits: what would have to change for one that could serve the task."""
        serving = (self.endpoints[m] for m in self._serving[group, task.intent])
        able = [endpoint for endpoint in serving if endpoint.holds_context(task)]
        if not able:
            return Reason.NO_MODEL
        least = min(endpoint.least_micros(task) for endpoint in able)
        if least <= limit:
            return Reason.NO_CAPACITY
        return Reason.MAX_PRICE if least > task.limit_micros else Reason.NO_BUDGET

    def observe(self, intent: int, model: int, score_ppm: int) -> None:
        """Takes a verdict into the model's score, by the validators' rule."""
        running = self._running.get((intent, model))
        if running is None:
            running = self.rule.running(self._declared[intent][model])
            self._running[intent, model] = running
        self.scores[intent][model] = running.take(score_ppm)


def _default_limit(scenario: Scenario) -> int | None:
    return None if scenario.protocol is None else scenario.protocol.calls_per_minute


def _list_price(tariff: Tariff) -> int:
    return tariff.input + tariff.output + tariff.per_call * THOUSAND_CALLS
