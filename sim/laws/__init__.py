"""The numbered laws, checked on the record of every run; each is a function of that name."""

from collections.abc import Callable
from dataclasses import fields

import numpy as np
import polars as pl

from sim.facts import Kind, Reason, Status
from sim.laws.answers import answers_out_of_order, answers_wrong, over_budget
from sim.laws.evidence import Evidence, Parity
from sim.laws.jobs import jobs_wrong
from sim.laws.machina import minted, pool_at_start, supply_needed
from sim.laws.redrawn import tasks_shifted
from sim.laws.withdrawals import claims, withdrawals_out_of_order
from sim.ledger import ESCROW, FIRST_AGENT, bonds, mints, transfers
from sim.metrics import LawFigures, call_counts, task_counts
from sim.record import Transfers, digest
from sim.record.asides import asides_of
from sim.record.batches import modelled_gas
from sim.record.frames import (
    hashes_from_frame,
    transfers_from_frame,
)
from sim.record.terms import fees_bps, limits_micros, of_tasks
from sim.scenario.phases import phases
from sim.units import BPS, micros_from_usd_exact

CHUNK_ROWS = 65_536


def _verdict(found: object, needed: object) -> LawFigures:
    return LawFigures(ok=found == needed, found=str(found), needed=str(needed))


def conservation(evidence: Evidence) -> LawFigures:
    """1. Per asset, all balances but the issuer's sum to what may be minted, and all of that is.

    That is the budgets and a protocol's pool in USDC, the gas to be paid in ETH, and in MACHINA
    what the schedule of the epochs that have ended makes.
    """
    scenario = evidence.frames.scenario
    budgets = [micros_from_usd_exact(group.budget_usd) for group in scenario.groups.values()]
    of_agents = np.array(budgets, np.int64)[evidence.names.group_of_agent]
    budgeted, posted = _budgets(evidence), bonds(scenario)
    found, implied = transfers_from_frame(budgeted), mints(of_agents, posted)
    wrong = len(found) != len(implied) or bool((found.micros != implied.micros).any())
    gas = sum(wei for _, wei in modelled_gas(evidence.frames.batches, scenario))
    pooled, supply = pool_at_start(scenario.protocol)[0], supply_needed(evidence)
    sums = [sum(evidence.balances[asset].values()) for asset in ("USDC", "ETH", "MACHINA")]
    return _verdict(
        f"USDC {sums[0]}, ETH {sums[1]}, MACHINA {sums[2]}; ETH {minted(evidence, 'ETH')} minted, "
        f"MACHINA {minted(evidence, 'MACHINA')} minted, {int(wrong)} wrong mints",
        f"USDC {int(of_agents.sum() + posted.sum()) + pooled}, ETH {gas}, MACHINA {supply}; "
        f"ETH {gas} minted, MACHINA {supply} minted, 0 wrong mints",
    )


def _budgets(evidence: Evidence) -> pl.DataFrame:
    """The mints of USDC to agents, and to models for their bonds."""
    return evidence.frames.transfers.filter(
        (pl.col("asset") == "USDC")
        & (pl.col("kind") == "mint")
        & (pl.col("target").cast(pl.String) != "pool")
    )


def no_overdraft(evidence: Evidence) -> LawFigures:
    """2. No account is ever below zero: agents and escrow at every instant, all at the end.

    What an agent has asked to have back is not its to spend from then on.
    """
    calls, names = evidence.calls, evidence.names
    budgets = _budgets(evidence)
    start = np.zeros(len(names.agents) + len(evidence.frames.scenario.models), np.int64)
    start[budgets["target"].to_physical().to_numpy() - FIRST_AGENT] = (
        budgets["amount"].cast(pl.Int64).to_numpy()
    )
    start = start[: len(names.agents)]
    ended = calls.status != Status.IN_FLIGHT
    back = (calls.quote_micros - calls.charge_micros + calls.slash_micros)[ended]
    agent = np.concatenate([calls.agent[ended], calls.agent])
    time = np.concatenate([calls.finished_us[ended], calls.posted_us])
    change = np.concatenate([back, -calls.quote_micros])
    asked = claims(evidence)
    agent, time = np.concatenate([agent, asked.agent]), np.concatenate([time, asked.time_us])
    change = np.concatenate([change, -asked.micros])
    # Refunds, which stand first, stay before holds at the same instant, as the market does it.
    order = np.lexsort((time, agent))
    agent, change = agent[order], change[order]
    running = np.cumsum(change)
    first = np.searchsorted(agent, np.arange(len(start)))
    before = np.concatenate([[0], running])[first]
    paths = running - before[agent] + start[agent]
    lowest = min([*start.tolist(), int(paths.min())] if len(paths) else start.tolist())
    for asset in ("USDC", "ETH", "MACHINA"):
        lowest = min([lowest, *evidence.balances[asset].values()])
    return LawFigures(ok=lowest >= 0, found=f"lowest {lowest}", needed=">= 0")


