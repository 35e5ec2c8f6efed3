"""The market as one would first write it in SimPy, to be measured and tested against.

A process per agent, a process per call, a `simpy.Resource` per model that callers leave after their
deadline (SimPy's own example of reneging), a Python loop over the models, budgets as numbers; no
ledger, laws or chain. Agents' draws and the record's columns are the engine's; the market is
written again, so that equal digests test both. It knows the leaderboard, and neither outages nor
context windows, nor events, nor models that scale, slow down, limit or deceive. Things at the same
microsecond happen in the order in which they were scheduled, as in the engine; where a slot falls
free at the very instant of another event, the two may differ.
"""

import math
from collections import deque
from collections.abc import Generator
from itertools import accumulate

import numpy as np
import simpy
from simpy.events import ConditionValue, Event

from sim.agents import Agent, agents
from sim.chance import below, key, mix
from sim.costs import UniformCost, rates
from sim.facts import Outcome, Reason, Status, Task
from sim.mechanisms import PerCall, PerToken
from sim.record import AnswerHasher, Calls, Tasks, digest
from sim.routers import Leaderboard
from sim.scenario.schema import Scenario
from sim.scenario.supply import Model as ModelSpec
from sim.units import BPS, PPM, TOKENS_PER_MTOK, US_PER_HOUR, US_PER_S, micros_from_usd_exact
from sim.validators import Window

Process = Generator[Event, ConditionValue, None]
NODES = np.linspace(-10, 10, 2001)
RANK, TIE = key("router/rank"), key("router/tie")
WEIGHTS = np.exp(-(NODES**2) / 2) / np.exp(-(NODES**2) / 2).sum()


def ability(share: float, slope: float) -> int:
    """The ability (in millionths) that solves ``share`` of tasks of standard normal difficulty."""
    low, high = -40.0, 40.0
    while high - low > 1e-12:
        middle = (low + high) / 2
        solved = 1 / (1 + np.exp(np.minimum(slope * (NODES - middle), 700)))
        low, high = (middle, high) if (WEIGHTS * solved).sum() < share else (low, middle)
    return round(PPM * low)


Terms = tuple[int, int, int, int]


def terms(price: PerCall | PerToken) -> Terms:
    """A price in micros: per call, and per million input, cached and output tokens."""
    if price.kind == "per_call":
        return micros_from_usd_exact(price.usd_per_call), 0, 0, 0
    entry, output = price.input_usd_per_mtok, price.output_usd_per_mtok
    cached = entry if price.cached_usd_per_mtok is None else price.cached_usd_per_mtok
    micros = [micros_from_usd_exact(usd) for usd in (entry, cached, output)]
    return 0, micros[0], micros[1], micros[2]


