"""What models listed when each call was quoted: their first prices, and those that moved since."""

from typing import NamedTuple

import numpy as np

from sim.models import list_tariff
from sim.record.asides import jobs_from_frame, prices_from_frame
from sim.record.frames import Frames
from sim.scenario.schema import Scenario
from sim.units import Int64Array


class ListPrice(NamedTuple):
    """A model's tariff in micros, per call and per million tokens: one, or one for each call."""

    per_call: int | Int64Array
    input: int | Int64Array
    cached: int | Int64Array
    output: int | Int64Array


class Listed:
    """The list prices of a run; for a call that is an on-chain job, all models have its price."""

    def __init__(self, frames: Frames, first: Scenario) -> None:
        self._moved = prices_from_frame(frames.prices)
        self._jobs = jobs_from_frame(frames.jobs)
        self._first = [ListPrice(*list_tariff(model).parts) for model in first.models.values()]

    def of(self, model: int, call_id: Int64Array) -> ListPrice:
        """What a model listed when these calls were quoted; one price, if its never moved."""
        price = self._posted(model, call_id)
        if not len(self._jobs):
            return price
        known, place = self._jobs.call_id, np.searchsorted(self._jobs.call_id, call_id)
        place = np.minimum(place, len(known) - 1)
        job = known[place] == call_id
        return price._replace(
            per_call=np.where(job, self._jobs.gross_micros[place], price.per_call)
        )

    def _posted(self, model: int, call_id: Int64Array) -> ListPrice:
        rows, first = np.flatnonzero(self._moved.model == model), self._first[model]
        if not len(rows):
            return first
        moved = self._moved.take(rows)
        place = np.searchsorted(moved.first_call, call_id, side="right")
        columns = (
            moved.per_call_micros, moved.input_micros, moved.cached_micros, moved.output_micros,
        )  # fmt: skip
        return ListPrice(
            *(np.concatenate([[at], each])[place] for at, each in zip(first, columns, strict=True))
        )
