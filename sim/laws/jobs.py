"""What the laws ask of on-chain jobs: each is a call, at one price, ended once and paid once."""

import numpy as np
import numpy.typing as npt
import polars as pl

from sim.facts import JobState, Status
from sim.laws.evidence import Evidence
from sim.protocols import Pricing
from sim.record import Calls, Jobs
from sim.record.asides import jobs_from_frame
from sim.record.frames import codes
from sim.scenario.phases import phases
from sim.units import micros_from_usd_exact

NOTHING = -1
SHARED = ("task_id", "agent", "model", "intent")
Flags = npt.NDArray[np.bool_]


def jobs_wrong(evidence: Evidence) -> int:
    """How many jobs are not what the rules and their calls make them, or were not paid so.

    And how many calls were charged and settled by the rail though they are jobs, or by neither.
    """
    frames = evidence.frames
    jobs, calls = jobs_from_frame(frames.jobs), evidence.calls
    mine = np.isin(calls.call_id, jobs.call_id)
    railed = frames.calls["settled_id"].is_not_null().to_numpy()
    strays = int(((calls.status == Status.SETTLED) & (railed == mine)).sum())
    if not len(jobs):
        return strays
    if not (np.diff(jobs.call_id) > 0).all() or mine.sum() != len(jobs):
        return strays + len(jobs)
    own = calls.take(np.flatnonzero(mine))
    broken = _unlike(jobs, own) | _mispriced(evidence, jobs) | _ended_wrong(jobs, own)
    return strays + int((broken | _paid_wrong(evidence, jobs)).sum())


def _unlike(jobs: Jobs, own: Calls) -> Flags:
    """A job's call is its own: the same parties, held at its price when it was created."""
    pairs = [(getattr(jobs, name), getattr(own, name)) for name in SHARED]
    pairs += [(jobs.gross_micros, own.quote_micros), (jobs.gross_micros, own.ask_micros)]
    pairs += [(jobs.created_us, own.posted_us), (jobs.fee_micros, own.fee_micros)]
    wrong: Flags = np.logical_or.reduce([one != other for one, other in pairs])
    return wrong


def _mispriced(evidence: Evidence, jobs: Jobs) -> Flags:
    """Base price times the multiplier of the volume, by the rules when it was created."""
    every = phases(evidence.frames.scenario)
    ruling = [phase.scenario.protocol for phase in every]
    base = [micros_from_usd_exact(r.jobs.base_price_usd) if r and r.jobs else 0 for r in ruling]
    pricing = [rules.pricing if rules and rules.pricing else Pricing() for rules in ruling]
    number = every.of(jobs.created_us)
    tenths = [
        pricing[at].multiplier_tenths(volume)
        for at, volume in zip(number.tolist(), jobs.volume.tolist(), strict=True)
    ]
    wrong: Flags = jobs.base_micros != np.array(base, np.int64)[number]
    wrong |= jobs.multiplier_tenths != np.array(tenths, np.int64)
    wrong |= jobs.gross_micros != -(-jobs.base_micros * jobs.multiplier_tenths // 10)
    return wrong


def _ended_wrong(jobs: Jobs, own: Calls) -> Flags:
    """Terminal just if its call was charged all of it, Funded just if that is in flight."""
    charged = own.status == Status.SETTLED
    wrong: Flags = (jobs.state == JobState.TERMINAL) != charged
    wrong |= (jobs.state == JobState.FUNDED) != (own.status == Status.IN_FLIGHT)
    wrong |= own.charge_micros != jobs.gross_micros * charged
    funded = jobs.state == JobState.FUNDED
    wrong |= np.where(funded, jobs.ended_us != NOTHING, jobs.ended_us < own.finished_us)
    return wrong


def _paid_wrong(evidence: Evidence, jobs: Jobs) -> Flags:
    """A job that ended spent what the fee left on MACHINA for its model, in one swap of its own."""
    protocol = evidence.frames.scenario.protocol
    swapping = protocol is not None and protocol.purchases is not None
    left = jobs.gross_micros - jobs.fee_micros
    due = (jobs.state == JobState.TERMINAL) & swapping & (left > 0)
    wrong: Flags = (jobs.swap != NOTHING) != due
    swaps = _swaps(evidence)
    known = (jobs.swap >= 0) & (jobs.swap < len(swaps))
    wrong |= due & ~known
    at = jobs.swap[known]
    wrong[known] |= np.bincount(at, minlength=len(swaps))[at] != 1
    mine = swaps[at]
    names = {f"model:{name}": number for number, name in enumerate(evidence.frames.scenario.models)}
    model = [names.get(name, NOTHING) for name in mine["source"].to_list()]
    wrong[known] |= codes(mine["time_us"]) != jobs.ended_us[known]
    wrong[known] |= np.array(model, np.int64) != jobs.model[known]
    wrong[known] |= codes(mine["amount"]) != left[known]
    bought = evidence.frames.jobs["machina_wei"]
    unlike = mine["wei"].ne_missing(bought.filter(pl.Series(known)))
    wrong[known] |= (~mine["got"] | unlike).to_numpy()
    wrong |= ~known & bought.is_not_null().to_numpy()
    return wrong


def _swaps(evidence: Evidence) -> pl.DataFrame:
    """A row for each swap: the dollars' ``time_us``, ``source`` and ``amount``, the MACHINA's wei.

    ``got`` is whether that came at once, in one transfer to who had paid. Dollars too few for a wei
    bring none, which leaves no transfer.
    """
    names = [pl.col(name).cast(pl.String) for name in ("source", "target")]
    paid = (pl.col("asset") == "USDC").alias("paid")
    swap = paid.cast(pl.Int64).cum_sum().alias("swap") - 1
    legs = evidence.frames.transfers.filter(pl.col("kind") == "swap")
    legs = legs.select("time_us", *names, "amount", paid, swap).filter(pl.col("swap") >= 0)
    at_once = pl.col("time_us") == pl.col("time_us").first()
    to_payer = pl.col("target") == pl.col("source").first()
    bought = ~pl.col("paid")
    return legs.group_by("swap", maintain_order=True).agg(
        pl.col("time_us", "source", "amount").first(),
        wei=pl.col("amount").filter(bought).sum(),
        got=(pl.len() <= 2) & (at_once & to_payer).filter(bought).all(),
    )
