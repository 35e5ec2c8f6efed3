"""Sampled calls with where they stand on chain, and the Merkle path that proves each to its root.

A path is made again from the record alone: the batch is packed as the settler packs it, and the
path is given only if it leads to the root that the record holds.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import polars as pl

from sim.chain import merkle
from sim.chain.pack import pack, split, unpack
from sim.facts import Batch
from sim.record.frames import calls_from_frame, hashes_from_frame
from sim.report.reading import Record
from sim.units import Int64Array

SAMPLES = 12
SELECTOR = bytes(4)


@dataclass(frozen=True)
class Proof:
    """The leaf of a call and the hashes beside its path to the root; hex."""

    leaf: str
    beside: tuple[str, ...]


@dataclass(frozen=True)
class Settled:
    """A sampled call: its ids, who bought from whom for how much, and where it stands on chain.

    ``proof`` is None if it cannot be made from the record alone.
    """

    settled_id: int
    call_id: int
    agent: str
    model: str
    charge_micros: int
    answer_hash: str
    transaction: str
    root: str
    proof: Proof | None


def sampled(record: Record) -> list[Settled]:
    """Calls from the first to the last that landed on the chain, evenly spaced."""
    landed = record.batches.filter(pl.col("block").is_not_null()).sort("batch")
    if landed.is_empty():
        return []
    starts, counts = (landed[name].to_numpy() for name in ("first_settled_id", "calls"))
    ranks = np.unique(np.linspace(0, int(counts.sum()) - 1, SAMPLES).astype(np.int64))
    ends = np.cumsum(counts)
    at = np.searchsorted(ends, ranks, side="right")
    wanted = starts[at] + ranks - (ends - counts)[at]
    numbers = landed["batch"].to_numpy()[np.unique(at)]
    calls = (
        record.calls.filter(pl.col("batch").is_in(numbers.tolist())).sort("settled_id").collect()
    )
    rows = {int(row["batch"]): row for row in landed.iter_rows(named=True)}
    found: list[Settled] = []
    for (number,), of_batch in calls.group_by("batch", maintain_order=True):
        mine = [int(i) for i in wanted if i in of_batch["settled_id"]]
        assert isinstance(number, int)
        row = rows[number]
        found += _of_batch(record, of_batch, mine, row["transactions"], row["roots"])
    return found


def _of_batch(
    record: Record, calls: pl.DataFrame, wanted: list[int], transactions: list[str],
    roots: list[str],
) -> Iterator[Settled]:  # fmt: skip
    first = int(calls["settled_id"][0])
    batch = _batch(calls, first)
    events = record.scenario.chain.call_events
    parts = split(batch, events)
    for settled_id in wanted:
        row = calls.row(settled_id - first, named=True)
        place = settled_id - first
        at = next((i for i, part in enumerate(parts) if part.start <= place < part.stop), 0)
        at = min(at, len(roots) - 1)
        yield Settled(
            settled_id=settled_id,
            call_id=int(row["call_id"]),
            agent=str(row["agent"]),
            model=str(row["model"]),
            charge_micros=int(row["charge_micros"]),
            answer_hash=row["answer_hash"].hex(),
            transaction=transactions[at],
            root=roots[at],
            proof=_proof(record, batch, parts[at], place, roots[at], events),
        )


def _batch(calls: pl.DataFrame, first: int) -> Batch:
    columns = calls_from_frame(calls)
    return Batch(
        number=0,
        closed_us=0,
        first=first,
        call_id=columns.call_id,
        agent=columns.agent,
        model=columns.model,
        quote_micros=columns.quote_micros,
        charge_micros=columns.charge_micros,
        fee_micros=columns.fee_micros,
        score_ppm=columns.score_ppm,
        intent=columns.intent,
        finished_us=columns.finished_us,
        answer_hash=hashes_from_frame(calls),
    )


def _proof(
    record: Record, batch: Batch, part: slice, place: int, root: str, events: bool
) -> Proof | None:
    """The path of the call at ``place``; accounts of a run of its own are numbered in order."""
    agents, models = _ids(record)
    packed = pack(batch, part, agents, models, events)
    records = unpack(packed.calldata(SELECTOR, batch.first + part.start))
    leaves = merkle.leaves(
        records.first, records.agent_ids, records.model_ids, records.heads, records.answers,
        records.charge_micros,
    )  # fmt: skip
    beside = merkle.proof(leaves, place - part.start)
    leaf = leaves[place - part.start]
    if not merkle.proves(bytes.fromhex(root.removeprefix("0x")), leaf, beside):
        return None
    return Proof(leaf.hex(), tuple(node.hex() for node in beside))


def _ids(record: Record) -> tuple[Int64Array, Int64Array]:
    count = sum(group.count for group in record.scenario.groups.values())
    return np.arange(1, count + 1), np.arange(count + 1, count + 1 + len(record.models))
