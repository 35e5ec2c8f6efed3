"""What a record says of money that moves beside the calls: slashes and withdrawals."""

import numpy as np

from sim.chain.beside import Bonded, Withdrawn
from sim.ledger import FIRST_AGENT, bonds
from sim.record import Calls
from sim.record.archive import ChainPlace
from sim.record.asides import withdrawals_from_frame
from sim.record.frames import Frames
from sim.units import Int64Array


def beside(
    frames: Frames, calls: Calls, place: ChainPlace
) -> tuple[Bonded | None, Withdrawn | None]:
    """Bonds with their slashes, and withdrawals, as far as they were sent; None for none at all."""
    posted, moves = bonds(frames.scenario), withdrawals_from_frame(frames.withdrawals)
    slashed = np.flatnonzero(calls.slash_micros)
    slashed = slashed[np.lexsort((slashed, calls.finished_us[slashed]))]
    if place.halted:
        count = len(slashed)
        # In the order of `Handover`: by time, slashes first, those by the ids of their calls.
        time_us = np.concatenate([calls.finished_us[slashed], moves.time_us])
        sent = np.argsort(time_us, kind="stable")[: place.errands]
        slashed = slashed[np.sort(sent[sent < count])]
        moves = moves.take(np.sort(sent[sent >= count]) - count)
    rows = calls.take(slashed)
    return (
        Bonded(posted, rows.call_id, rows.agent, rows.model, rows.slash_micros)
        if len(posted)
        else None,
        Withdrawn(moves.agent, moves.executed, moves.micros)
        if any(group.withdrawal is not None for group in frames.scenario.groups.values())
        else None,
    )


def take_out(bonded: Bonded, calls: Calls, balances: Int64Array, models: int) -> None:
    """Leaves models what their calls have earned, and takes unsent slashes from their agents.

    Args:
        balances: by account number, changed. models: the number of the first model's account.
    """
    balances[models : models + len(bonded.posted_micros)] -= bonded.posted_micros
    np.add.at(balances, models + calls.model, calls.slash_micros)
    np.subtract.at(balances, FIRST_AGENT + calls.agent, calls.slash_micros)
    np.add.at(balances, FIRST_AGENT + bonded.agent, bonded.micros)
