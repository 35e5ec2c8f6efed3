"""Why a call went where it went: the run once more up to that call, and what its router was shown.

The seed gives the same record again, so that the pool, scores, loads and purses of that moment are
exactly those of the run; the pick is held against the record.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import polars as pl

from sim.agents import Agent
from sim.clearing import Offer
from sim.facts import Fault, LawError, Reason, ScenarioError, Task
from sim.mechanisms import Ask, Double
from sim.models import Call, Endpoint
from sim.record.archive import load
from sim.scenario import Scenario
from sim.scenario.phases import phases
from sim.units import PPM, times_tenths_ceil
from sim.world import World


@dataclass(frozen=True)
class Candidate:
    """One model as it stood when the call was made.

    Args:
        refused: why it was not on offer; empty if it was.
        load: calls served or waiting over slots. score: the validators', for the task's intent.
        quote_usd: the most it costs by its list price. ask_usd: what it asked in this mechanism.
        expected_cost_usd: of a right answer, by the list price.
        expected_surplus_usd: chance (value - charge if right) - (1 - chance) charge if wrong, by
            the list price, at the task's true difficulty, which no router knows.
    """

    model: str
    refused: str
    load: float
    score: float | None = None
    quote_usd: float | None = None
    expected_cost_usd: float | None = None
    expected_surplus_usd: float | None = None
    ask_usd: float | None = None


@dataclass(frozen=True)
class Answer:
    """One call of a task: which part it is of its workflow, and how it ended."""

    call: int
    step: str
    clone: int
    attempt: int
    model: str
    posted_s: float
    status: str
    reason: str


@dataclass(frozen=True)
class Explanation:
    """A call, the models it could have gone to, and what the choice was worth.

    ``best_alternative`` is the model on offer, other than the pick, with the most expected surplus;
    ``regret_usd`` what the best on offer is expected to bring beyond the pick, never below 0.
    ``bid_usd`` is the most that the agent offered, ``held_usd`` what was held for the call;
    ``waiting_bids_usd`` are those of the calls that waited at the pick, in the order of service.
    ``of_task`` are all calls of its task; ``step`` is ``task`` where these are no workflow.
    """

    call: int
    task: int
    step: str
    clone: int
    attempt: int
    agent: str
    intent: str
    posted_s: float
    budget_left_usd: float
    max_price_usd: float
    mechanism: dict[str, object]
    router: dict[str, object]
    candidates: tuple[Candidate, ...]
    pick: str
    status: str
    reason: str
    bid_usd: float
    held_usd: float
    waiting_bids_usd: tuple[float, ...]
    charge_usd: float
    best_alternative: str | None
    regret_usd: float
    of_task: tuple[Answer, ...]

    def document(self) -> dict[str, object]:
        """Ready for JSON."""
        return asdict(self)


def explain(directory: Path, call: int) -> Explanation:
    """Explains one call of a saved run.

    Raises:
        ScenarioError: no record there, or no such call. LawError: the run gives another call now.
    """
    frames = load(directory).frames
    found = frames.calls.filter(pl.col("call_id") == call).to_dicts()
    if not found:
        last = frames.calls.height - 1
        allowed = f"a call from 0 to {last}" if last >= 0 else "a run with calls"
        raise ScenarioError((Fault("--call", str(call), allowed),))
    seen = _Watch(frames.scenario, call)
    row = found[0]
    picked = tuple(frames.scenario.models)[seen.picked]
    if isinstance(frames.scenario.mechanism, Double):
        picked = row["model"]  # a call market may serve it elsewhere than it waited
    again = (picked, seen.task.input_tokens, seen.attempt, seen.time_us)
    recorded = tuple(row[name] for name in ("model", "input_tokens", "attempt", "posted_us"))
    if again != recorded:
        raise LawError("same_seed_same_record", f"call {call} as {again}", f"{recorded}")
    return _explanation(
        phases(frames.scenario).at(seen.time_us), row, seen, _of_task(frames.calls, row["task_id"])
    )


class _Watch:
    """A world that is run until a call is about to be made, with what its mechanism was shown.

    It stands before the mechanism, and hands everything on to it.
    """

    def __init__(self, scenario: Scenario, call: int) -> None:
        self.call = call
        self.task: Task
        self.picked, self.attempt, self.time_us = -1, -1, -1
        self.world = World(scenario)
        self.clearing = self.world.market.clearing
        self.unserved = self.clearing.unserved
        self.world.market.clearing = self
        self.shown: dict[int, tuple[int, int, bool, bool, int]] = {}
        self.asked: dict[int, int] = {}
        self.bids: tuple[int, ...] = ()
        self.free: list[int] = []
        self.scores: list[int] = []
        self.world.run()
        if self.picked < 0:
            made = f"{self.world.market.calls_made} calls"
            raise LawError("same_seed_same_record", made, f"call {call}")

    def offer(
        self, agent: Agent, task: Task, attempt: int, models: Sequence[int]
    ) -> Offer | Reason:
        """The mechanism's own offer; at the call that is watched, everything is written down."""
        found = self.clearing.offer(agent, task, attempt, models)
        world, pool = self.world, self.world.pool
        if world.market.calls_made == self.call and not isinstance(found, Reason):
            self.task, self.attempt, self.time_us = task, attempt, world.clock.now
            self.picked = found[0].index
            self.asked = {ask.model: ask.ask_micros for ask in self.asks(task, models)}
            self.bids = tuple(waiting.bid_micros for waiting in found[0].queue)
            self.free, self.scores = list(world.ledger.free), list(pool.scores[task.intent])
            self.shown = {
                e.index: (e.occupied, e.room, e.up, e.limited, e.slots) for e in pool.endpoints
            }
            world.stop()
        return found

    def asks(self, task: Task, models: Sequence[int]) -> list[Ask]:
        """What each model asks."""
        return self.clearing.asks(task, models)

    def enter(self, call: Call) -> bool:
        """A call was made."""
        return self.clearing.enter(call)

    def slot_freed(self, model: Endpoint) -> None:
        """A slot is free."""
        self.clearing.slot_freed(model)

    def ended(self, call: Call, charge_micros: int, success: bool) -> None:
        """A call has ended."""
        self.clearing.ended(call, charge_micros, success)

    def adopt(self, scenario: Scenario) -> None:
        """A phase begins."""
        self.clearing.adopt(scenario)


