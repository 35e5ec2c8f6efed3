"""Honesty: whether a model answers as itself and bills what it made; and in which ways it may not.

Overstated quality is a model's ``declared_quality``; sybils are models of one ``owner``, and wash
trades the calls of agents whose group has the owner of the model they buy from.
"""

from typing import Annotated, Literal

from pydantic import Field

from sim.parameters import Parameters, Share
from sim.scenario.names import Name


class Honest(Parameters):
    """It answers every call itself and bills the tokens it has made."""

    kind: Literal["honest"] = "honest"


class Substitution(Parameters):
    """A ``share`` of its calls is answered by another model of the pool, in its name, at its price.

    Which ones is drawn from the task. Right or wrong, how long, how fast and at which cost is then
    the other's; it need not be on offer itself.
    """

    kind: Literal["substitution"]
    by: Name
    share: Share = 1.0


class Inflation(Parameters):
    """It bills ``factor`` times the output tokens it has made, rounded up; its quotes rise as much.

    A tenth more goes unseen among answers whose lengths vary anyway.
    """

    kind: Literal["inflation"]
    factor: Annotated[float, Field(ge=1, le=100)] = 1.11


Honesty = Annotated[Honest | Substitution | Inflation, Field(discriminator="kind")]
HONESTY = {"honest": Honest, "substitution": Substitution, "inflation": Inflation}
