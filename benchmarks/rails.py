"""Every rail's speed over Anvil's for the same signed bytes, its gas, and published figures."""

import tempfile
from functools import partial
from pathlib import Path
from time import perf_counter

import numpy as np

from benchmarks.measuring import alternating, median
from benchmarks.reports import Figure, Pins, Report
from benchmarks.settling import Settled, encoded
from benchmarks.sizes import Sizes
from sim.chain import Agent, ChainSetup, Settlement, Settler
from sim.facts import Batch
from sim.rails import RAILS, BatchRail, rail_like
from sim.rails.gas import gas
from sim.units import shares_floor

AGENTS, MODELS, FEE_BPS, MOST_MICROS = 20, 20, 200, 3_000
# What the rails were expected to cost, in gas: per call, and of a batch with 1,000 calls per agent
# or model, too.
EXPECTED = {"transfer": 42_000, "x402-exact": 71_000, "escrow-job": 205_000, "prepaid": 77_000}
BATCH_CALL, BATCH_ACCOUNT = 4_800, 9_000
PACKED_TIMES, PACKED_CALLS = 10, 1_000  # full batches, and so many that starting up is no matter
PUBLISHED = (
    ("x402 batch-settlement, claim of one", 40_252),
    ("x402 batch-settlement, claim of ten channels", 192_043),
    ("x402 batch-settlement, deposit", 111_738),
    ("base/commerce-payments, authorize", 155_657),
    ("base/commerce-payments, capture", 69_915),
    ("base/commerce-payments, charge", 165_167),
    ("base/commerce-payments, refund", 80_064),
    ("Raiden, open", 111_094),
    ("Raiden, close", 118_501),
    ("Raiden, settle", 108_569),
)


def calls(count: int, agents: int, size: int) -> list[Batch]:
    """Batches of made-up calls, one a minute."""
    random = np.random.default_rng(1)
    made = []
    for number, first in enumerate(range(0, count, size)):
        n = min(size, count - first)
        quote = random.integers(1, MOST_MICROS, n)
        made.append(
            Batch(
                number=number, closed_us=number * 60_000_000, first=first,
                call_id=np.arange(first, first + n), agent=np.arange(first, first + n) % agents,
                model=random.integers(0, MODELS, n), quote_micros=quote, charge_micros=quote,
                fee_micros=shares_floor(quote, FEE_BPS), score_ppm=random.integers(0, 10**6, n),
                intent=random.integers(0, 10, n), finished_us=np.full(n, number * 60_000_000),
                answer_hash=random.integers(0, 256, (n, 32), dtype=np.uint8),
            )
        )  # fmt: skip
    return made


def settle(
    kind: str, made: list[Batch], agents: int, directory: Path
) -> tuple[Settled, Settlement]:
    """Batches through our settler by one rail, timed from the first batch to the last block."""
    setup = ChainSetup(
        tuple(Agent(f"agent-{at}", 10**9, MOST_MICROS) for at in range(agents)),
        tuple(f"model-{at}" for at in range(MODELS)),
        FEE_BPS,
        directory,
        rail=rail_like(BatchRail(fee_bps=FEE_BPS), kind),
    )
    with Settler(setup) as settler:
        settler.wait_ready()
        started = perf_counter()
        for batch in made:
            settler.send(batch)
        found = settler.finish()
        seconds = perf_counter() - started
    settled = Settled(found.calls, found.transactions, found.gas_total, found.head, seconds)
    return settled, found


def _round(kind: str, made: list[Batch]) -> tuple[Settled, Settled]:
    with tempfile.TemporaryDirectory() as named:
        ours, settlement = settle(kind, made, AGENTS, Path(named))
        return ours, encoded(Path(named), settlement)


def rails(sizes: Sizes, pins: Pins) -> Report:
    """Calls settled per second by every rail over those of Anvil alone; gas beside published."""
    del pins
    report, one_by_one = Report(), calls(sizes.naive, AGENTS, 500)
    packed = calls(PACKED_TIMES * sizes.naive, AGENTS, PACKED_CALLS)
    for kind in RAILS:
        made = packed if kind == "batch" else one_by_one
        count = sum(map(len, made))
        (rounds,) = alternating(sizes.chain_rounds, partial(_round, kind, made))
        for ours, theirs in rounds:
            report.exactly(f"{kind}: calls on the chain", ours.calls, count)
            report.exactly(f"{kind}: head", theirs.head, ours.head)
        rates = [[one.calls_per_s for one in pair] for pair in rounds]
        our_rate, their_rate = (median([pair[at] for pair in rates]) for at in range(2))
        per_call = rounds[0][0].gas / count
        target = 0.5 if RAILS[kind].per_call or kind == "batch" else None
        report.add(
            Figure(f"{kind} over Anvil alone", our_rate / their_rate, "times", target),
            Figure(f"{kind}", our_rate, "calls/s"),
            Figure(f"{kind}, per call", per_call, "gas", EXPECTED.get(kind), at_most=True),
        )
    for agents in (20, 200, 1_000) if sizes.naive >= 1_000 else ():
        report.add(_batch_gas(agents))
    report.add(*_ours(), *(Figure(f"published: {name}", value, "gas") for name, value in PUBLISHED))
    return report


def _batch_gas(agents: int) -> Figure:
    """The gas per call of full batches with events, all checks on, once everybody was there."""
    with tempfile.TemporaryDirectory() as named:
        _, found = settle("batch", calls(3_000, agents, 1_000), agents, Path(named))
    used = sum(row.gas_used for row in found.batches if row.number == 2)
    bound = BATCH_CALL + BATCH_ACCOUNT * (agents + MODELS) / 1_000
    return Figure(f"batch of 1,000 calls by {agents:,} agents", used / 1_000, "gas", bound, True)


def _ours() -> list[Figure]:
    channel, job = gas().channel, gas().escrow_job
    ten = channel.claim_base + 10 * channel.claim_per_voucher
    return [
        Figure("channel, claim of one", channel.claim_base + channel.claim_per_voucher, "gas"),
        Figure("channel, claim of ten", ten, "gas"),
        Figure("channel, each further claim", channel.claim_per_voucher, "gas", 17_400, True),
        Figure("channel, deposit", channel.deposit, "gas"),
        Figure("escrow-job, open", job.open, "gas"),
        Figure("escrow-job, release", job.release, "gas"),
    ]