def every_hold_ends_once(evidence: Evidence) -> LawFigures:
    """3. The transfers are those of the calls: held once, released and refunded once, no others."""
    calls = evidence.calls
    in_flight = int(calls.quote_micros[calls.status == Status.IN_FLIGHT].sum())
    held = _of_calls(evidence, Kind.HOLD)
    held -= _of_calls(evidence, Kind.RELEASE) + _of_calls(evidence, Kind.REFUND)
    needed = in_flight if evidence.frames.interrupted else 0
    return _verdict(
        f"escrow {held}, ledger {evidence.ledger.balances[ESCROW]}, "
        f"{_strangers(evidence)} transfers not of the calls",
        f"escrow {needed}, ledger {needed}, 0 transfers not of the calls",
    )


def _of_calls(evidence: Evidence, kind: Kind) -> int:
    """The sum of a kind's transfers that have a call behind them."""
    moved = evidence.frames.transfers.lazy().filter(
        pl.col("call_id").is_not_null() & (pl.col("kind") == kind.name.lower())
    )
    return int(moved.select(pl.col("amount").sum()).collect().item() or 0)


def _strangers(evidence: Evidence) -> int:
    """How many saved transfers are not, in their order, those that the calls imply."""
    calls, agents = evidence.calls, len(evidence.names.agents)
    moves = evidence.frames.transfers
    places = moves["call_id"].is_not_null().arg_true()
    strangers = at = 0
    for start in range(0, len(calls), CHUNK_ROWS):
        rows = slice(start, start + CHUNK_ROWS)
        implied = transfers(calls.take(rows), agents)
        saved = transfers_from_frame(moves[places.slice(at, len(implied))])
        at += len(implied)
        if len(saved) != len(implied):
            strangers += len(implied) - len(saved)
            continue
        same = np.logical_and.reduce(
            [getattr(implied, f.name) == getattr(saved, f.name) for f in fields(Transfers)]
        )
        strangers += int((~same).sum())
    return strangers + max(0, len(places) - at)


def no_more_than_held(evidence: Evidence) -> LawFigures:
    """4. 0 <= fee <= charge <= quote <= bid <= the agent's maximum; and ask <= quote.

    In an auction no call that succeeds is charged less than the model asked. The charges of a day,
    and of a task, are within the budgets for them.
    """
    calls = evidence.calls
    every = phases(evidence.frames.scenario)
    posted_us, value = (of_tasks(evidence.frames, each) for each in ("posted_us", "value_micros"))
    limit = limits_micros(every, posted_us, evidence.names.group_of_agent[calls.agent], value)
    fees = calls.charge_micros * fees_bps(every, calls.finished_us) // BPS
    broken = (
        (calls.charge_micros < 0)
        | (calls.fee_micros != fees)
        | (calls.charge_micros > calls.quote_micros)
        | (calls.quote_micros > calls.bid_micros)
        | (calls.ask_micros > calls.quote_micros)
        | (calls.bid_micros > limit)
    )
    if evidence.frames.scenario.mechanism.kind != "posted":
        broken |= (calls.success == 1) & (calls.charge_micros < calls.ask_micros)
    over = over_budget(evidence)
    return _verdict(f"{int(broken.sum())} calls, {over} budgets", "0 calls, 0 budgets")


def order(evidence: Evidence) -> LawFigures:
    """5. Posted, started, finished, batch closed: never falling; settlement in order of finish.

    Nor is a call posted before what it waits for: its last attempt, the steps it comes after; nor
    does money leave an account before its timelock is over.
    """
    calls, frame = evidence.calls, evidence.frames.calls
    broken = int(
        ((calls.posted_us > calls.started_us) | (calls.started_us > calls.finished_us)).sum()
    )
    settled = frame.select("settled_id", "finished_us", "batch").drop_nulls().sort("settled_id")
    broken += int((settled["finished_us"].diff().drop_nulls() < 0).sum())
    closed = settled.join(evidence.frames.batches.select("batch", "closed_us"), on="batch")
    broken += int((closed["closed_us"] < closed["finished_us"]).sum())
    broken += answers_out_of_order(evidence) + withdrawals_out_of_order(evidence)
    return _verdict(f"{broken} out of order", "0 out of order")