def micros_of(by: Terms, tokens: tuple[int, int, int]) -> int:
    """Micros for so many input, cached and output tokens, rounded up."""
    per_call, *per_mtok = by
    micros = sum(size * each for size, each in zip(tokens, per_mtok, strict=True))
    return per_call - (-micros // TOKENS_PER_MTOK)


class Model:
    """A model: price, speed, a Resource for its slots; by intent its ability and its score."""

    def __init__(
        self, env: simpy.Environment, index: int, name: str, spec: ModelSpec, scenario: Scenario
    ) -> None:
        self.index, self.key, self.spec = index, key(f"model/{name}"), spec
        self.slots = simpy.Resource(env, spec.capacity.slots)
        self.room = spec.capacity.slots + spec.capacity.queue
        self.per_call, self.input, self.cached, self.output = self.price = terms(spec.price)
        assert not isinstance(spec.cost, UniformCost)
        self.costs = terms(rates(spec.cost)) if spec.cost else (0, 0, 0, 0)
        length = PPM * spec.verbosity / (1 - spec.reasoning_share)
        self.length = {True: round(length), False: round(length * spec.wrong_output_factor)}
        self.hit_ppm = round(PPM * spec.cache_hit_share)
        self.first_token_us = round(spec.latency.first_token_ms * 1000)
        self.us_per_token = US_PER_S / spec.latency.tokens_per_s
        self.sigma = spec.latency.sigma / PPM
        self.slope = scenario.item_response.discrimination / PPM
        assert isinstance(scenario.validators.score, Window)
        self.window = scenario.validators.score.verdicts
        self.abilities: dict[int, int] = {}
        self.scores: dict[int, int] = {}
        self.verdicts: dict[int, deque[int]] = {}
        for intent, called in enumerate(scenario.intents):
            if called in spec.quality:
                quality = spec.quality[called]
                self.abilities[intent] = ability(quality, self.slope * PPM)
                self.scores[intent] = round(PPM * spec.declared_quality.get(called, quality))
                self.verdicts[intent] = deque([self.scores[intent]] * self.window)
        self.totals = {intent: sum(verdicts) for intent, verdicts in self.verdicts.items()}

    def quote(self, task: Task) -> int:
        """The most a task can cost: nothing or all cached, a wrong answer's length."""
        output = -(-task.output_tokens * self.length[False] // PPM)
        micros = task.input_tokens * max(self.input, self.cached) + output * self.output
        return self.per_call - (-micros // TOKENS_PER_MTOK)

    def solves(self, task: Task, attempt: int) -> bool:
        """Item response: the chance falls with the difficulty; the luck is the task's own."""
        exponent = self.slope * (task.difficulty - self.abilities[task.intent])
        chance_ppm = round(PPM / (1 + math.exp(min(exponent, 500))))
        return below(mix(task.draw, self.key, attempt), PPM) < chance_ppm

    def service_us(self, task: Task, output: int) -> int:
        """Time to the first token, then token after token; lognormal noise on all of it."""
        time_us = self.first_token_us + output * self.us_per_token
        return max(1, round(time_us * math.exp(self.sigma * task.service)))

    def observe(self, intent: int, score_ppm: int) -> None:
        """Takes a verdict into the mean of the last ones."""
        self.totals[intent] += score_ppm - self.verdicts[intent].popleft()
        self.verdicts[intent].append(score_ppm)
        self.scores[intent] = self.totals[intent] // self.window


class Reference:
    """One run: after `run`, ``calls``, ``tasks`` and ``digest`` are its record."""

    def __init__(self, scenario: Scenario) -> None:
        assert isinstance(scenario.router, Leaderboard)
        self.scenario, self.shares = scenario, scenario.router.shares_percent
        self.fee_bps, self.settle_on = scenario.rail.fee_bps, scenario.rail.settle_on
        self.env = simpy.Environment()
        models = [
            Model(self.env, index, name, spec, scenario)
            for index, (name, spec) in enumerate(scenario.models.items())
        ]
        self.models = [
            [model for model in models if group.requires.met_by(model.spec)]
            for group in scenario.groups.values()
        ]
        self.agents = agents(scenario)
        self.budgets = [agent.budget_micros for agent in self.agents]
        self.retries = [group.retries for group in scenario.groups.values()]
        self.posted = self.made = 0
        self.call_rows: list[tuple[int, ...]] = []
        self.task_rows: list[tuple[int, ...]] = []

    def run(self) -> None:
        """Runs to the end and writes the record."""
        for agent in self.agents:
            self.env.process(self.agent(agent))
        self.env.run()
        self.calls = Calls.from_rows(sorted(self.call_rows))
        self.tasks = Tasks.from_rows(sorted(self.task_rows))
        scenario = self.scenario
        hasher = AnswerHasher(scenario.scenario_hash(), scenario.intents, tuple(scenario.models))
        answered = (self.calls.reason != Reason.DEADLINE).astype(np.int64)
        self.digest = digest(self.calls, self.tasks, hasher.hashes(self.calls, answered))

    def agent(self, agent: Agent) -> Process:
        """Posts an agent's tasks, each at its time."""
        horizon_us = (self.scenario.horizon_h or math.inf) * US_PER_HOUR
        for task in agent.tasks:
            if task.posted_us >= horizon_us:
                return
            yield self.env.timeout(task.posted_us - self.env.now)
            if self.posted == self.scenario.tasks:
                return
            self.env.process(self.call(self.posted, agent, task, 0))
            self.posted += 1

    def quotes(self, agent: Agent, task: Task) -> tuple[list[tuple[Model, int]], Reason]:
        """The models that may serve a task, with their quotes; if there are none, also why."""
        serving = [model for model in self.models[agent.group] if task.intent in model.abilities]
        free = [m for m in serving if m.slots.count + len(m.slots.queue) < m.room]
        limit = min(task.limit_micros, self.budgets[agent.index])
        fitting = [(model, quote) for model in free if (quote := model.quote(task)) <= limit]
        if fitting:
            return fitting, Reason.NONE
        if not serving:
            return [], Reason.NO_MODEL
        least = min(model.quote(task) for model in serving)
        dear = Reason.MAX_PRICE if least > task.limit_micros else Reason.NO_BUDGET
        return [], Reason.NO_CAPACITY if least <= limit else dear

    def route(self, task: Task, attempt: int, offers: list[tuple[Model, int]]) -> tuple[Model, int]:
        """The leaderboard: shares of the tasks to the first, second, third; ties share alike."""
        ranked = sorted(offers, key=lambda offer: -offer[0].scores[task.intent])
        steps = list(accumulate(self.shares[: len(ranked)]))
        draw = below(mix(task.draw, RANK, attempt), steps[-1])
        place = next(place for place, step in enumerate(steps) if draw < step)
        score = ranked[place][0].scores[task.intent]
        equals = [offer for offer in ranked if offer[0].scores[task.intent] == score]
        return equals[below(mix(task.draw, TIE, attempt), len(equals))]

    def call(self, number: int, agent: Agent, task: Task, attempt: int) -> Process:
        """One call, from its quote to its charge; after a wrong answer perhaps another."""
        offers, refusal = self.quotes(agent, task)
        if not offers:
            outcome = Outcome.FAILED if attempt else Outcome.REJECTED
            self.end_task(number, agent, task, attempt, outcome, refusal)
            return
        model, quote = self.route(task, attempt, offers)
        call_id, posted_us = self.made, int(self.env.now)
        self.made += 1
        self.budgets[agent.index] -= quote
        right, cached, output, charge, cost, score_ppm = False, 0, 0, 0, 0, 0
        reason, status = Reason.DEADLINE, Status.REFUNDED
        with model.slots.request() as slot:
            granted = yield slot | self.env.timeout(task.deadline_us - posted_us)
            started_us = int(self.env.now)
            if slot in granted:
                right = model.solves(task, attempt)
                cached = task.input_tokens * model.hit_ppm // PPM
                output = -(-task.output_tokens * model.length[right] // PPM)
                yield self.env.timeout(model.service_us(task, output))
                late = self.env.now > task.deadline_us
                reason = Reason.LATE if late else Reason.NONE if right else Reason.WRONG
                score_ppm = min(max(PPM * right + task.judgement_ppm, 0), PPM)
                model.observe(task.intent, score_ppm)
                tokens = task.input_tokens - cached, cached, output
                cost = micros_of(model.costs, tokens)
                if self.settle_on == "delivered" or reason is Reason.NONE:
                    status = Status.SETTLED
                    charge = micros_of(model.price, tokens)
        now = int(self.env.now)
        self.budgets[agent.index] += quote - charge
        fee = charge * self.fee_bps // BPS
        self.call_rows.append((
            call_id, number, agent.index, model.index, task.intent, posted_us, started_us, now,
            task.input_tokens, cached, output, attempt, quote, charge, fee,
            reason is Reason.NONE, score_ppm, status, reason, task.output_tokens, task.difficulty,
            task.step, task.clone, output, model.index, cost, quote, quote, 0,
        ))  # fmt: skip
        self.go_on(number, agent, task, attempt, reason)

    def go_on(self, number: int, agent: Agent, task: Task, attempt: int, reason: Reason) -> None:
        """What the agent does after a call: done, too late, once more, or given up."""
        if reason is Reason.NONE:
            self.end_task(number, agent, task, attempt + 1, Outcome.SUCCEEDED, reason)
        elif self.env.now >= task.deadline_us:
            self.end_task(number, agent, task, attempt + 1, Outcome.EXPIRED, reason)
        elif attempt < self.retries[agent.group]:
            self.env.process(self.call(number, agent, task, attempt + 1))
        else:
            self.end_task(number, agent, task, attempt + 1, Outcome.FAILED, reason)

    def end_task(
        self, number: int, agent: Agent, task: Task, calls: int, outcome: Outcome, reason: Reason
    ) -> None:
        """Writes a task's row."""
        times = task.posted_us, int(self.env.now)
        self.task_rows.append(
            (number, agent.index, task.intent, *times, calls, outcome, reason, task.value_micros)
        )
