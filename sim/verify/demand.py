"""Demand: what share of the tasks each model gets, by utility or by price."""

from typing import Annotated, Literal

from pydantic import Field

from sim.parameters import Positive
from sim.verify.case import Case, Found, Known, Tasks
from sim.verify.markets import agents, market, model, priced, ran

Utility = Annotated[float, Field(ge=-100, le=100)]


class LogitShares(Case):
    """Agents choose by utility, with a taste of their own: McFadden's shares."""

    kind: Literal["logit"] = "logit"
    temperature: Positive = 1.0
    utilities: tuple[Utility, ...] = Field(default=(1.0, 0.5, 0.0), min_length=2, max_length=100)
    tasks: Tasks = 2_500

    def known(self) -> list[Known]:
        """Each share, and how concentrated they are."""
        shares = softmax(self.utilities, self.temperature)
        words = "exp(u_i / t) / sum of exp(u_j / t)"
        return [
            *(Known(f"share of {place}", words, each) for place, each in enumerate(shares, 1)),
            Known("HHI", "10^4 sum of s_i^2", 1e4 * sum(share**2 for share in shares)),
        ]

    def observe(self, seed: int) -> Found:
        """One run in which the dearer a model is, the less it is worth taking."""
        top = max(self.utilities)
        prices = [top - utility for utility in self.utilities]
        router = {"kind": "logit", "temperature_usd": self.temperature}
        return shares_at(prices, router, self.tasks, seed)


class PowerShares(Case):
    """A router that shares tasks by price^-eta."""

    kind: Literal["inverse-power"] = "inverse-power"
    eta: Annotated[float, Field(ge=0, le=50)] = 2.0
    prices: tuple[Annotated[float, Field(ge=0.01, le=1e6)], ...] = Field(
        default=(1.0, 2.0, 3.0), min_length=2, max_length=100
    )
    tasks: Tasks = 2_500

    def known(self) -> list[Known]:
        """Each share, and how concentrated they are."""
        weights = [price**-self.eta for price in self.prices]
        shares = [weight / sum(weights) for weight in weights]
        words = "p_i^-eta / sum of p_j^-eta"
        return [
            *(Known(f"share of {place}", words, each) for place, each in enumerate(shares, 1)),
            Known("HHI", "10^4 sum of s_i^2", 1e4 * sum(share**2 for share in shares)),
        ]

    def observe(self, seed: int) -> Found:
        """One run at these prices."""
        router = {"kind": "inverse-power", "eta": self.eta}
        return shares_at(self.prices, router, self.tasks, seed)


def softmax(utilities: tuple[float, ...], temperature: float) -> list[float]:
    """exp(u_i / t) over their sum."""
    import numpy as np

    weights = np.exp((np.array(utilities) - max(utilities)) / temperature)
    shares: list[float] = (weights / weights.sum()).tolist()
    return shares


def shares_at(
    prices: tuple[float, ...] | list[float], router: dict[str, object], tasks: int, seed: int
) -> Found:
    """The shares of models at these prices in one run, and the market's own figure of HHI."""
    models = {f"m{place:02}": model(price=priced(price)) for place, price in enumerate(prices)}
    found = ran(market(models, {"a": agents(1)}, tasks, seed, router=router)).figures
    shares = [found.models[name].share_calls for name in models]
    return Found([*(share or 0.0 for share in shares), found.market.hhi_calls or 0.0])
