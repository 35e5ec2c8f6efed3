"""One model as the market meets it: its tariff, its answers, and the calls it has under way."""

import math
from typing import NamedTuple

from sim.agents import Agent
from sim.chance import below, key, mix
from sim.costs import UniformCost, costs_of, rates
from sim.facts import Reason, Status, Task
from sim.latencies import Lognormal, Pace
from sim.mechanisms import Posted, Tariff
from sim.models.ability import ability, discrimination_of, solved_ppm
from sim.models.answer import Answer
from sim.models.deceit import Substituted, deceit_of
from sim.models.lengths import OwnLength, longest_ppm
from sim.models.limits import RateLimit
from sim.models.queues import queue_of
from sim.scenario.honesty import Inflation, Substitution
from sim.scenario.schema import Scenario
from sim.scenario.supply import Capacity, Model
from sim.strategies import Asking, CostPlus
from sim.units import (
    PPM,
    TOKENS_PER_MTOK,
    US_PER_S,
    gross_ceil,
    ppm_nearest,
    share_floor,
    us_from_ms_nearest,
)


class Terms(NamedTuple):
    """What a mechanism has agreed for a call: the charge if it succeeds, and if it does not.

    ``wrong_micros`` is None where only a success is paid for; ``owed_micros`` is what the model
    then pays the agent out of its bond.
    """

    right_micros: int
    wrong_micros: int | None
    owed_micros: int = 0


def list_tariff(model: Model) -> Tariff:
    """What a model lists at the start: its price; or its cost and more, where it sells so."""
    if isinstance(model.selling, CostPlus) and not isinstance(model.cost, UniformCost | None):
        return Tariff(rates(model.cost)).scaled_nearest(1 + model.selling.markup)
    return Tariff(model.price)


