"""What is on its way to the chain: calls until their batch closes, errands until the next one."""

from collections.abc import Iterator, Sequence
from dataclasses import fields
from operator import attrgetter

import numpy as np

from sim.facts import Batch, Errand, Kind
from sim.rails import Closed
from sim.record.columns import Calls
from sim.units import BytesArray, Int64Array

NO_MODEL = -1


class Handover:
    """The calls of one run from when they are settled in the ledger to when a batch takes them."""

    def __init__(self) -> None:
        self._waiting: list[tuple[Calls, BytesArray]] = []
        self._errands: list[Errand] = []
        self._settled = self._handed = self._numbered = 0

    def __len__(self) -> int:
        """How many calls wait."""
        return self._settled - self._handed

    def add(
        self, calls: Calls, hashes: BytesArray, paid: Int64Array, moved: Sequence[tuple[int, ...]]
    ) -> None:
        """Takes a block of calls that ended, and what happened to accounts meanwhile.

        Args:
            paid: the rows that the rail settles. moved: rows of `sim.record.Withdrawals`.
        """
        found = [*self._slashes(calls, paid), *self._withdrawals(calls.finished_us[paid], moved)]
        for errand in sorted(found, key=attrgetter("time_us")):
            self._errands.append(errand._replace(number=self._numbered))
            self._numbered += 1
        self._waiting.append((calls.take(paid), hashes[paid]))
        self._settled += len(paid)

    def _slashes(self, calls: Calls, paid: Int64Array) -> Iterator[Errand]:
        for row in np.flatnonzero(calls.slash_micros).tolist():
            place = self._settled + int(np.searchsorted(paid, row))
            agent, model = int(calls.agent[row]), int(calls.model[row])
            micros, time_us = int(calls.slash_micros[row]), int(calls.finished_us[row])
            yield Errand(0, place, time_us, Kind.SLASH, agent, model, micros)

    def _withdrawals(
        self, finished_us: Int64Array, moved: Sequence[tuple[int, ...]]
    ) -> Iterator[Errand]:
        for time_us, agent, executed, micros in moved:
            place = self._settled + int(np.searchsorted(finished_us, time_us, side="right"))
            kind = Kind.WITHDRAWAL if executed else Kind.HOLD
            yield Errand(0, place, time_us, kind, agent, NO_MODEL, micros)

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
