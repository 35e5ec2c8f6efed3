"""The audit: everything rebuilt from chain data alone, and compared with what the run recorded."""

from dataclasses import replace

from sim.chain.audits.bonds import BondAudit
from sim.chain.audits.epochs import EpochAudit
from sim.chain.audits.hub import ChannelAudit, TransferAudit, X402ExactAudit
from sim.chain.audits.jobs import JobAudit
from sim.chain.audits.ledger import FAULTS_SHOWN, LedgerAudit
from sim.chain.audits.walk import WalletAudit
from sim.chain.audits.withdrawals import withdrawal_faults
from sim.chain.deployment import Deployment
from sim.chain.proofs import SAMPLE
from sim.chain.rpc import Rpc
from sim.chain.settlement import Audit, AuditRecord

WALLET_AUDITS: dict[str, type[WalletAudit]] = {
    "transfer": TransferAudit,
    "x402-exact": X402ExactAudit,
    "escrow-job": JobAudit,
    "channel": ChannelAudit,
}
LEDGER_AUDITS: dict[str, type[LedgerAudit]] = {
    "prepaid": LedgerAudit,
    "batch": LedgerAudit,
    "epoch-root": EpochAudit,
}


def audit(rpc: Rpc, deployment: Deployment, record: AuditRecord, *, sample: int = SAMPLE) -> Audit:
    """Rebuilds every balance from chain data alone and compares it with contract and record.

    Args:
        record: what the run says it settled, and by which rail.
        sample: how many calls to prove to the contract, where the rail keeps a root of them.

    Raises:
        ChainError: the node cannot be reached, or is not the deployment's.
    """
    if record.rail in WALLET_AUDITS:
        return WALLET_AUDITS[record.rail](rpc, deployment, record).run()
    found = LEDGER_AUDITS[record.rail](rpc, deployment, record, sample).run()
    if record.bonded is not None:
        found = _with(found, *BondAudit(rpc, deployment, record, record.bonded).run())
    if record.withdrawn is not None:
        found = _with(found, *withdrawal_faults(rpc, deployment, record, record.withdrawn))
    return found


def _with(found: Audit, micros: int, faults: list[str]) -> Audit:
    """An audit, and what else was found to differ."""
    return replace(
        found,
        parity=found.parity and not faults,
        difference_micros=found.difference_micros + micros,
        faults=(*found.faults, *faults)[:FAULTS_SHOWN],
    )
