"""Call by call: what the chain settled against what the run recorded."""

import numpy as np
import numpy.typing as npt

from sim.chain.history import SettledRecords
from sim.chain.pack import Records
from sim.chain.settlement import AuditRecord
from sim.units import BytesArray, Int64Array

CALLS_NAMED = 5


class Comparison:
    """Compares batches, as they come, with the record at the same place in settlement order.

    A call is known by its answer hash, which commits to its id. Where that is another than the
    record's at the same place, `finish` tells what is missing, what is too many, and what moved.
    """

    def __init__(self, record: AuditRecord) -> None:
        self._record = record
        self._on_chain = 0
        self._at_place = np.zeros(len(record), dtype=np.bool_)
        self._differing = np.zeros(len(record), dtype=np.bool_)
        self._strange: dict[int, bytes] = {}
        self._words: list[str] = []
        self.missing: tuple[int, ...] = ()
        self.unexpected: tuple[int, ...] = ()
        self.differing: tuple[int, ...] = ()

    @property
    def calls_on_chain(self) -> int:
        """How many of the run's calls the chain has, known to the record or not."""
        return self._on_chain

    def take(
        self,
        batch: SettledRecords,
        charged: Int64Array,
        agent_ids: Int64Array,
        model_ids: Int64Array,
    ) -> None:
        """Compares a batch; ids are the chain's, by position in the scenario's lists."""
        record, records = self._record, batch.records
        start = batch.first - record.first_call
        count = max(0, min(len(record) - start, len(records)))
        here = slice(start, start + count)
        same = (records.answers[:count] == record.answer_hash[here]).all(axis=1)
        self._at_place[here] = same
        for position in [*np.flatnonzero(~same), *range(count, len(records))]:
            self._strange[batch.first + int(position)] = records.answers[position].tobytes()
        self._on_chain += len(records)
        pairs = {
            "agent": (records.agent_ids, agent_ids[record.agent[here]]),
            "model": (records.model_ids, model_ids[record.model[here]]),
            "quote_micros": (records.quote_micros, record.quote_micros[here]),
            "charge_micros": (self._asked(records, here), record.charge_micros[here]),
            "micros paid": (charged, record.charge_micros[here]),
            "score_ppm": (records.score_ppm, record.score_ppm[here]),
            "intent": (records.intent, record.intent[here]),
            "finished_us": (records.finished_us, record.finished_us[here]),
        }
        for name, (found, needed) in pairs.items():
            differs = same & (found[:count] != needed)
            if differs.any():
                self._differing[here] |= differs
                self._name(name, differs, start, found, needed)

    def _asked(self, records: Records, here: slice) -> Int64Array:
        """What calls ask by their heads; of one that was unpaid, what the record has: nothing."""
        unpaid = self._record.unpaid[here]
        asked = records.charge_micros[: len(unpaid)].copy()
        asked[unpaid] = 0
        return asked

    def _name(
        self,
        name: str,
        differs: npt.NDArray[np.bool_],
        start: int,
        found: Int64Array,
        needed: Int64Array,
    ) -> None:
        for position in np.flatnonzero(differs)[:CALLS_NAMED]:
            self._words.append(
                f"call {self._record.call_id[start + position]}: {name} is {found[position]} "
                f"on the chain, {needed[position]} in the record"
            )

    def finish(self) -> list[str]:
        """Sorts out what was not at its place; returns every fault in words."""
        record = self._record
        absent = np.flatnonzero(~self._at_place)
        wanted = {record.answer_hash[place].tobytes(): int(place) for place in absent}
        moved, unexpected = [], []
        for number, answer in self._strange.items():
            place = wanted.pop(answer, None)
            if place is None:
                unexpected.append(number)
            else:
                self._differing[place] = True
                moved.append(
                    f"call {record.call_id[place]}: settled as {number} on the chain, "
                    f"as {record.first_call + place} in the record"
                )
        self.missing = tuple(int(record.call_id[place]) for place in sorted(wanted.values()))
        self.unexpected = tuple(unexpected)
        self.differing = tuple(int(call) for call in record.call_id[self._differing])
        words = [*self._words, *moved]
        if self.missing:
            words.append(f"calls of the record that are not on the chain: {_some(self.missing)}")
        if unexpected:
            words.append(f"calls of the chain that the record does not know: {_some(unexpected)}")
        return [*words, *self._twice(), *self._refunded()]

    def _twice(self) -> list[str]:
        """The record's own calls are different ones, so that each at its place is there once."""
        distinct = len(np.unique(_keys(self._record.answer_hash)))
        if distinct == len(self._record):
            return []
        return [f"{len(self._record) - distinct} calls of the record share an answer hash"]

    def _refunded(self) -> list[str]:
        refunded = {row.tobytes() for row in self._record.refunded_hash}
        settled = [place for place, answer in self._strange.items() if answer in refunded]
        at_place = np.isin(_keys(self._record.answer_hash), _keys(self._record.refunded_hash))
        settled += [self._record.first_call + int(place) for place in np.flatnonzero(at_place)]
        if not settled:
            return []
        return [f"refunded calls are on the chain as {_some(settled)}"]


def _keys(hashes: BytesArray) -> npt.NDArray[np.uint64]:
    """The first eight bytes of each hash, which tell apart as many as a run can have."""
    return np.ascontiguousarray(hashes[:, :8]).view(np.uint64).reshape(-1)


def _some(numbers: list[int] | tuple[int, ...]) -> str:
    shown = ", ".join(str(number) for number in numbers[:CALLS_NAMED])
    return (
        shown if len(numbers) <= CALLS_NAMED else f"{shown} and {len(numbers) - CALLS_NAMED} more"
    )
