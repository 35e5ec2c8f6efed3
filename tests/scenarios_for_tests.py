"""Builders of small scenarios and handmade tasks, and readable rows of what came of them."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from itertools import chain, repeat

import polars as pl

from sim.chance import below, key, mix
from sim.facts import Task
from sim.record.frames import Frames
from sim.recording import frames_of
from sim.scenario import Scenario, from_mapping
from sim.units import PPM, US_PER_S
from sim.world import World

CHAT, CODE = "CHAT_COMPLETION", "CODE_GENERATION"
RIGHT, WRONG = -(10**9), 10**9
"""Difficulties that every model masters, and that none does."""
NEVER_US = 10**17
Mappings = Mapping[str, object]


def model(usd_per_call: object = "0.01", **changes: object) -> dict[str, object]:
    """A model that solves 70 % for a price per call, after exactly one second."""
    base: dict[str, object] = {
        "price": {"kind": "per_call", "usd_per_call": usd_per_call},
        "quality": {CHAT: 0.7},
        "capacity": {"slots": 100, "queue": 100},
        "latency": {"first_token_ms": 1000, "tokens_per_s": 1e9, "sigma": 0},
    }
    return base | changes


def token_model(**changes: object) -> dict[str, object]:
    """A model paid per token: 1, .1 and 2 micros per input, cached and output token."""
    price = {
        "kind": "per_token",
        "input_usd_per_mtok": 1,
        "cached_usd_per_mtok": "0.1",
        "output_usd_per_mtok": 2,
    }
    return model(**{"price": price, "wrong_output_factor": 2, **changes})


def group(per_hour: float = 60, **changes: object) -> dict[str, object]:
    """One agent that asks for chat, 1000 tokens in and 100 out."""
    base: dict[str, object] = {
        "count": 1,
        "arrival": {"kind": "poisson", "per_hour": per_hour},
        "intents": {CHAT: demand()},
        "budget_usd": 1000,
        "value_usd": "0.5",
        "max_price_usd": 1,
        "deadline_s": 60,
    }
    return base | changes


def demand(share: float = 1, sigma: float = 0, **changes: object) -> dict[str, object]:
    """Sizes of 1000 tokens in and 100 out, all alike unless ``sigma`` says otherwise."""
    base: dict[str, object] = {
        "share": share,
        "input_tokens": {"median": 1000, "sigma": sigma},
        "output_tokens": {"median": 100, "sigma": sigma},
    }
    return base | changes


def scenario(
    models: Mappings | None = None, groups: Mappings | None = None, /, **changes: object
) -> Scenario:
    """A scenario of these parts: one model ``m``, one agent ``a/0``, one day, no chain."""
    base: dict[str, object] = {
        "version": 1,
        "name": "test",
        "horizon_h": 24,
        "models": models or {"m": model()},
        "groups": groups or {"a": group()},
        "validators": {"kind": "median", "noise": 0},
        "chain": {"backend": "none"},
    }
    if "tasks" in changes:
        del base["horizon_h"]
    return from_mapping(base | changes)


def lively(tasks: int = 300, seed: int = 1, **changes: object) -> Scenario:
    """A busy scenario in which about everything happens: retries, outages, waiting, refusals."""
    models = {
        "big": token_model(
            quality={CHAT: 0.9, CODE: 0.8},
            capacity={"slots": 2, "queue": 1},
            cache_hit_share=0.3,
            latency={"first_token_ms": 4000, "tokens_per_s": 20, "sigma": 0.5},
        ),
        "mid": model("0.002", capacity={"slots": 1, "queue": 2}, origin="EU"),
        "small": model(
            "0.0005",
            quality={CHAT: 0.5, CODE: 0.4},
            outages={"mean_up_h": 0.05, "mean_down_min": 1},
            capacity={"slots": 2, "queue": 4},
            latency={"first_token_ms": 3000, "tokens_per_s": 50, "sigma": 0.3},
        ),
    }
    groups = {
        "chat": group(300, count=3, retries=2, deadline_s=12, intents={CHAT: demand(1, 0.8)}),
        "code": group(
            120, count=2, retries=1, max_price_usd="0.003", budget_usd="0.08",
            intents={CODE: demand(2, 0.8), CHAT: demand()}, deadline_s=20,
        ),
        "picky": group(60, requires={"origins": ["EU"]}),
    }  # fmt: skip
    noisy: Mappings = {
        "validators": {"kind": "median", "noise": 0.1, "score": {"kind": "window", "verdicts": 20}}
    }
    settling: Mappings = {"rail": {"kind": "batch", "size": 16, "interval_s": 30}}
    return scenario(
        models, groups, **{"tasks": tasks, "seed": seed, **noisy, **settling, **changes}
    )


def varied(tasks: int = 2_000) -> Scenario:
    """Every sort of arrival and every function that computers may round differently."""
    sizes = {CHAT: demand(2, 1.1), CODE: demand(1, 0.7)}
    nightly = {"daily": [0.3] * 8 + [1.7] * 16, "weekly": [1, 1, 1.3, 1, 1, 0.4, 0.4]}
    noisy = {"first_token_ms": 700, "tokens_per_s": 33.3, "sigma": 0.7}
    models = {
        f"m{n}": token_model(
            quality={CHAT: 0.5 + n / 9, CODE: 0.4}, latency=noisy, verbosity=1 + n / 7
        )
        for n in range(4)
    }
    arrivals: dict[str, Mappings] = {
        "gamma": {"kind": "gamma", "per_hour": 70, "cv": 3.5, "pattern": nightly},
        "bursts": {"kind": "bursts", "per_hour": 50, "on_s": 90, "off_s": 700},
        "poisson": {"kind": "poisson", "per_hour": 60, "pattern": nightly},
    }
    groups = {
        name: group(count=3, arrival=law, intents=sizes, retries=2)
        for name, law in arrivals.items()
    }
    return scenario(models, groups, tasks=tasks, validators={"kind": "median", "noise": 0.2})


def task(posted_s: float = 0, deadline_s: float = 1e6, **changes: int) -> Task:
    """A task of 1000 tokens in and 100 out that every model gets right."""
    posted_us = round(posted_s * US_PER_S)
    plain = Task(
        posted_us, posted_us + round(deadline_s * US_PER_S), INTENT, 1000, 100, RIGHT, 1, 0, 0,
        500_000, 1_000_000,
    )  # fmt: skip
    return plain._replace(**changes)


INTENT = scenario().intents.index(CHAT)


def draw_for(model_id: str, *below_half: bool) -> int:
    """A draw by which ``model_id``'s luck at attempts 0, 1, ... is below one half, or not."""
    salt = key(f"model/{model_id}")
    return next(
        draw
        for draw in range(10_000)
        if all(
            (below(mix(draw, salt, attempt), PPM) < PPM // 2) == wanted
            for attempt, wanted in enumerate(below_half)
        )
    )


def play(what: Scenario, *tasks: Iterable[Task], stop_s: float | None = None) -> World:
    """The world after its agents, in their order, have posted just these tasks."""
    world = World(what)
    world.agents = [
        replace(agent, tasks=_and_no_more(mine))
        for agent, mine in zip(world.agents, tasks, strict=True)
    ]
    if stop_s is not None:
        world.clock.after(round(stop_s * US_PER_S), lambda _: world.stop(), None)
    world.run()
    return world


def _and_no_more(tasks: Iterable[Task]) -> Iterator[Task]:
    return chain(tasks, repeat(task()._replace(posted_us=NEVER_US)))


def record(world: World) -> Frames:
    """The record of a world without a chain."""
    return frames_of(world, 0, {})


def ran(what: Scenario) -> Frames:
    """The record of a scenario's run."""
    world = World(what)
    world.run()
    return record(world)


def seconds(us: int) -> str:
    """Microseconds as seconds, as short as they can be written."""
    return f"{us / US_PER_S:.7g}"


def life(frames: Frames) -> list[str]:
    """Each call as ``task.attempt model posted started finished status reason``."""
    return [
        f"{row['task_id']}.{row['attempt']} {row['model']} {seconds(row['posted_us'])}"
        f" {seconds(row['started_us'])} {seconds(row['finished_us'])}"
        f" {row['status']} {row['reason']}"
        for row in frames.calls.iter_rows(named=True)
    ]


def fates(frames: Frames) -> list[str]:
    """Each task as ``id calls outcome reason ended``."""
    return [
        f"{row['task_id']} {row['calls']} {row['outcome']} {row['reason']}"
        f" {seconds(row['ended_us'])}"
        for row in frames.tasks.iter_rows(named=True)
    ]


def entries(frames: Frames) -> list[str]:
    """Each transfer of USDC that a call is behind as ``time kind source target micros``."""
    moved = frames.transfers.filter(pl.col("call_id").is_not_null())
    return [
        f"{seconds(row['time_us'])} {row['kind']} {row['source']} {row['target']} {row['amount']}"
        for row in moved.iter_rows(named=True)
    ]
