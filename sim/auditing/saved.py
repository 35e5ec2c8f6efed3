"""The audit of a saved run: on a fresh Anvil that replays it, or on the node it was settled on."""

from dataclasses import dataclass, replace
from pathlib import Path

from sim.auditing.jobs import are_on_chain, recorded_jobs
from sim.auditing.protocol import with_protocol
from sim.auditing.recorded import audit_record
from sim.chain.proofs import PROOFS, SAMPLE, save_proofs
from sim.chain.settlement import Audit, Findings
from sim.facts import Fault, ScenarioError
from sim.rails import ACCOUNT_RAILS
from sim.record.archive import ChainPlace, Saved, load
from sim.record.derivation import derivation_faults


@dataclass(frozen=True, kw_only=True)
class SavedAudit(Findings):
    """What ``telex audit`` finds of a saved run; unpaid calls are not among ``calls_on_chain``.

    Args:
        run: its directory. node: where its chain was looked at.
        calls_recorded: settled by the rail, as the record has it.
        jobs_recorded: on-chain jobs that the record has at the port.
        head_recorded: hash of the last block when the run ended.
        proofs_file: where the proofs of calls were written, if that was asked for.
    """

    run: str
    node: str
    calls_recorded: int
    head_recorded: str
    jobs_recorded: int = 0
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
        ScenarioError: no run directory, or one of a run without a chain; ``proofs`` of a rail that
            keeps none.
        ToolError, ChainError: Anvil is missing, the node is out of reach, ...
    """
    saved = load(directory)
    place = saved.manifest.chain
    if place is None:
        fault = Fault(str(directory), "a run without a chain", "a run settled on one")
        raise ScenarioError((fault,))
    if proofs is not None:
        _check_provable(saved)
    from sim.chain import Rpc, audit, load_deployment, replay
    from sim.chain.funding import vault_of

    deployment = load_deployment(directory / "deployment.json")
    record = audit_record(saved)
    if place.backend != "anvil":
        with Rpc(place.backend, allow_remote=allow_remote) as rpc:
            found = audit(rpc, deployment, record, sample=proofs or SAMPLE)
            found = with_protocol(found, rpc, saved)
        result = _saved_audit(saved, place, found, place.backend, place.head, "")
    else:
        with replay(directory) as again, Rpc(again.url) as rpc:
            found = audit(rpc, deployment, record, sample=proofs or SAMPLE)
            found = with_protocol(found, rpc, saved)
        result = _saved_audit(saved, place, found, "anvil, replayed", again.head, again.fault)
    if proofs is None:
        return result
    vault = vault_of(deployment, record.rail)
    save_proofs(directory / PROOFS, deployment.chain_id, vault.place, found.proved)
    return replace(result, proofs_file=str(directory / PROOFS))


def _check_provable(saved: Saved) -> None:
    """Only a rail on accounts commits to calls by a root; another's are in its events alone."""
    kind = saved.frames.scenario.rail.kind
    if kind not in ACCOUNT_RAILS:
        allowed = ", ".join(ACCOUNT_RAILS)
        fault = Fault("--proofs", f"a run by {kind}, which keeps no proofs", f"a run by {allowed}")
        raise ScenarioError((fault,))


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
        calls_recorded=len(saved.frames.calls.filter(status="settled").drop_nulls("settled_id")),
        calls_on_chain=audit.calls_on_chain - unpaid,
        missing=audit.missing,
        unexpected=audit.unexpected,
        differing=audit.differing,
        faults=(*faults, *audit.faults),
        proofs=audit.proofs,
        gas_total=audit.gas_total,
        head=head,
        head_recorded=place.head,
        jobs_recorded=len(recorded_jobs(saved.frames).jobs) if are_on_chain(saved) else 0,
        seconds=audit.seconds,
    )
