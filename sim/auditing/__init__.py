"""Between record and chain: what a scenario asks of the chain, and whether the chain did it."""

from sim.auditing.asking import NO_CHAIN, Place, chain_setup
from sim.auditing.protocol import acts_of_world, can_perform
from sim.auditing.recorded import audit_record, balances_of
from sim.auditing.resuming import begin, going_on
from sim.auditing.saved import SavedAudit, audit_saved
from sim.auditing.settled import audit_settled, chain_figures, landed, parity_of, place_of

__all__ = [
    "NO_CHAIN", "Place", "SavedAudit", "acts_of_world", "audit_record", "audit_saved",
    "audit_settled", "balances_of", "begin", "can_perform", "chain_figures", "chain_setup",
    "going_on", "landed", "parity_of", "place_of",
]  # fmt: skip
