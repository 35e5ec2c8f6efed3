"""Candidates: every model as it stood when a call was made, and what it was worth to the agent."""

from dataclasses import dataclass

import numpy as np

from sim.explaining.watch import Watch
from sim.facts import Task
from sim.mechanisms import Posted
from sim.metrics.asked import ForSlots, at_ask, at_award
from sim.models import Endpoint, Pool
from sim.scenario import Scenario
from sim.units import PPM


@dataclass(frozen=True)
class Candidate:
    """One model as it stood when the call was made.

    Args:
        refused: why it was not on offer; empty if it was.
        load: calls served or waiting over slots. score: the validators', for the task's intent.
        quote_usd: the most it costs by its list price. ask_usd: what it asked in this mechanism.
        expected_cost_usd: of a right answer, by the list price.
        expected_surplus_usd: chance (value - charge if right) - (1 - chance) charge if wrong, at
            the task's true difficulty, which no router knows: by the list price; in an auction by
            what it asked, and of the winner of one among models by what it was awarded.
    """

    model: str
    refused: str
    load: float
    score: float | None = None
    quote_usd: float | None = None
    expected_cost_usd: float | None = None
    expected_surplus_usd: float | None = None
    ask_usd: float | None = None


def candidate(
    scenario: Scenario, seen: Watch, endpoint: Endpoint, row: dict[str, object], purse: int
) -> Candidate:
    """A model when the call of a ``row`` was made, its agent's purse holding so many micros."""
    task, group = seen.task, str(row["group"])
    occupied, _, _, _, slots = seen.shown[endpoint.index]
    load = occupied / slots
    if task.intent not in endpoint.abilities:
        return Candidate(endpoint.id, f"does not serve {scenario.intents[task.intent]}", load)
    pool = seen.world.pool
    quote = pool.signal_micros(task, endpoint.quote_micros(task))
    least = pool.signal_micros(task, endpoint.least_micros(task))
    refused = ""
    if not scenario.models[endpoint.id].listed:
        refused = "not on offer: not released yet, or no longer"
    elif not scenario.groups[group].requires.met_by(scenario.models[endpoint.id]):
        refused = f"does not meet what {group} requires"
    elif endpoint.index not in seen.offered:
        refused = _closed(seen, endpoint, least, purse, task.limit_micros)
    cost = seen.world.pool.expected_costs(task, [endpoint.index])[0]
    return Candidate(
        endpoint.id, refused, load, seen.scores[endpoint.index] / PPM, quote / PPM,
        cost / PPM / PPM, _surplus(scenario, seen, endpoint, row) / PPM,
        seen.asked[endpoint.index] / PPM if endpoint.index in seen.offered else None,
    )  # fmt: skip


def _closed(seen: Watch, endpoint: Endpoint, least: int, purse: int, limit: int) -> str:
    occupied, room, up, limited, _ = seen.shown[endpoint.index]
    if not up:
        return "down"
    if limited and occupied < room:
        return "at its limit of calls a minute"
    if (seen.task.intent, endpoint.index) in seen.world.pool.barred:
        return "not on the table: revoked, or not registered yet"
    if occupied >= room:
        return f"full: {occupied} of {room} served or waiting"
    if not endpoint.holds_context(seen.task):
        return f"context of {endpoint.context_tokens} tokens too short"
    word = "ask" if endpoint.asks_by_cost else "quote"
    if least > limit:
        return f"{word} above the maximum price, ${limit / PPM:g}"
    if least > purse:
        return f"{word} above what is left of the budget, ${purse / PPM:g}"
    return "passed over by the agent: its ladder, session or experience says another"


def _surplus(scenario: Scenario, seen: Watch, endpoint: Endpoint, row: dict[str, object]) -> float:
    """In micros."""
    task, rule, rail = seen.task, scenario.mechanism, scenario.rail
    pays_any = rail.settle_on == "delivered"
    chance = endpoint.chance_ppm(task.intent, task.difficulty) / PPM
    if isinstance(rule, Posted):
        right, wrong = _list_charges(task, endpoint, seen.world.pool)
        return chance * (task.value_micros - right) - (1 - chance) * (wrong if pays_any else 0)
    chances, value = np.array([chance]), np.array([task.value_micros])
    if endpoint.id == row["model"] and not isinstance(rule, ForSlots):
        price, cap = (np.array([row[f"{name}_micros"]], np.int64) for name in ("quote", "bid"))
        award = at_award(rule, chances, value, price, cap, pays_any=pays_any, fee_bps=rail.fee_bps)
        return float(award[0])
    asked = np.array([seen.asked[endpoint.index]])
    return float(at_ask(rule, chances, value, asked, pays_any=pays_any)[0])


def _list_charges(task: Task, endpoint: Endpoint, pool: Pool) -> list[int]:
    """What a right answer and a wrong one cost: by the tariff, and what the pool makes of that."""
    cached = task.input_tokens * endpoint.hit_ppm // PPM
    fresh = task.input_tokens - cached
    lengths = (
        -(-task.output_tokens * factor // PPM)
        for factor in (endpoint.right_tokens_ppm, endpoint.wrong_tokens_ppm)
    )
    charges = (endpoint.tariff.charge_ceil(fresh, cached, length) for length in lengths)
    return [pool.signal_micros(task, charge) for charge in charges]
