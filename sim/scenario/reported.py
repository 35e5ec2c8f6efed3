"""What was reported of a real market, to be held against a run: shares by the models' origin."""

from typing import Self

from pydantic import model_validator

from sim.parameters import Parameters, Share
from sim.scenario.supply import Hours, Origin, Source


class Reported(Parameters):
    """A share of the tokens of calls posted in some hours that was reported for an ``origin``.

    Args:
        among: the origins that the share is a share of; all models, when left out.
        fitted: whether the scenario's parameters were chosen in view of it.
    """

    from_h: Hours
    to_h: Hours
    origin: Origin
    among: tuple[Origin, ...] = ()
    share_tokens: Share
    fitted: bool = False
    source: Source | None = None

    @model_validator(mode="after")
    def _forward(self) -> Self:
        if self.to_h <= self.from_h:
            msg = "to_h after from_h"
            raise ValueError(msg)
        return self

    def counts(self, origin: str | None) -> bool:
        """Whether a model of an origin is among those that the share is of."""
        return not self.among or origin in self.among
