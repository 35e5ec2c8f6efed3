"""The audit of a saved run: on a fresh Anvil that replays it, or on the node it was settled on."""

from pathlib import Path

import polars as pl
from pydantic import BaseModel, ConfigDict

from sim.auditing.protocol import with_protocol
from sim.auditing.recorded import audit_record
from sim.chain.proofs import PROOFS, SAMPLE, save_proofs
from sim.chain.settlement import Audit
from sim.facts import Fault, ScenarioError
from sim.record.archive import ChainPlace, Saved, load
from sim.record.derivation import derivation_faults


class SavedAudit(BaseModel):
    """What ``telex audit`` found of a saved run.

    Args:
        calls_recorded, calls_on_chain: settled by the record; found on the chain, unpaid ones not
            among them.
        missing, unexpected, differing: the ids of calls that are not as they should be.
        faults: what is wrong in words. proofs: calls proved to the contract.
        proofs_file: where their proofs were written, if that was asked for.
        head, head_recorded: hash of the last block, now and when the run ended.
    """

    model_config = ConfigDict(frozen=True)

    run: str
    node: str
    parity: bool
    difference_micros: int
    calls_recorded: int
    calls_on_chain: int
    missing: tuple[int, ...]
    unexpected: tuple[int, ...]
    differing: tuple[int, ...]
    faults: tuple[str, ...]
    proofs: int
    gas_total: int
    head: str
    head_recorded: str
    seconds: float
    proofs_file: str | None = None

    @property
    def ok(self) -> bool:
        """Whether the chain says what the record says."""
        return self.parity


def audit_saved(
    directory: Path, *, allow_remote: bool = False, proofs: int | None = None
) -> SavedAudit:
    """Audits a saved run: on a fresh Anvil that replays it, or on the node it was settled on.

    With ``proofs`` so many calls are proved to the contract, and how goes to RUN/proofs.json.

    Raises:
        ScenarioError: no run directory, or one of a run without a chain.
        ToolError, ChainError: Anvil is missing, the node is out of reach, ...
    """
    saved = load(directory)
    place = saved.manifest.chain
    if place is None:
        fault = Fault(str(directory), "a run without a chain", "a run settled on one")
        raise ScenarioError((fault,))
    from sim.chain import Rpc, audit, load_deployment, replay
    from sim.chain.funding import vault_of

    deployment = load_deployment(directory / "deployment.json")
    record = audit_record(saved)
    if place.backend != "anvil":
        rpc = Rpc(place.backend, allow_remote=allow_remote)
        found = audit(rpc, deployment, record, sample=proofs or SAMPLE)
        result = _saved_audit(saved, place, found, place.backend, place.head, "")
    else:
        with replay(directory) as again:
            rpc = Rpc(again.url)
            found = audit(rpc, deployment, record, sample=proofs or SAMPLE)
            found = with_protocol(found, rpc, saved)
        result = _saved_audit(saved, place, found, "anvil, replayed", again.head, again.fault)
    if proofs is None:
        return result
    vault = vault_of(deployment, record.rail)
    save_proofs(directory / PROOFS, deployment.chain_id, vault.place, found.proved)
    return result.model_copy(update={"proofs_file": str(directory / PROOFS)})


def _saved_audit(
    saved: Saved, place: ChainPlace, audit: Audit, node: str, head: str, fault: str
) -> SavedAudit:
    faults = [fault] if fault else []
    faults += derivation_faults(saved)
    unpaid = int((saved.frames.calls["status"] == "unpaid").sum())
    if head != place.head:
        faults.append(f"head: {head} on the chain, {place.head} in the record")
    return SavedAudit(
        run=str(saved.directory),
        node=node,
        parity=audit.parity and not faults,
        difference_micros=audit.difference_micros,
        calls_recorded=len(saved.frames.calls.filter(pl.col("status") == "settled")),
        calls_on_chain=audit.calls_on_chain - unpaid,
        missing=audit.missing,
        unexpected=audit.unexpected,
        differing=audit.differing,
        faults=(*faults, *audit.faults),
        proofs=audit.proofs,
        gas_total=audit.gas_total,
        head=head,
        head_recorded=place.head,
        seconds=audit.seconds,
    )
