"""The record: what happened, as columns; reports read nothing else."""

from sim.record.columns import (
    Asks,
    Calls,
    Decisions,
    Jobs,
    OwnAnswers,
    Prices,
    Slots,
    Tasks,
    Transfers,
    Withdrawals,
)
from sim.record.handover import Handover
from sim.record.hashing import AnswerHasher, digest
from sim.record.history import ANSWERED, ANSWERED_NAMES, UNSETTLED, Columns, History
from sim.record.packed import Packed, PackedColumn

__all__ = [
    "ANSWERED",
    "ANSWERED_NAMES",
    "UNSETTLED",
    "AnswerHasher",
    "Asks",
    "Calls",
    "Columns",
    "Decisions",
    "Handover",
    "History",
    "Jobs",
    "OwnAnswers",
    "Packed",
    "PackedColumn",
    "Prices",
    "Slots",
    "Tasks",
    "Transfers",
    "Withdrawals",
    "digest",
]
