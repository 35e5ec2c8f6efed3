"""Strategies: how agents bid where bids are asked for, and what their tasks are worth to them."""

from sim.strategies.bidding import BIDDING, Bidder, Bidding, Truthful
from sim.strategies.values import VALUES, Fixed, Values

__all__ = ["BIDDING", "VALUES", "Bidder", "Bidding", "Fixed", "Truthful", "Values"]