class Endpoint:
    """One model as the market meets it: its tariff and abilities, and who is served or waits.

    ``may_overrun``: an answer may be longer than was quoted, which its model then bears.
    ``asks_by_cost``: in an auction, whatever it lists; of a charge there the treasury takes
    ``fee_bps``.
    """

    def __init__(self, index: int, model_id: str, model: Model, scenario: Scenario) -> None:
        self.index, self.id = index, model_id
        self.key = key(f"model/{model_id}")
        self.length_key = key(f"model/{model_id}/length")
        self.tariff = list_tariff(model)
        self.slots = 0
        self.limit: RateLimit | None = None
        self.adopt(model, scenario)
        self.outages = model.outages
        self.up, self.limited = True, False
        self.serving: dict[int, Call] = {}
        self.queue = queue_of(model.capacity, scenario)
        self.occupied = 0

    def adopt(self, model: Model, scenario: Scenario) -> None:
        """Takes all parameters of a model but its prices, at the start or later."""
        self.costs, self.selling = costs_of(model.cost, self.id), model.selling
        posted = isinstance(scenario.mechanism, Posted)
        self.asks_by_cost = isinstance(self.selling, Asking) and not posted
        self.fee_bps = scenario.rail.fee_bps
        self.default_limit = (
            None if (rules := scenario.protocol) is None else rules.calls_per_minute
        )
        slope = discrimination_of(model, scenario)
        self.discrimination = slope / PPM
        self.abilities = {
            intent: ability(model.quality[name], slope)
            for intent, name in enumerate(scenario.intents)
            if name in model.quality
        }
        self.expansion = expansion = model.verbosity / (1 - model.reasoning_share)
        self.hit_share = model.cache_hit_share
        self.right_tokens_ppm = ppm_nearest(expansion)
        self.wrong_tokens_ppm = ppm_nearest(expansion * model.wrong_output_factor)
        self.own_length = OwnLength(model.output_sigma) if model.output_sigma else None
        self.longest_tokens_ppm = longest_ppm(self.wrong_tokens_ppm, model.output_sigma)
        self.deceit = deceit_of(self.id, model.honesty)
        if isinstance(model.honesty, Inflation):
            self.longest_tokens_ppm = math.ceil(self.longest_tokens_ppm * model.honesty.factor)
        self.may_overrun = isinstance(model.honesty, Substitution)
        self.hit_ppm = ppm_nearest(model.cache_hit_share)
        self.first_token_us = us_from_ms_nearest(model.latency.first_token_ms)
        self.us_per_token = US_PER_S / model.latency.tokens_per_s
        lognormal = isinstance(model.latency.law, Lognormal)
        self.sigma = model.latency.sigma / PPM if lognormal else 0.0
        plain = lognormal and model.breakdowns.mean_busy_s is None
        self.pace = None if plain else Pace(self.id, model.latency.law, model.breakdowns)
        self.slowdown = model.latency.slowdown
        self.context_tokens = model.context_tokens
        self._take_capacity(model.capacity)

    def _take_capacity(self, capacity: Capacity) -> None:
        self.least_slots, self.queue_places = capacity.slots, capacity.queue
        most = capacity.slots if capacity.scaling is None else capacity.scaling.max_slots
        self.resize(min(max(self.slots, capacity.slots), most))
        limit = capacity.calls_per_minute or self.default_limit
        self.limit = None if limit is None else RateLimit(limit, self.limit)

    def resize(self, slots: int) -> None:
        """Has so many slots from now on; who is served beyond them is served to the end."""
        self.slots, self.room = slots, slots + self.queue_places

    def chance_ppm(self, intent: int, difficulty: int) -> int:
        """The probability, in ppm, of a right answer (two-parameter logistic)."""
        exponent = self.discrimination * (difficulty - self.abilities[intent])
        return round(PPM / (1 + math.exp(exponent))) if exponent < 500 else 0

    def reference_ppm(self, intent: int) -> int:
        """The share of the reference mix that is solved in its name, in ppm."""
        own_ppm = solved_ppm(self.abilities[intent], self.discrimination * PPM)
        if isinstance(self.deceit, Substituted):
            return self.deceit.reference_ppm(intent, own_ppm)
        return own_ppm

    def answer(self, task: Task, attempt: int, warm_tokens: int = 0) -> Answer:
        """The answer to a task at an attempt: the task's own draws, transformed.

        ``warm_tokens`` of the prompt are in its cache from earlier calls of the session.
        """
        luck = below(mix(task.draw, self.key, attempt), PPM)
        right = luck < self.chance_ppm(task.intent, task.difficulty)
        factor_ppm = self.right_tokens_ppm if right else self.wrong_tokens_ppm
        if self.own_length is not None:
            own_ppm = self.own_length.factor_ppm(mix(task.draw, self.length_key, attempt))
            factor_ppm = -(-factor_ppm * own_ppm // PPM)
        output = -(-task.output_tokens * factor_ppm // PPM)
        time_us = self.first_token_us + output * self.us_per_token
        if self.slowdown:
            time_us += output * self.us_per_token * self.slowdown * self._crowding()
        if self.sigma:
            time_us *= math.exp(self.sigma * task.service)
        if self.pace is not None:
            time_us = self.pace.time_us(time_us, task.draw, attempt)
        cached = max(task.input_tokens * self.hit_ppm // PPM, warm_tokens)
        cost = self.costs.micros(task, cached, output) if self.costs else 0
        service_us = max(1, round(time_us))
        answer = Answer(right, cached, output, service_us, output, self.index, cost)
        return answer if self.deceit is None else self.deceit.told(answer, task, attempt)

    def _crowding(self) -> float:
        """The share of the other slots that are busy."""
        return len(self.serving) / (self.slots - 1) if self.slots > 1 else 0.0

    def quote_micros(self, task: Task) -> int:
        """The most that this task can cost here: nothing cached, and the longest wrong answer."""
        output = -(-task.output_tokens * self.longest_tokens_ppm // PPM)
        tariff = self.tariff
        dearest = max(tariff.input, tariff.cached)
        return tariff.per_call + -(
            -(task.input_tokens * dearest + output * tariff.output) // TOKENS_PER_MTOK
        )

    def cost_micros(self, task: Task) -> int:
        """What a right answer of the usual length costs this model."""
        if self.costs is None:
            return 0
        output = -(-task.output_tokens * self.right_tokens_ppm // PPM)
        return self.costs.micros(task, task.input_tokens * self.hit_ppm // PPM, output)

    def mean_cost_micros(self, task: Task) -> int:
        """What such an answer costs it on average, whichever task it is."""
        if self.costs is None:
            return 0
        output = -(-task.output_tokens * self.right_tokens_ppm // PPM)
        return self.costs.mean_micros(task, task.input_tokens * self.hit_ppm // PPM, output)

    def ask_micros(self, task: Task) -> int:
        """What it asks for this task in an auction: by its cost, so much that the fee is paid."""
        if isinstance(self.selling, Asking):
            return gross_ceil(self.selling.ask_micros(self.cost_micros(task)), self.fee_bps)
        return self.quote_micros(task)

    def least_micros(self, task: Task) -> int:
        """What an agent must be able to pay for this task: the quote; in an auction, the ask."""
        return self.ask_micros(task) if self.asks_by_cost else self.quote_micros(task)

    def charged(self, task: Task, charge_micros: int) -> None:
        """Takes note of a charge that a mechanism made."""

    def charge_micros(self, task: Task, answer: Answer, tariff: Tariff) -> int:
        """What this answer costs by the ``tariff`` that its call was quoted by."""
        fresh = task.input_tokens - answer.cached_tokens
        return tariff.charge_ceil(fresh, answer.cached_tokens, answer.output_tokens)

    def holds_context(self, task: Task) -> bool:
        """Whether the prompt and the longest answer fit the context window."""
        if self.context_tokens is None:
            return True
        output = -(-task.output_tokens * self.longest_tokens_ppm // PPM)
        return task.input_tokens + output <= self.context_tokens

    @property
    def has_room(self) -> bool:
        """Whether one more call could be served or wait here."""
        return self.up and not self.limited and self.occupied < self.room


class Call:
    """A call under way: one attempt of one model at a task.

    ``terms`` is what the mechanism makes of it; where there are none, the model's tariff holds.
    ``place`` counts the calls of this attempt that were lost before it: 0 is the router's pick.
    """

    __slots__ = (
        "agent", "answer", "ask_micros", "attempt", "bid_micros", "id", "model", "place",
        "posted_us", "quote_micros", "slash_micros", "started_us", "tariff", "task", "task_id",
        "terms",
    )  # fmt: skip

    def __init__(
        self, call_id: int, task_id: int, agent: Agent, attempt: int, task: Task, posted_us: int,
        model: Endpoint, quote_micros: int, bid_micros: int, ask_micros: int, terms: Terms | None,
    ) -> None:  # fmt: skip
        self.id, self.task_id, self.agent, self.attempt = call_id, task_id, agent, attempt
        self.task, self.posted_us, self.model = task, posted_us, model
        self.quote_micros, self.bid_micros, self.ask_micros = quote_micros, bid_micros, ask_micros
        self.terms, self.tariff = terms, model.tariff
        self.started_us, self.slash_micros, self.place = -1, 0, 0
        self.answer: Answer | None = None

    def row(
        self, now_us: int, fee_bps: int, status: Status, reason: Reason, charge_micros: int,
        score_ppm: int,
    ) -> tuple[int, ...]:  # fmt: skip
        """The call as it ends, in the order of the columns of `sim.record.Calls`."""
        task = self.task
        _, cached_tokens, output_tokens, _, produced_tokens, served_by, cost_micros = (
            self.answer or (False, 0, 0, 0, 0, self.model.index, 0)
        )
        return (
            self.id, self.task_id, self.agent.index, self.model.index, task.intent,
            self.posted_us, self.started_us if self.started_us >= 0 else now_us, now_us,
            task.input_tokens, cached_tokens, output_tokens, self.attempt,
            self.quote_micros, charge_micros, share_floor(charge_micros, fee_bps),
            reason is Reason.NONE, score_ppm, status, reason, task.output_tokens, task.difficulty,
            task.step, task.clone, produced_tokens, served_by, cost_micros,
            self.bid_micros, self.ask_micros, self.slash_micros,
        )  # fmt: skip
