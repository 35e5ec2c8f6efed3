"""What a record says that the chain must have."""

import numpy as np
import polars as pl

from sim.chain.bonded import Bonded
from sim.chain.settlement import AuditRecord
from sim.facts import Status
from sim.ledger import FIRST_AGENT, TREASURY, bonds
from sim.record import UNSETTLED, Calls
from sim.record.archive import ChainPlace, Saved
from sim.record.frames import Names, calls_from_frame, hashes_from_frame
from sim.scenario import Scenario
from sim.units import Int64Array


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
    bonded = _bonded(frames.scenario, calls, place)
    if bonded is not None:
        _take_out(bonded, calls, balances, models)
    settled = calls.take(rows)
    return AuditRecord(
        call_id=settled.call_id,
        agent=settled.agent,
        model=settled.model,
        quote_micros=settled.quote_micros,
        charge_micros=settled.charge_micros,
        score_ppm=settled.score_ppm,
        intent=settled.intent,
        finished_us=settled.finished_us,
        answer_hash=hashes[rows],
        agent_balance_micros=balances[FIRST_AGENT:models],
        model_earned_micros=balances[models : models + len(frames.scenario.models)],
        fees_micros=int(balances[TREASURY]),
        refunded_hash=hashes[(calls.status == Status.REFUNDED) & hashes.any(axis=1)],
        first_call=place.first_call,
        first_block=place.first_block,
        last_block=place.last_block,
        rail=frames.scenario.rail.kind,
        unpaid=settled.status == Status.UNPAID,
        bonded=bonded,
    )


def _keep_back(unsent: Calls, balances: Int64Array, models: int) -> None:
    """Takes back what calls have moved that never went to the chain."""
    earned = unsent.charge_micros - unsent.fee_micros
    np.add.at(balances, FIRST_AGENT + unsent.agent, unsent.charge_micros)
    np.subtract.at(balances, models + unsent.model, earned)
    balances[TREASURY] -= unsent.fee_micros.sum()


def _bonded(scenario: Scenario, calls: Calls, place: ChainPlace) -> Bonded | None:
    """The bonds that were posted, and the slashes that were sent; None where there are none."""
    posted = bonds(scenario)
    if not len(posted):
        return None
    rows = np.flatnonzero(calls.slash_micros)
    rows = rows[np.lexsort((rows, calls.finished_us[rows]))]
    if place.halted:
        rows = rows[: place.errands]
    sent = calls.take(rows)
    return Bonded(posted, sent.call_id, sent.agent, sent.model, sent.slash_micros)


def _take_out(bonded: Bonded, calls: Calls, balances: Int64Array, models: int) -> None:
    """Leaves models what their calls have earned, and takes unsent slashes from their agents."""
    balances[models : models + len(bonded.posted_micros)] -= bonded.posted_micros
    np.add.at(balances, models + calls.model, calls.slash_micros)
    np.subtract.at(balances, FIRST_AGENT + calls.agent, calls.slash_micros)
    np.add.at(balances, FIRST_AGENT + bonded.agent, bonded.micros)


def _in_settlement_order(calls: pl.DataFrame) -> Int64Array:
    """The rows of the calls that were settled, or should have been."""
    places = calls["settled_id"].fill_null(UNSETTLED).to_numpy()
    rows = np.flatnonzero(places != UNSETTLED)
    return rows[np.argsort(places[rows], kind="stable")]


def balances_of(transfers: pl.DataFrame, names: Names) -> Int64Array:
    """The balances in micro-USDC, by account number, that a table of transfers adds up to."""
    usdc = transfers.filter((pl.col("asset") == "USDC") & (pl.col("kind") != "swap"))
    amounts = usdc["amount"].cast(pl.Int64).to_numpy()
    balances = np.zeros(len(names.accounts.categories), np.int64)
    np.subtract.at(balances, usdc["source"].to_physical().to_numpy(), amounts)
    np.add.at(balances, usdc["target"].to_physical().to_numpy(), amounts)
    return balances