def same_seed_same_record(evidence: Evidence) -> LawFigures:
    """6. The columns have the digest; sampled agents, drawn again alone, post the same tasks."""
    frames, tasks = evidence.frames, evidence.tasks
    again = digest(evidence.calls, tasks, hashes_from_frame(frames.calls), *asides_of(frames))
    return _verdict(
        f"digest {again[:16]}, {tasks_shifted(evidence)} tasks shifted",
        f"digest {frames.digest[:16]}, 0 tasks shifted",
    )


def parity(evidence: Evidence) -> LawFigures:
    """7. Ledger and contracts agree to the micro; every settled call is on chain exactly once."""
    if evidence.parity is None:
        return LawFigures(ok=True, found="no chain", needed="no chain")
    found, calls = evidence.parity, evidence.calls
    charged = int(calls.charge_micros[calls.status == Status.UNPAID].astype(bool).sum())
    return _verdict(
        f"{found.difference_micros} micros apart; calls: {found.calls_missing} missing, "
        f"{found.calls_unexpected} unexpected, {found.calls_differing} differing, "
        f"{charged} unpaid and charged; {found.faults} faults",
        "0 micros apart; calls: 0 missing, 0 unexpected, 0 differing, 0 unpaid and charged; "
        "0 faults",
    )


def report_is_a_fold(evidence: Evidence) -> LawFigures:
    """8. Saved and read again, the record gives the same figures.

    Of one that is kept in memory there is nothing to read again; the law says so.
    """
    after, before = evidence.figures, evidence.figures_before
    if after is None and before is None:
        why = "not looked at: the record was not saved, so that nothing could be read again"
        return LawFigures(ok=True, found=why, needed="same figures, where a record is saved")
    if after is None or before is None:
        lacking = "after" if after is None else "before"
        return _verdict(f"no figures from {lacking} it was saved", "same figures")
    return _verdict("same figures" if after == before else "other figures", "same figures")


def nothing_is_lost(evidence: Evidence) -> LawFigures:
    """9. Tasks and calls are numbered without gaps, each ended once, and add up."""
    frames = evidence.frames
    tasks, calls = task_counts(frames.tasks), call_counts(frames.calls)
    sums = (
        tasks.succeeded + tasks.failed + tasks.rejected + tasks.expired + tasks.open,
        calls.settled + calls.refunded + calls.unpaid + calls.in_flight,
        int(frames.tasks["calls"].sum()),
    )
    gaps = sum(
        int((frame[key].to_numpy() != np.arange(len(frame))).sum())
        for frame, key in ((frames.tasks, "task_id"), (frames.calls, "call_id"))
    )
    of_task = np.bincount(evidence.calls.task_id, minlength=len(frames.tasks))
    if len(of_task) != len(frames.tasks):
        return _verdict(f"calls of task {len(of_task) - 1}", f"{len(frames.tasks)} tasks")
    gaps += int((of_task != frames.tasks["calls"].to_numpy()).sum())
    gaps += answers_wrong(evidence) + jobs_wrong(evidence)
    answered = np.isin(evidence.calls.status, (Status.SETTLED, Status.UNPAID))
    right = (evidence.calls.reason == Reason.NONE) & answered
    gaps += int((right != evidence.calls.success).sum())
    still_open = 0 if evidence.frames.interrupted else tasks.open + calls.in_flight
    return _verdict(
        f"tasks {sums[0]}, calls {sums[1]}, attempts {sums[2]}, gaps {gaps}, open {still_open}",
        f"tasks {tasks.posted}, calls {calls.made}, attempts {calls.made}, gaps 0, open 0",
    )


def theory(evidence: Evidence) -> LawFigures:
    """10. Little's law, exactly: calls in flight, integrated over time, are the sojourns' sum."""
    calls = evidence.calls
    return _verdict(
        f"{int((calls.finished_us - calls.posted_us).sum())} call-us",
        f"{evidence.frames.call_us} call-us",
    )


LAWS: dict[str, Callable[[Evidence], LawFigures]] = {
    "conservation": conservation,
    "no_overdraft": no_overdraft,
    "every_hold_ends_once": every_hold_ends_once,
    "no_more_than_held": no_more_than_held,
    "order": order,
    "same_seed_same_record": same_seed_same_record,
    "parity": parity,
    "report_is_a_fold": report_is_a_fold,
    "nothing_is_lost": nothing_is_lost,
    "theory": theory,
}


def check(evidence: Evidence) -> dict[str, LawFigures]:
    """Every law's verdict, by name."""
    return {name: law(evidence) for name, law in LAWS.items()}


__all__ = ["LAWS", "Evidence", "Parity", "check"]
