"""What is on its way to the chain: calls until their batch closes, errands until the next one."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import fields
from typing import NamedTuple

import numpy as np

from sim.facts import Batch, Errand, Kind
from sim.rails import Closed
from sim.record.columns import Calls
from sim.units import BytesArray, Int64Array

NO_MODEL = -1


class _Found(NamedTuple):
    """An errand and what orders it: time, slashes first, then calls by id or steps as they came."""

    time_us: int
    late: bool
    which: int
    errand: Errand


class Handover:
    """The calls of one run from when they are settled in the ledger to when a batch takes them.

    Errands are in the order that the record implies, wherever one block of calls ended and the next
    began: so those of the instant at which a block ends wait for what else that instant brings.
    """

    def __init__(self) -> None:
        self._waiting: list[tuple[Calls, BytesArray]] = []
        self._errands: list[Errand] = []
        self._unordered: list[_Found] = []
        self._settled = self._handed = self._numbered = self._steps = self._place = 0

    def __len__(self) -> int:
        """How many calls wait."""
        return self._settled - self._handed

    def add(
        self, calls: Calls, hashes: BytesArray, paid: Int64Array, moved: Sequence[tuple[int, ...]],
        now_us: int,
    ) -> None:  # fmt: skip
        """Takes a block of calls that ended, and what happened to accounts meanwhile.

        Args:
            paid: the rows that the rail settles. moved: rows of `sim.record.Withdrawals`.
            now_us: when the block ends; more may happen at that instant.
        """
        found = [*self._slashes(calls, paid), *self._withdrawals(calls.finished_us[paid], moved)]
        found = sorted([*self._unordered, *found])
        self._unordered = [one for one in found if one.time_us >= now_us]
        self._order(one for one in found if one.time_us < now_us)
        self._waiting.append((calls.take(paid), hashes[paid]))
        self._settled += len(paid)

    def end(self) -> None:
        """Nothing comes any more: what waits for its instant to be over has its order."""
        self._order(self._unordered)
        self._unordered = []

    def _order(self, found: Iterable[_Found]) -> None:
        for *_, errand in found:
            self._place = max(self._place, errand.place)
            self._errands.append(errand._replace(number=self._numbered, place=self._place))
            self._numbered += 1

    def _slashes(self, calls: Calls, paid: Int64Array) -> Iterator[_Found]:
        for row in np.flatnonzero(calls.slash_micros).tolist():
            place = self._settled + int(np.searchsorted(paid, row))
            agent, model = int(calls.agent[row]), int(calls.model[row])
            micros, time_us = int(calls.slash_micros[row]), int(calls.finished_us[row])
            errand = Errand(0, place, time_us, Kind.SLASH, agent, model, micros)
            yield _Found(time_us, False, int(calls.call_id[row]), errand)

    def _withdrawals(
        self, finished_us: Int64Array, moved: Sequence[tuple[int, ...]]
    ) -> Iterator[_Found]:
        for time_us, agent, executed, micros in moved:
            place = self._settled + int(np.searchsorted(finished_us, time_us, side="right"))
            kind = Kind.WITHDRAWAL if executed else Kind.HOLD
            errand = Errand(0, place, time_us, kind, agent, NO_MODEL, micros)
            yield _Found(time_us, True, self._steps, errand)
            self._steps += 1

    def batches(self, closed: list[Closed]) -> Iterator[Batch]:
        """The batches that the rail has closed, each with the errands before its last call."""
        if not closed:
            return
        columns, hashes = self._columns()
        first = self._handed
        self._handed = closed[-1].stop
        rest = np.arange(self._handed - first, len(columns))
        self._waiting = [(columns.take(rest), hashes[rest])]
        for batch in closed:
            rows = np.arange(batch.start - first, batch.stop - first)
            yield _batch(batch, columns.take(rows), hashes[rows], self._until(batch.stop))

    def last(self, number: int, now_us: int) -> Iterator[Batch]:
        """A batch of no calls, for errands that no call comes after."""
        if self._errands:
            columns, hashes = self._columns()
            closed = Closed(number, self._handed, self._handed, now_us)
            none = np.arange(0)
            yield _batch(closed, columns.take(none), hashes[none], self._until(self._handed + 1))

    def _columns(self) -> tuple[Calls, BytesArray]:
        """All calls that wait, and their hashes."""
        columns = Calls(
            *(
                np.concatenate([getattr(calls, field.name) for calls, _ in self._waiting])
                for field in fields(Calls)
            )
        )
        return columns, np.concatenate([block for _, block in self._waiting])

    def _until(self, stop: int) -> tuple[Errand, ...]:
        """Takes the errands whose place is before ``stop``."""
        found = tuple(errand for errand in self._errands if errand.place < stop)
        self._errands = self._errands[len(found) :]
        return found


def _batch(closed: Closed, calls: Calls, hashes: BytesArray, errands: tuple[Errand, ...]) -> Batch:
    return Batch(
        number=closed.number,
        closed_us=closed.closed_us,
        first=closed.start,
        call_id=calls.call_id,
        agent=calls.agent,
        model=calls.model,
        quote_micros=calls.quote_micros,
        charge_micros=calls.charge_micros,
        fee_micros=calls.fee_micros,
        score_ppm=calls.score_ppm,
        intent=calls.intent,
        finished_us=calls.finished_us,
        answer_hash=hashes,
        errands=errands,
    )
