"""Scenarios for cases: models whose answer takes so many seconds, and agents who ask so often."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias

from sim.facts import LawError
from sim.laws import Evidence, check
from sim.metrics import Figures, figures
from sim.record.frames import Frames
from sim.recording import frames_of
from sim.scenario import Scenario, from_mapping
from sim.world import World

Part: TypeAlias = dict[str, object]
INTENT = "CHAT_COMPLETION"
PER_HOUR = 3600
PATIENCE_S = 1e9
UNLIMITED = 1_000_000
DEMAND: Part = {
    "input_tokens": {"median": 1},
    "output_tokens": {"median": 1},
    "difficulty": {"sigma": 0},
}
"""Tasks of one size, all equally hard."""
ALWAYS = 0.999999
"""A quality by which an answer is wrong once in a million."""


def model(mean_s: float = 1.0, law: str | Part = "exponential", **changes: object) -> Part:
    """A model with one slot and an unlimited queue, always right, for $0.01 a call.

    Its answers take ``mean_s`` on average, with the latency law of that name.
    """
    timed = {"first_token_ms": 1000 * mean_s, "tokens_per_s": 1e9, "sigma": 0}
    named = {"kind": law} if isinstance(law, str) else law
    base: Part = {
        "price": {"kind": "per_call", "usd_per_call": "0.01"},
        "quality": {INTENT: ALWAYS},
        "capacity": {"slots": 1, "queue": UNLIMITED},
        "latency": {**timed, "law": named},
    }
    return base | changes


def priced(usd: float) -> Part:
    """A price, or a cost, of so many dollars for each call, to the nearest micro."""
    return {"kind": "per_call", "usd_per_call": f"{usd:.6f}"}


def agents(per_s: float, count: int = 1, **changes: object) -> Part:
    """Agents who together post ``per_s`` tasks a second, Poisson, all alike and equally hard."""
    base: Part = {
        "count": count,
        "arrival": {"kind": "poisson", "per_hour": PER_HOUR * per_s / count},
        "intents": {INTENT: DEMAND},
        "budget_usd": 10_000_000,
        "value_usd": 1,
        "max_price_usd": 10_000_000,
        "deadline_s": PATIENCE_S,
    }
    return base | changes


def market(
    models: Mapping[str, Part], groups: Mapping[str, Part], tasks: int, seed: int, **changes: object
) -> Scenario:
    """A scenario of these parts, without a chain; validators make no errors."""
    base: Part = {
        "version": 1,
        "name": "verify",
        "seed": seed,
        "tasks": tasks,
        "models": models,
        "groups": groups,
        "router": {"kind": "random"},
        "validators": {"kind": "median", "noise": 0},
        "chain": {"backend": "none"},
    }
    return from_mapping(base | changes)


@dataclass(frozen=True)
class Ran:
    """A run that has kept every law: its record, and the models' scores at its end, by intent."""

    frames: Frames
    scores: list[list[int]]

    @property
    def figures(self) -> Figures:
        """The figures that a summary would show."""
        return figures(self.frames)


def ran(scenario: Scenario) -> Ran:
    """Runs a scenario without a chain, in memory, and checks every law.

    Raises `LawError` for a broken one, and KeyboardInterrupt if it is interrupted.
    """
    world = World(scenario)
    world.run()
    if world.history.interrupted:
        raise KeyboardInterrupt
    frames = frames_of(world, 0, {})
    for name, law in check(Evidence.gather(frames, None, None, None, world.ledger)).items():
        if not law.ok:
            raise LawError(name, law.found, law.needed)
    return Ran(frames, world.pool.scores)
