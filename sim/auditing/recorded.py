"""What a record says that the chain must have."""

import numpy as np
import polars as pl

from sim.auditing.beside import beside, take_out
from sim.auditing.jobs import leave_out, with_payments
from sim.chain.settlement import AuditRecord
from sim.facts import Status
from sim.ledger import FIRST_AGENT, TREASURY
from sim.record import UNSETTLED, Calls
from sim.record.archive import Saved
from sim.record.frames import Names, calls_from_frame, hashes_from_frame
from sim.units import Int64Array

SETTLED = (
    "call_id", "agent", "model", "quote_micros", "charge_micros", "score_ppm", "intent",
    "finished_us",
)  # fmt: skip
"""What of a call is on the chain, its answer hash aside."""


def audit_record(saved: Saved) -> AuditRecord:
    """What a run recorded, as the audit looks for it on the chain."""
    frames, place = saved.frames, saved.manifest.chain
    assert place is not None
    names = Names(frames.scenario)
    calls, hashes = calls_from_frame(frames.calls), hashes_from_frame(frames.calls)
    rows = _in_settlement_order(frames.calls)
    # What an interruption kept from the chain is not to be found there.
    sent = place.calls if place.halted else len(rows)
    unsent, rows = rows[sent:], rows[:sent]
    balances = balances_of(frames.transfers, names)
    flying = np.flatnonzero(calls.status == Status.IN_FLIGHT)
    np.add.at(balances, FIRST_AGENT + calls.agent[flying], calls.quote_micros[flying])
    models = FIRST_AGENT + len(names.agents)
    _keep_back(calls.take(unsent), balances, models)
    leave_out(saved, balances, models)
    bonded, withdrawn = beside(frames, calls, place)
    if bonded is not None:
        take_out(bonded, calls, balances, models)
    return AuditRecord(
        **{name: getattr(calls, name)[rows] for name in SETTLED},
        answer_hash=hashes[rows],
        agent_balance_micros=balances[FIRST_AGENT:models],
        model_earned_micros=balances[models : models + len(frames.scenario.models)],
        fees_micros=int(balances[TREASURY]),
        refunded_hash=hashes[(calls.status == Status.REFUNDED) & hashes.any(axis=1)],
        first_call=place.first_call,
        first_block=place.first_block,
        last_block=place.last_block,
        rail=frames.scenario.rail.kind,
        unpaid=calls.status[rows] == Status.UNPAID,
        bonded=bonded,
        withdrawn=with_payments(withdrawn, saved),
    )


def _keep_back(unsent: Calls, balances: Int64Array, models: int) -> None:
    """Takes back what calls have moved that never went to the chain."""
    earned = unsent.charge_micros - unsent.fee_micros
    np.add.at(balances, FIRST_AGENT + unsent.agent, unsent.charge_micros)
    np.subtract.at(balances, models + unsent.model, earned)
    balances[TREASURY] -= unsent.fee_micros.sum()


def _in_settlement_order(calls: pl.DataFrame) -> Int64Array:
    """The rows of the calls that were settled, or should have been."""
    places = calls["settled_id"].fill_null(UNSETTLED).to_numpy()
    rows = np.flatnonzero(places != UNSETTLED)
    return rows[np.argsort(places[rows], kind="stable")]


def balances_of(transfers: pl.DataFrame, names: Names) -> Int64Array:
    """The balances in micro-USDC, by account number, that a table of transfers adds up to.

    What models bought MACHINA with, and agents took back, is in their balances still.
    """
    other = pl.col("kind").is_in(["swap", "withdrawal"])
    usdc = transfers.lazy().filter((pl.col("asset") == "USDC") & ~other)
    balances = np.zeros(len(names.accounts.categories), np.int64)
    for sign, side in ((-1, "source"), (1, "target")):
        sums = usdc.group_by(side).agg(pl.col("amount").sum().cast(pl.Int64)).collect()
        balances[sums[side].to_physical().to_numpy()] += sign * sums["amount"].to_numpy()
    return balances
