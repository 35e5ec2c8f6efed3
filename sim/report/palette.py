"""One colour per model and per origin, the same in every picture of a report.

A colour is a name such as ``@m0`` that the page resolves by its theme; the first models by calls
have one of their own, all others share a grey.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from sim.report.picture import Key
from sim.report.reading import Record

COLOURED_MODELS = 8
COLOURED_ORIGINS = 5
OTHER = "@other"
UNSTATED = "unstated"
SYMBOLS = ("circle", "diamond", "square", "triangle-up", "star-triangle-down")
DASHES = ("solid", "dash", "dot", "dashdot", "longdash", "longdashdot", "5px 2px", "2px 4px")


@dataclass(frozen=True)
class Palette:
    """Models and origins over all runs, those with most calls first."""

    models: tuple[str, ...]
    origins: tuple[str, ...]

    @property
    def named(self) -> tuple[str, ...]:
        """The models that have a colour of their own."""
        every = len(self.models) <= COLOURED_MODELS
        return self.models if every else self.models[: COLOURED_MODELS - 1]

    @property
    def named_origins(self) -> tuple[str, ...]:
        """The origins that have a colour of their own."""
        every = len(self.origins) <= COLOURED_ORIGINS
        return self.origins if every else self.origins[: COLOURED_ORIGINS - 1]

    def model(self, name: str) -> str:
        """A model's colour."""
        return f"@m{self.models.index(name)}" if name in self.named else OTHER

    def dash(self, name: str) -> str:
        """A model's line, so that colour is not all that tells it."""
        return DASHES[self.models.index(name)] if name in self.named else "solid"

    def lines(self, models: Sequence[str]) -> list[Key]:
        """What tells the lines of these models apart; one key for all that share the grey."""
        named = [name for name in self.named if name in models]
        keys = [Key(name, self.model(name), "line") for name in named]
        return keys if len(named) == len(models) else [*keys, Key("others", OTHER, "line")]

    def origin(self, name: str) -> str:
        """An origin's colour."""
        return f"@o{self.origins.index(name)}" if name in self.named_origins else OTHER

    def symbol(self, origin: str) -> str:
        """An origin's mark."""
        return SYMBOLS[min(self.origins.index(origin), len(SYMBOLS) - 1)]


def origins_of(record: Record) -> list[str]:
    """The origin of each model, by its position."""
    return [model.origin or UNSTATED for model in record.scenario.models.values()]


def palette_of(records: Sequence[Record]) -> Palette:
    """The palette of all runs together."""
    models: dict[str, int] = {}
    origins: dict[str, int] = {}
    for record in records:
        for origin, (name, model) in zip(
            origins_of(record), record.figures.models.items(), strict=True
        ):
            models[name] = models.get(name, 0) + model.calls
            origins[origin] = origins.get(origin, 0) + model.calls
    return Palette(_by_calls(models), _by_calls(origins))


def _by_calls(calls: dict[str, int]) -> tuple[str, ...]:
    return tuple(sorted(calls, key=lambda name: (-calls[name], name)))
