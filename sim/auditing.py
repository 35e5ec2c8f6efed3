"""Between record and chain: what a scenario asks of the chain, and whether the chain did it."""

from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl
from pydantic import BaseModel, ConfigDict

from sim.chain import Agent, ChainSetup, Settlement
from sim.chain.proofs import PROOFS, SAMPLE, save_proofs
from sim.chain.settlement import Audit, AuditRecord
from sim.facts import Fault, ScenarioError, Status
from sim.laws import Parity
from sim.ledger import FIRST_AGENT, TREASURY
from sim.metrics import ChainFigures
from sim.record import UNSETTLED
from sim.record.archive import ChainPlace, Saved, load
from sim.record.batches import Landed
from sim.record.derivation import derivation_faults
from sim.record.frames import Names, calls_from_frame, hashes_from_frame
from sim.scenario import Scenario
from sim.scenario.chain_checks import check_settleable
from sim.units import Int64Array, micros_from_usd_exact, us_from_seconds_nearest


@dataclass(frozen=True)
class Place:
    """Where a run settles: ``chain`` is anvil, none or a URL; the others as in `ChainSetup`."""

    chain: str
    deployment: Path | None = None
    warp: bool = False
    allow_remote: bool = False


def chain_setup(scenario: Scenario, place: Place, directory: Path) -> ChainSetup:
    """What a scenario asks of the chain: its agents funded, its models registered.

    Raises `ScenarioError` for what no contract settles (`check_settleable`).
    """
    check_settleable(scenario)
    agents = tuple(
        Agent(
            f"{group_id}/{index}",
            micros_from_usd_exact(group.budget_usd),
            micros_from_usd_exact(group.max_price_usd),
        )
        for group_id, group in scenario.groups.items()
        for index in range(group.count)
    )
    return ChainSetup(
        agents=agents,
        models=tuple(scenario.models),
        fee_bps=scenario.rail.fee_bps,
        directory=directory,
        backend=place.chain,
        deployment=place.deployment,
        warp=place.warp,
        allow_remote=place.allow_remote,
        block_time_us=us_from_seconds_nearest(scenario.chain.block_time_s),
        emit_events=scenario.chain.call_events,
    )


def landed(settlement: Settlement | None) -> dict[int, Landed]:
    """Where each batch landed, by its number."""
    parts = defaultdict(list)
    for part in settlement.batches if settlement else ():
        parts[part.number].append(part)
    return {
        number: Landed(
            transactions=tuple(part.transaction for part in of_batch),
            roots=tuple(part.root for part in of_batch),
            block=of_batch[-1].block,
            gas_used=sum(part.gas_used for part in of_batch),
        )
        for number, of_batch in parts.items()
    }


def place_of(settlement: Settlement | None, backend: str, *, halted: bool) -> ChainPlace | None:
    """Where on the chain a run is; None if it has no chain."""
    if settlement is None:
        return None
    return ChainPlace(
        backend=backend,
        first_call=settlement.ready.first_call,
        first_block=settlement.ready.first_block,
        last_block=settlement.last_block,
        head=settlement.head,
        calls=settlement.calls,
        halted=halted,
    )


def audit_record(saved: Saved) -> AuditRecord:
    """What a run recorded, as the audit looks for it on the chain."""
    frames, place = saved.frames, saved.manifest.chain
    assert place is not None
    names = Names(frames.scenario)
    calls, hashes = calls_from_frame(frames.calls), hashes_from_frame(frames.calls)
    places = frames.calls["settled_id"].fill_null(UNSETTLED).to_numpy()
    rows = np.flatnonzero(places != UNSETTLED)
    rows = rows[np.argsort(places[rows], kind="stable")]
    # What an interruption kept from the chain is not to be found there.
    sent = place.calls if place.halted else len(rows)
    unsent, rows = rows[sent:], rows[:sent]
    refunded = (calls.status == Status.REFUNDED) & hashes.any(axis=1)
    balances = balances_of(frames.transfers, names)
    flying = np.flatnonzero(calls.status == Status.IN_FLIGHT)
    np.add.at(balances, FIRST_AGENT + calls.agent[flying], calls.quote_micros[flying])
    models = FIRST_AGENT + len(names.agents)
    earned = calls.charge_micros[unsent] - calls.fee_micros[unsent]
    np.add.at(balances, FIRST_AGENT + calls.agent[unsent], calls.charge_micros[unsent])
    np.subtract.at(balances, models + calls.model[unsent], earned)
    balances[TREASURY] -= calls.fee_micros[unsent].sum()
    return AuditRecord(
        call_id=calls.call_id[rows],
        agent=calls.agent[rows],
        model=calls.model[rows],
        quote_micros=calls.quote_micros[rows],
        charge_micros=calls.charge_micros[rows],
        score_ppm=calls.score_ppm[rows],
        intent=calls.intent[rows],
        finished_us=calls.finished_us[rows],
        answer_hash=hashes[rows],
        agent_balance_micros=balances[FIRST_AGENT:models],
        model_earned_micros=balances[models : models + len(frames.scenario.models)],
        fees_micros=int(balances[TREASURY]),
        refunded_hash=hashes[refunded],
        first_call=place.first_call,
        first_block=place.first_block,
        last_block=place.last_block,
    )


