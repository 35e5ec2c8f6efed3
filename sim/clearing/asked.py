"""Asks that nobody could tell from the rest of the record, written down as calls are made."""

from sim.clearing.types import Floor
from sim.costs import Drawn
from sim.models import Call, Endpoint
from sim.strategies import Asking


class Asked:
    """What models ask for each call, where costs are drawn: as rows of `sim.record.Asks`."""

    def __init__(self, floor: Floor) -> None:
        self._rows, self._endpoints = floor.asks, floor.pool.endpoints
        self.adopt()

    def adopt(self) -> None:
        """Models ask and bear costs by the parameters that they have now."""
        self._drawing = [each for each in self._endpoints if _draws(each)]

    def note(self, call: Call) -> None:
        """Writes down what each model that serves the intent asks, busy or down though it be."""
        task = call.task
        for model in self._drawing:
            if task.intent in model.abilities:
                self._rows.append((call.id, model.index, model.ask_micros(task)))


def _draws(model: Endpoint) -> bool:
    return isinstance(model.selling, Asking) and isinstance(model.costs, Drawn)
