"""How long a model is expected to take, from its parameters alone."""

import math

from sim.latencies import Lognormal
from sim.scenario.supply import Model
from sim.units import US_PER_S


def time_terms(model: Model) -> tuple[float, float]:
    """Expected us until the first token, and per token of the reference answer."""
    latency = model.latency
    spread = math.exp(latency.sigma**2 / 2) if isinstance(latency.law, Lognormal) else 1.0
    if model.breakdowns.mean_busy_s is not None:
        spread *= 1 + model.breakdowns.mean_repair_s / model.breakdowns.mean_busy_s
    expansion = model.verbosity / (1 - model.reasoning_share)
    return (
        latency.first_token_ms * 1000 * spread,
        expansion * US_PER_S / latency.tokens_per_s * spread,
    )