def balances_of(transfers: pl.DataFrame, names: Names) -> Int64Array:
    """The balances in micro-USDC, by account number, that a table of transfers adds up to."""
    usdc = transfers.filter((pl.col("asset") == "USDC") & (pl.col("kind") != "swap"))
    amounts = usdc["amount"].cast(pl.Int64).to_numpy()
    balances = np.zeros(len(names.accounts.categories), np.int64)
    np.subtract.at(balances, usdc["source"].to_physical().to_numpy(), amounts)
    np.add.at(balances, usdc["target"].to_physical().to_numpy(), amounts)
    return balances


def audit_settled(saved: Saved, settlement: Settlement) -> Audit:
    """Audits a run on the node it was settled on, while that stands."""
    from sim.chain import Rpc, audit  # web3.py takes a second to import

    return audit(Rpc(settlement.ready.url), settlement.ready.deployment, audit_record(saved))


class SavedAudit(BaseModel):
    """What ``telex audit`` found of a saved run.

    Args:
        calls_recorded, calls_on_chain: settled by the record; found on the chain.
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

    deployment = load_deployment(directory / "deployment.json")
    record = audit_record(saved)
    if place.backend != "anvil":
        rpc = Rpc(place.backend, allow_remote=allow_remote)
        found = audit(rpc, deployment, record, sample=proofs or SAMPLE)
        result = _saved_audit(saved, place, found, place.backend, place.head, "")
    else:
        with replay(directory) as again:
            found = audit(Rpc(again.url), deployment, record, sample=proofs or SAMPLE)
        result = _saved_audit(saved, place, found, "anvil, replayed", again.head, again.fault)
    if proofs is None:
        return result
    save_proofs(directory / PROOFS, deployment, found.proved)
    return result.model_copy(update={"proofs_file": str(directory / PROOFS)})


def _saved_audit(
    saved: Saved, place: ChainPlace, audit: Audit, node: str, head: str, fault: str
) -> SavedAudit:
    faults = [fault] if fault else []
    faults += derivation_faults(saved)
    if head != place.head:
        faults.append(f"head: {head} on the chain, {place.head} in the record")
    return SavedAudit(
        run=str(saved.directory),
        node=node,
        parity=audit.parity and not faults,
        difference_micros=audit.difference_micros,
        calls_recorded=len(saved.frames.calls.filter(pl.col("status") == "settled")),
        calls_on_chain=audit.calls_on_chain,
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


def parity_of(saved: Saved, settlement: Settlement | None, audit: Audit | None) -> Parity | None:
    """What the law of parity looks at; None without a chain.

    A node that is lost cannot be audited: then what was not known to be settled counts as missing.
    """
    place = saved.manifest.chain
    if settlement is None or place is None:
        return None
    if audit is not None:
        return Parity(
            difference_micros=audit.difference_micros,
            calls_missing=len(audit.missing),
            calls_unexpected=len(audit.unexpected),
            calls_differing=len(audit.differing),
            faults=len(audit.faults),
        )
    known = place.first_call + settlement.calls
    missing = saved.frames.calls.filter(pl.col("settled_id") >= known)
    return Parity(
        difference_micros=int(missing["charge_micros"].sum()),
        calls_missing=len(missing),
        calls_unexpected=0,
        calls_differing=0,
        faults=1,
    )


def chain_figures(saved: Saved, settlement: Settlement | None, audit: Audit | None) -> ChainFigures:
    """The chain's part of the summary; ``audit`` is None if the node was lost."""
    place, rail = saved.manifest.chain, saved.frames.scenario.rail.kind
    if settlement is None or place is None:
        return ChainFigures(
            rail=rail, backend="none", calls_settled=0, transactions=0, gas_total=0,
            gas_per_call=None, parity=None, difference_micros=None, head=None, seconds=0.0,
        )  # fmt: skip
    calls = audit.calls_on_chain if audit else settlement.calls
    return ChainFigures(
        rail=rail,
        backend=place.backend,
        calls_settled=calls,
        transactions=settlement.transactions,
        gas_total=settlement.gas_total,
        gas_per_call=settlement.gas_total / calls if calls else None,
        parity=audit.parity if audit else False,
        difference_micros=audit.difference_micros if audit else None,
        head=settlement.head,
        seconds=settlement.seconds + (audit.seconds if audit else 0.0),
    )
