"""Auctions among agents for a model's slots: who waits there is ranked by bid.

What a model quotes is its reserve: a bid below it does not enter. The bid is held; the clearing
price is charged for the call as a whole, whatever the length of the answer.
"""

from decimal import Decimal
from typing import Annotated, Literal

from pydantic import Field

from sim.parameters import Parameters, Positive, Usd

Tick = Annotated[Positive, Field(ge=1e-3, le=1e6)]


class FirstPrice(Parameters):
    """Agents bid for a model's slots; the highest bid is served next, and pays itself.

    A slot is sold as it falls free; with ``tick_s``, all free slots are sold together, so often.
    No bid below ``reserve_usd``, or below the model's quote, enters.
    """

    kind: Literal["first-price"] = "first-price"
    reserve_usd: Usd = Decimal(0)
    tick_s: Tick | None = None


class SecondPrice(Parameters):
    """Agents bid for a model's slots; the highest bid is served next, and pays the best losing one.

    Who wins alone pays the reserve: ``reserve_usd``, or the model's quote if that is more. A slot
    is sold as it falls free; with ``tick_s``, all free slots are sold together, so often
    (Vickrey 1961). A bid moves when its bidder is served, not what it then pays.
    """

    kind: Literal["second-price"] = "second-price"
    reserve_usd: Usd = Decimal(0)
    tick_s: Tick | None = None


class UniformPrice(Parameters):
    """Every ``tick_s``, a model's k free slots go to the k highest bids at the best losing bid.

    One price for all, not below the reserve: ``reserve_usd``, or the model's quote for the task.
    """

    kind: Literal["uniform-price"] = "uniform-price"
    reserve_usd: Usd = Decimal(0)
    tick_s: Tick = 1.0


class Double(Parameters):
    """A call market every ``tick_s``: bids from the highest down meet free slots from the cheapest.

    All pairs trade at one price, midway between the last bid and the last ask that still meet
    (the 1/2-double auction: Wilson 1985; Rustichini, Satterthwaite, Williams 1994). A slot's ask is
    its model's quote for the task, or ``reserve_usd`` if that is more. A call waits at the model
    the router picked, and is served by the one it is matched with.
    """

    kind: Literal["double"] = "double"
    reserve_usd: Usd = Decimal(0)
    tick_s: Tick = 1.0
