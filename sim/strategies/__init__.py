"""Strategies: how agents bid, what tasks are worth to them, how models price and ask."""

from sim.strategies.bidding import BIDDING, Bidder, Bidding, BudgetPaced, Truthful
from sim.strategies.selling import (
    SELLING,
    Asking,
    CostPlus,
    FixedPrice,
    LogitBestResponse,
    PowerBestResponse,
    Repricing,
    Selling,
    ShadedAsk,
    Surge,
    Undercut,
)
from sim.strategies.values import VALUES, Fixed, Values

__all__ = [
    "BIDDING", "SELLING", "VALUES", "Asking", "Bidder", "Bidding", "BudgetPaced", "CostPlus",
    "Fixed", "FixedPrice", "LogitBestResponse", "PowerBestResponse", "Repricing", "Selling",
    "ShadedAsk", "Surge", "Truthful", "Undercut", "Values",
]  # fmt: skip
