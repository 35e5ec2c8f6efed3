"""Selling: what a model lists over time, and what it asks in an auction.

A strategy with a ``period_h`` sets the list price anew, so often: models in the order of their
names, each seeing what the others list at that moment. A price per token moves as a whole, by the
price of a typical task: one of the mean sizes over all that agents ask for.
"""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from sim.parameters import NonNegative, OpenShare, Parameters, Positive, PositiveUsd, Usd
from sim.units import micros_from_usd_exact, micros_nearest, ratio_ceil

Period = Annotated[Positive, Field(ge=1e-6, le=1e6)]


class FixedPrice(Parameters):
    """The list price, whatever happens; in an auction it asks its quote."""

    kind: Literal["fixed"] = "fixed"


class CostPlus(Parameters):
    """Its cost and ``markup`` of it more: of each task in an auction, else as a list price.

    In an auction it asks so much that this is left once the treasury has its fee, so a markup of 0
    asks the truth. A list price is what agents pay: the fee is taken from it.
    """

    kind: Literal["cost-plus"] = "cost-plus"
    markup: NonNegative = Field(default=0.0, le=1000)

    def ask_micros(self, cost_micros: int) -> int:
        """Cost x (1 + markup), to the nearest micro, before the fee."""
        return micros_nearest(cost_micros, 1 + self.markup)


class ShadedAsk(Parameters):
    """Asks (h + (n - 1) c) / n in an auction: c its cost, n the ``bidders``, h ``highest_usd``.

    And the fee on top. The equilibrium of a first-price procurement auction where costs are
    independent and uniform up to h, if agents may pay h and the fee. Elsewhere it sells at its
    list price.
    """

    kind: Literal["shaded"] = "shaded"
    bidders: Annotated[int, Field(ge=2, le=1_000_000, strict=True)]
    highest_usd: PositiveUsd

    def ask_micros(self, cost_micros: int) -> int:
        """(h + (n - 1) c) / n before the fee, rounded up; the cost where that is more than h."""
        highest_micros = micros_from_usd_exact(self.highest_usd)
        asked = ratio_ceil(highest_micros + (self.bidders - 1) * cost_micros, self.bidders)
        return max(cost_micros, asked)


class Undercut(Parameters):
    """Lists ``by`` less than the cheapest rival, so often, but never less than its cost."""

    kind: Literal["undercut"] = "undercut"
    by: OpenShare = 0.01
    period_h: Period = 1.0


class Surge(Parameters):
    """Its list price times 1 + ``slope`` x (load - ``above``), where the load is above that.

    Load is calls served or waiting over slots, looked at every ``period_h``.
    """

    kind: Literal["surge"] = "surge"
    slope: Positive = Field(default=1.0, le=1000)
    above: NonNegative = Field(default=0.8, le=1000)
    period_h: Period = 1 / 60


class LogitBestResponse(Parameters):
    """The price that earns most if agents choose by the logit rule with this ``temperature_usd``.

    Against what rivals list now; a model's worth is the tasks' mean value x its score. There may
    be an outside good of surplus ``outside_usd``. ``collude``: all such models set the price that
    one owner of them would, which takes an outside good. Where all compete and are alike, prices
    settle at cost + temperature x n / (n - 1), without an outside good.
    """

    kind: Literal["logit-best-response"] = "logit-best-response"
    temperature_usd: Positive = Field(le=1e6)
    outside_usd: Usd | None = None
    conduct: Literal["compete", "collude"] = "compete"
    period_h: Period = 1.0

    @model_validator(mode="after")
    def _bounded(self) -> Self:
        if self.conduct == "collude" and self.outside_usd is None:
            msg = "an outside_usd where models collude, or nothing bounds their price"
            raise ValueError(msg)
        return self


class PowerBestResponse(Parameters):
    """The price that earns most if tasks are shared by price^-``eta``: the router inverse-power.

    Where n models are alike, prices settle at cost x e / (e - 1), e = eta (1 - 1/n); at the agents'
    maximum price, where e is not above 1.
    """

    kind: Literal["power-best-response"] = "power-best-response"
    eta: Positive = Field(default=2.0, le=50)
    period_h: Period = 1.0


Selling = Annotated[
    FixedPrice | CostPlus | ShadedAsk | Undercut | Surge | LogitBestResponse | PowerBestResponse,
    Field(discriminator="kind"),
]
Asking = CostPlus | ShadedAsk
"""Those that ask in an auction by what the task costs them."""
Repricing = Undercut | Surge | LogitBestResponse | PowerBestResponse
"""Those that list another price, period by period."""
SELLING = {
    "fixed": FixedPrice,
    "cost-plus": CostPlus,
    "shaded": ShadedAsk,
    "undercut": Undercut,
    "surge": Surge,
    "logit-best-response": LogitBestResponse,
    "power-best-response": PowerBestResponse,
}
