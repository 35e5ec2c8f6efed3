"""What models list, and how many slots they have, as rows of the record whenever that changes."""

from collections.abc import Callable, Sequence

from sim.clock import Clock
from sim.models.endpoint import Endpoint


class Changes:
    """Rows of `sim.record.Prices` and `sim.record.Slots`, until the world takes them.

    Args:
        next_call: the id of the next call, the first that a new price may be quoted to.
    """

    def __init__(
        self, clock: Clock, models: Sequence[Endpoint], next_call: Callable[[], int]
    ) -> None:
        self._clock, self._next_call = clock, next_call
        self._listed = [model.tariff.parts for model in models]
        self._had = [model.slots for model in models]
        self.prices: list[tuple[int, ...]] = []
        self.slots: list[tuple[int, ...]] = []

    def note(self, model: Endpoint) -> None:
        """Writes down what has changed of a model, if anything has."""
        index, listed = model.index, model.tariff.parts
        if listed != self._listed[index]:
            self._listed[index] = listed
            self.prices.append((self._clock.now, self._next_call(), index, *listed))
        if model.slots != self._had[index]:
            self._had[index] = model.slots
            self.slots.append((self._clock.now, index, model.slots))