def _of_task(calls: pl.DataFrame, task_id: object) -> tuple[Answer, ...]:
    columns = ("call_id", "step", "clone", "attempt", "model", "posted_us", "status", "reason")
    mine = calls.filter(pl.col("task_id") == task_id).select(columns)
    return tuple(
        Answer(call, step, clone, attempt, model, posted_us / PPM, status, reason)
        for call, step, clone, attempt, model, posted_us, status, reason in mine.iter_rows()
    )


def _explanation(
    scenario: Scenario, row: dict[str, object], seen: _Watch, of_task: tuple[Answer, ...]
) -> Explanation:  # fmt: skip
    agent = next(each for each in seen.world.agents if each.name == row["agent"])
    purse = seen.free[agent.index]
    everyone = tuple(
        _candidate(scenario, seen, endpoint, str(row["group"]), purse)
        for endpoint in seen.world.pool.endpoints
    )
    pick = str(row["model"])
    worth = {
        each.model: each.expected_surplus_usd or 0.0
        for each in everyone
        if not each.refused or each.model == pick
    }
    others = [model for model in worth if model != pick]
    best = max(others, key=worth.__getitem__, default=None)
    return Explanation(
        call=seen.call, task=int(str(row["task_id"])), step=str(row["step"]),
        clone=seen.task.clone, attempt=seen.attempt, agent=agent.name, of_task=of_task,
        intent=scenario.intents[seen.task.intent], posted_s=seen.time_us / PPM,
        budget_left_usd=purse / PPM, max_price_usd=seen.task.limit_micros / PPM,
        mechanism=scenario.mechanism.model_dump(mode="json"),
        router=scenario.router.model_dump(mode="json"), candidates=everyone, pick=pick,
        status=str(row["status"]), reason=str(row["reason"]),
        bid_usd=int(str(row["bid_micros"])) / PPM, held_usd=int(str(row["quote_micros"])) / PPM,
        waiting_bids_usd=tuple(micros / PPM for micros in seen.bids),
        charge_usd=int(str(row["charge_micros"])) / PPM, best_alternative=best,
        regret_usd=max(0.0, max(worth.values()) - worth[pick]),
    )  # fmt: skip


def _candidate(
    scenario: Scenario, seen: _Watch, endpoint: Endpoint, group: str, purse: int
) -> Candidate:
    task, rules = seen.task, scenario.groups[group]
    occupied, _, _, _, slots = seen.shown[endpoint.index]
    load = occupied / slots
    if task.intent not in endpoint.abilities:
        return Candidate(endpoint.id, f"does not serve {scenario.intents[task.intent]}", load)
    tenths = seen.world.pool.tenths[task.intent]
    quote = times_tenths_ceil(endpoint.quote_micros(task), tenths)
    least = times_tenths_ceil(endpoint.least_micros(task), tenths)
    refused = ""
    if not scenario.models[endpoint.id].listed:
        refused = "not on offer: not released yet, or no longer"
    elif not rules.requires.met_by(scenario.models[endpoint.id]):
        refused = f"does not meet what {group} requires"
    elif endpoint.index not in seen.asked:
        refused = _closed(seen, endpoint, least, purse, task.limit_micros)
    cost = seen.world.pool.expected_costs(task, [endpoint.index])[0]
    return Candidate(
        endpoint.id, refused, load, seen.scores[endpoint.index] / PPM, quote / PPM,
        cost / PPM / PPM, _surplus(task, endpoint, scenario.rail.settle_on == "delivered", tenths),
        seen.asked[endpoint.index] / PPM if endpoint.index in seen.asked else None,
    )  # fmt: skip


def _closed(seen: _Watch, endpoint: Endpoint, least: int, purse: int, limit: int) -> str:
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


def _surplus(task: Task, endpoint: Endpoint, pays_wrong: bool, tenths: int) -> float:
    """In dollars; ``tenths`` is the demand multiplier."""
    chance = endpoint.chance_ppm(task.intent, task.difficulty) / PPM
    cached = task.input_tokens * endpoint.hit_ppm // PPM
    right, wrong = (
        times_tenths_ceil(
            endpoint.tariff.charge_ceil(
                task.input_tokens - cached, cached, -(-task.output_tokens * factor // PPM)
            ),
            tenths,
        )
        for factor in (endpoint.right_tokens_ppm, endpoint.wrong_tokens_ppm)
    )
    paid = wrong if pays_wrong else 0
    return (chance * (task.value_micros - right) - (1 - chance) * paid) / PPM
