"""Posted price: what a model lists is what it costs."""

from typing import Literal

from sim.parameters import Parameters


class Posted(Parameters):
    """Posted price: one task at a time, as it is posted, at the model's list price."""

    kind: Literal["posted"] = "posted"
