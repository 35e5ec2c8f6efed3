"""The mechanisms' speed: an auction per call, against posted price in the same market."""

from functools import partial

import numpy as np

from benchmarks.market import Run, market
from benchmarks.measuring import alternating, median
from benchmarks.reports import CountError, Figure, Pins, Report
from benchmarks.sizes import BENCH_20, Sizes
from sim.facts import Reason
from sim.record import Calls, Columns
from sim.scenario import Scenario, from_mapping, load
from sim.world import World

BIDDERS = 50
THIRD = 1 / 3
BY_BIDS: dict[str, dict[str, object]] = {
    "posted": {"kind": "posted"},
    "second-price": {"kind": "second-price"},
    "first-price": {"kind": "first-price"},
    "second-price by the tick": {"kind": "second-price", "tick_s": 1},
    "double": {"kind": "double", "tick_s": 1},
}
BY_ASKS = ("posted", "reverse-second", "scoring")


def scarce(tasks: int, mechanism: dict[str, object]) -> Scenario:
    """A market for one slot for which over fifty calls wait at any time, once it has filled."""
    exact = {"median": 1000}
    return from_mapping(
        {
            "version": 1, "name": "scarce", "tasks": tasks, "mechanism": mechanism,
            "models": {
                "m": {
                    "price": {"kind": "per_call", "usd_per_call": "0.01"},
                    "quality": {"CHAT_COMPLETION": 0.9},
                    "capacity": {"slots": 1, "queue": 10_000},
                    "latency": {"first_token_ms": 1000, "tokens_per_s": 1e9, "sigma": 0},
                }
            },
            "groups": {
                "bidders": {
                    "count": 4 * BIDDERS, "arrival": {"kind": "poisson", "per_hour": 36},
                    "intents": {"CHAT_COMPLETION": {"input_tokens": exact, "output_tokens": exact}},
                    "budget_usd": 1_000_000, "value_usd": 1, "values": {"kind": "uniform"},
                    "max_price_usd": 1, "deadline_s": 1.5 * BIDDERS,
                }
            },
            "chain": {"backend": "none"},
        }
    )  # fmt: skip


def bids_waiting(calls: Calls) -> float:
    """The mean number of calls that wait as one begins to be served, itself among them."""
    served = calls.reason != Reason.LOST_BID
    left = np.sort(np.where(served, calls.started_us, calls.finished_us))
    starts = np.sort(calls.started_us[served])
    came = np.searchsorted(np.sort(calls.posted_us), starts, side="right")
    return float((came - np.searchsorted(left, starts, side="left")).mean())


def auctions(sizes: Sizes, pins: Pins) -> Report:
    """Calls per second under auctions over those under posted price, in the same market."""
    report, tasks = Report(), sizes.small
    waiting = bids_waiting(Columns(World(scarce(tasks, BY_BIDS["second-price"])).run()).calls)
    report.add(Figure("bids waiting for a slot", waiting, target=BIDDERS))
    if tasks > 10 * BIDDERS * BIDDERS and waiting < BIDDERS:
        raise CountError(f"bids waiting: found {waiting:.1f}, needed {BIDDERS}")
    works = [partial(market, scarce(tasks, rule)) for rule in BY_BIDS.values()]
    _compare(report, dict(zip(BY_BIDS, alternating(sizes.rounds, *works), strict=True)))
    changes: list[dict[str, object]] = [
        sizes.changes(tasks) | {"mechanism.kind": kind} for kind in BY_ASKS
    ]
    works = [partial(market, load(BENCH_20, change)) for change in changes]
    asked = alternating(sizes.rounds, *works)
    pins.check(report, tasks, asked[0][0].calls)
    _compare(report, dict(zip(BY_ASKS, asked, strict=True)))
    return report


def _compare(report: Report, runs: dict[str, list[Run]]) -> None:
    speeds = {name: median([run.calls_per_s for run in each]) for name, each in runs.items()}
    for name, each in runs.items():
        report.exactly(f"digest_of_{name}", each[-1].digest, each[0].digest)
        if name != "posted":
            ratio = speeds[name] / speeds["posted"]
            report.add(Figure(f"{name} over posted", ratio, "times", target=THIRD))
