"""What a run that is just over settled: where it landed, whether it is right, its figures."""

from collections import defaultdict

import polars as pl

from sim.auditing.asking import Place
from sim.auditing.protocol import with_protocol
from sim.auditing.recorded import audit_record
from sim.chain import Settlement
from sim.chain.settlement import Audit
from sim.laws import Parity
from sim.metrics import ChainFigures
from sim.record.archive import ChainPlace, Saved
from sim.record.batches import Landed


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


def place_of(settlement: Settlement | None, place: Place, *, halted: bool) -> ChainPlace | None:
    """Where on the chain a run is; None if it has no chain."""
    if settlement is None:
        return None
    return ChainPlace(
        backend=place.chain,
        first_call=settlement.ready.first_call,
        first_block=settlement.ready.first_block,
        last_block=settlement.last_block,
        head=settlement.head,
        calls=settlement.calls,
        halted=halted,
        errands=settlement.errands,
        warp=place.warp,
    )


def audit_settled(saved: Saved, settlement: Settlement) -> Audit:
    """Audits a run on the node it was settled on, while that stands."""
    from sim.chain import Rpc, audit  # web3.py takes a second to import

    with Rpc(settlement.ready.url) as rpc:
        found = audit(rpc, settlement.ready.deployment, audit_record(saved))
        return with_protocol(found, rpc, saved)


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
    calls = (audit.calls_on_chain if audit else settlement.calls) - len(settlement.unpaid)
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
