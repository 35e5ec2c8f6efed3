"""Answers to other people's tasks: one scenario's market, its router and models, in real time."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

import numpy as np

from sim.agents import Agent, Spell, tasks
from sim.agents.agent import Desk
from sim.agents.plans import Retry
from sim.facts import Outcome, Reason, Status, Task
from sim.record import Calls, Tasks
from sim.scenario import Scenario
from sim.scenario.demand import Demand, Size
from sim.scenario.event import OfGroups
from sim.scenario.events import AnyEvent, Set
from sim.scenario.schema import Group
from sim.world import World

# Clients pay on chain: the purse they have within the market must only not be in the way.
PURSE_USD = Decimal(10_000_000)
OF_GROUPS = re.compile(r"""["']?groups\b""")
PLAIN = Demand(input_tokens=Size(median=1000), output_tokens=Size(median=300))


@dataclass(frozen=True, slots=True)
class Asked:
    """A task from outside.

    Args:
        number: names it, and its luck: the same number is the same task in another process.
        intent: its name. model: the only one that may answer; any that serves the intent if None.
        input_tokens: the prompt's size; drawn as the scenario's agents draw it if None.
        limit_micros: the most that an answer may cost.
    """

    number: int
    intent: str
    model: str | None
    input_tokens: int | None
    limit_micros: int


@dataclass(frozen=True, slots=True)
class Answered:
    """A delivered answer: by which model, what the validators say to it, and its size."""

    number: int
    model: str
    right: bool
    score_ppm: int
    input_tokens: int
    output_tokens: int
    service_us: int
    calls: int


@dataclass(frozen=True, slots=True)
class Refused:
    """No answer: why."""

    number: int
    reason: str


class Only(Retry):
    """A plan that takes answers from one model alone."""

    __slots__ = ("model",)

    def __init__(self, retries: int, model: int) -> None:
        super().__init__(retries)
        self.model = model

    def fitting(
        self, desk: Desk, task_id: int, agent: Agent, attempt: int, task: Task, purse_micros: int
    ) -> tuple[Sequence[int], Reason]:
        """That model, if the pool has it among those that fit."""
        found, reason = super().fitting(desk, task_id, agent, attempt, task, purse_micros)
        if self.model in found:
            return (self.model,), Reason.NONE
        return (), reason or Reason.NO_CAPACITY


class Answering:
    """A scenario's market without its own agents: outside tasks in, answers out.

    Simulated time is the caller's: `until` moves it. ``intents`` are those that a model serves,
    those that the scenario's own agents ask for first.
    """

    def __init__(self, scenario: Scenario) -> None:
        self.models = tuple(scenario.models)
        self._intents = tuple(scenario.intents)
        self._seed, self._validators = scenario.seed, scenario.validators
        served = {name for model in scenario.models.values() for name in model.quality}
        asked = {name for group in scenario.groups.values() for name in group.intents}
        by_demand = sorted(scenario.intents, key=lambda name: name not in asked)
        self.intents = tuple(name for name in by_demand if name in served)
        self._groups = {f"jobs.{name}": _group(scenario, name) for name in self.intents}
        others = {"groups": self._groups, "events": tuple(_beside_agents(scenario.events))}
        self._world = World(scenario.model_copy(update=others))
        course = self._world.course
        if course is not None:
            course.on_judged = self._collect  # by a protocol's rules an answer waits for its score
        self._waits = course is not None
        self._world.begin()
        self._open: dict[int, Asked] = {}
        self._delivered: dict[int, Calls] = {}
        self._results: list[Answered | Refused] = []
        self._now_us = 0

    @property
    def now_us(self) -> int:
        """The simulated time."""
        return self._now_us

    def ask(self, asked: Asked) -> None:
        """Posts a task now; its intent must be one of ``intents``."""
        place = self.intents.index(asked.intent)
        agent = self._world.agents[place]
        if asked.model is not None:
            retries = self._groups[f"jobs.{asked.intent}"].retries
            agent = replace(agent, plan=Only(retries, self.models.index(asked.model)))
        self._open[self._world.market.tasks_posted] = asked
        self._world.market.post(agent, self._task(asked))

    def _task(self, asked: Asked) -> Task:
        group = self._groups[f"jobs.{asked.intent}"]
        position = self._intents.index(asked.intent)
        spells, places = [Spell(0, group, self._validators)], {asked.intent: position}
        drawn = next(tasks(self._seed, "jobs", asked.number, spells, places))
        return drawn._replace(
            posted_us=self._now_us,
            deadline_us=self._now_us + drawn.deadline_us - drawn.posted_us,
            input_tokens=asked.input_tokens or drawn.input_tokens,
            limit_micros=asked.limit_micros,
        )

    def until(self, time_us: int) -> list[Answered | Refused]:
        """What has come out by a time that never falls, in order."""
        if time_us > self._now_us:
            self._world.clock.run(until=time_us)
            self._now_us = time_us
        if not self._waits:
            self._collect()
        results, self._results = self._results, []
        return results

    def _collect(self) -> None:
        """Takes what has ended from the market's rows, all of them scored."""
        market = self._world.market
        calls, ended = Calls.from_rows(market.calls), Tasks.from_rows(market.tasks)
        for row in np.flatnonzero(calls.status == Status.SETTLED):
            self._delivered[int(calls.task_id[row])] = calls.take(np.array([row]))
        market.calls.clear()
        market.tasks.clear()
        self._results += [
            self._result(int(task), int(outcome), int(reason), int(calls))
            for task, outcome, reason, calls in zip(
                ended.task_id, ended.outcome, ended.reason, ended.calls, strict=True
            )
        ]

    def _result(self, task: int, outcome: int, reason: int, calls: int) -> Answered | Refused:
        asked, call = self._open.pop(task), self._delivered.pop(task, None)
        if call is None:
            return Refused(asked.number, Reason(reason).name.lower().replace("_", " "))
        return Answered(
            number=asked.number,
            model=self.models[call.model[0]],
            right=outcome == Outcome.SUCCEEDED,
            score_ppm=int(call.score_ppm[0]),
            input_tokens=int(call.input_tokens[0]),
            output_tokens=int(call.output_tokens[0]),
            service_us=int(call.finished_us[0] - call.started_us[0]),
            calls=calls,
        )


def _beside_agents(events: Iterable[AnyEvent]) -> Iterator[AnyEvent]:
    """Events but for what they change about the scenario's own agents, who are left out."""
    for event in events:
        if isinstance(event, Set):
            others = {path: text for path, text in event.set.items() if not OF_GROUPS.match(path)}
            if others:
                yield event.model_copy(update={"set": others})
        elif not isinstance(event, OfGroups):
            yield event


def _group(scenario: Scenario, intent: str) -> Group:
    """Whoever asks from outside for an intent: as the scenario's first group that asks for it."""
    groups = list(scenario.groups.values())
    like = next((group for group in groups if intent in group.intents), groups[0])
    return Group(
        count=1,
        arrival=like.arrival,
        intents={intent: like.intents.get(intent, PLAIN)},
        budget_usd=PURSE_USD,
        value_usd=like.value_usd,
        max_price_usd=like.max_price_usd,
        deadline_s=like.deadline_s,
        retries=like.retries,
        requires=like.requires,
    )
