"""The explanation of one call of a saved run."""

from dataclasses import asdict, dataclass
from pathlib import Path

import polars as pl

from sim.explaining.candidates import Candidate, candidate
from sim.explaining.watch import Watch
from sim.facts import Fault, LawError, ScenarioError
from sim.mechanisms import Double
from sim.record.archive import load
from sim.scenario import Scenario
from sim.scenario.phases import phases
from sim.units import PPM


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
    ``stands_in_for`` is the call that an outage took, where this one took it over.
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
    stands_in_for: int | None
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
    seen = Watch(frames.scenario, call)
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


def _of_task(calls: pl.DataFrame, task_id: object) -> tuple[Answer, ...]:
    columns = ("call_id", "step", "clone", "attempt", "model", "posted_us", "status", "reason")
    mine = calls.filter(pl.col("task_id") == task_id).select(columns)
    return tuple(
        Answer(call, step, clone, attempt, model, posted_us / PPM, status, reason)
        for call, step, clone, attempt, model, posted_us, status, reason in mine.iter_rows()
    )


def _taken_over(of_task: tuple[Answer, ...], call: int) -> int | None:
    """The call before at the same attempt: there is one only where an outage took that."""
    at = next(each for each in of_task if each.call == call)
    lost = (
        each.call
        for each in of_task
        if each.call < call
        and each.reason == "outage"
        and (each.step, each.clone, each.attempt) == (at.step, at.clone, at.attempt)
    )
    return max(lost, default=None)


def _explanation(
    scenario: Scenario, row: dict[str, object], seen: Watch, of_task: tuple[Answer, ...]
) -> Explanation:  # fmt: skip
    agent = next(each for each in seen.world.agents if each.name == row["agent"])
    purse = seen.free[agent.index]
    everyone = tuple(
        candidate(scenario, seen, endpoint, row, purse) for endpoint in seen.world.pool.endpoints
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
        stands_in_for=_taken_over(of_task, seen.call),
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
