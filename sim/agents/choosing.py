"""Choosing: which of the models on offer an agent lets its attempt go to."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from sim.agents.memory import Memory, Session
from sim.chance import below, key, mix
from sim.facts import Task
from sim.routers import MarketPool
from sim.scenario.conduct import Ladder, Learning, RisingFloor
from sim.units import PPM, micros_from_usd_exact, ppm_nearest

EXPLORE, ANY = key("agent/explore"), key("agent/any")


@dataclass(frozen=True, slots=True)
class Situation:
    """An attempt about to be made: its task, whose it is, and how to note a change of model."""

    task: Task
    attempt: int
    memory: Memory
    session: Session
    pool: MarketPool
    changed: Callable[[int], None]


class Choice(Protocol):
    """A rule that narrows what is on offer."""

    def __call__(self, models: Sequence[int], now: Situation) -> Sequence[int]:
        """Some of the models, at least one, in their order."""
        ...


class Climb:
    """The next model of a ladder for each further attempt; what is not on offer is passed over."""

    def __init__(self, ladder: Ladder, positions: Mapping[str, int]) -> None:
        self.rungs = [positions[name] for name in ladder.models]

    def __call__(self, models: Sequence[int], now: Situation) -> Sequence[int]:
        """The first on offer from this attempt's rung up, else down; all if none is on it."""
        at = min(now.attempt, len(self.rungs) - 1)
        for rung in (*self.rungs[at:], *reversed(self.rungs[:at])):
            if rung in models:
                return [rung]
        return models


class RaiseFloor:
    """Models of a score that rises with the attempts; the best scored where none reaches it."""

    def __init__(self, rule: RisingFloor) -> None:
        self.start_ppm, self.rise_ppm = ppm_nearest(rule.start), ppm_nearest(rule.rise)

    def __call__(self, models: Sequence[int], now: Situation) -> Sequence[int]:
        """Those above the floor."""
        scores = now.pool.scores[now.task.intent]
        best = max(scores[model] for model in models)
        floor = min(best, self.start_ppm + self.rise_ppm * now.attempt)
        return [model for model in models if scores[model] >= floor]


def stay(models: Sequence[int], now: Situation) -> Sequence[int]:
    """The model that the session's last call went to, at the first attempt, if it is on offer."""
    last = now.session.last
    return [last] if now.attempt == 0 and last in models else models


class Learn:
    """The model of most surplus as the agent has seen it; it is not left for a small gain."""

    def __init__(self, rule: Learning) -> None:
        self.prior, self.explore_ppm = rule.prior_answers, ppm_nearest(rule.explore)
        self.inertia = micros_from_usd_exact(rule.switching_cost_usd) * PPM

    def __call__(self, models: Sequence[int], now: Situation) -> Sequence[int]:
        """The one model, or any at the attempts that explore."""
        task, beliefs = now.task, now.memory.beliefs
        if below(mix(task.draw, EXPLORE, now.attempt), PPM) < self.explore_ppm:
            return [models[below(mix(task.draw, ANY, now.attempt), len(models))]]
        intent, scores = task.intent, now.pool.scores[task.intent]
        costs = now.pool.expected_costs(task, models)
        surplus = {
            model: task.value_micros * beliefs.of(intent, model, scores[model], self.prior) - cost
            for model, cost in zip(models, costs, strict=True)
        }
        best = max(models, key=surplus.__getitem__)
        current = beliefs.current.get(intent)
        if current in surplus and surplus[best] - surplus[current] <= self.inertia:
            return [current]
        if current is not None:
            if current not in surplus:
                return [best]  # for as long as the usual one cannot be had
            now.changed(best)
        beliefs.current[intent] = best
        return [best]
