"""Scenarios of one auction a second among so many bidders, and what their records say."""

import polars as pl

from sim.record.frames import Frames
from sim.scenario import Scenario
from tests.scenarios_for_tests import CHAT, Mappings, demand, group, model, scenario

EASY = {"mean": -20, "sigma": 0}
SURE = {CHAT: 0.999999}
SECOND = {"kind": "regular", "per_hour": 3600, "phase": 0.5}
ON_SUCCESS = {"kind": "batch", "settle_on": "success"}


def bidders(count: int, **changes: object) -> dict[str, object]:
    """Agents that each post one task a second, half a second before the tick, for 0.9 s.

    A right answer is worth a uniform draw between 0 and 1 dollar.
    """
    base: dict[str, object] = {
        "count": count, "arrival": SECOND, "intents": {CHAT: demand(difficulty=EASY)},
        "budget_usd": 1_000_000, "value_usd": 1, "values": {"kind": "uniform"},
        "max_price_usd": 1, "deadline_s": 0.9,
    }  # fmt: skip
    return group() | base | changes


def seller(usd: object = 0, slots: int = 1, **changes: object) -> dict[str, object]:
    """A model that is always right, after a tenth of a second, and asks so much at least."""
    quick = {"first_token_ms": 100, "tokens_per_s": 1e9, "sigma": 0}
    room = {"slots": slots, "queue": 1000}
    return model(usd, **({"quality": SURE, "latency": quick, "capacity": room} | changes))


def auction(
    mechanism: Mappings, count: int, rounds: int, seed: int, *, reserve_usd: object = 0,
    slots: int = 1, bidding: Mappings | None = None,
) -> Scenario:  # fmt: skip
    """So many auctions, one a second, each among so many bidders for so many slots."""
    return scenario(
        {"m": seller(reserve_usd, slots)},
        {"a": bidders(count, bidding=bidding or {"kind": "truthful"})},
        mechanism={"tick_s": 1, **mechanism}, seed=seed, tasks=count * rounds, rail=ON_SUCCESS,
    )  # fmt: skip


def revenue_usd(frames: Frames, rounds: int) -> float:
    """Dollars charged per round."""
    return int(frames.calls["charge_micros"].sum()) / rounds / 10**6


def value_usd(frames: Frames, rounds: int) -> float:
    """Dollars of value served per round."""
    won = frames.tasks.filter(pl.col("outcome") == "succeeded")
    return int(won["value_micros"].sum()) / rounds / 10**6
