"""Latency laws: (first token + output tokens / speed) * exp(sigma * a standard normal)."""

from dataclasses import dataclass

import numpy as np

from sim.replay.table import Floats, Table

SIGMA_MOST, FASTEST = 5.0, 1e6


@dataclass(frozen=True)
class Speed:
    """A model's latency law, as in `sim.scenario.schema.Latency`."""

    first_token_ms: float
    tokens_per_s: float
    sigma: float


def speeds_of(table: Table) -> list[Speed] | None:
    """One per model by non-negative least squares of seconds on tokens; None without latencies.

    sigma is the deviation of the logarithm of what is left; the mean is kept.
    """
    if table.latency_s is None:
        return None
    tokens = table.output_tokens
    return [
        _speed(table.latency_s[:, model], None if tokens is None else tokens[:, model])
        for model in range(len(table.models))
    ]


def _speed(seconds: Floats, tokens: Floats | None) -> Speed:
    from scipy.optimize import nnls

    ones = np.ones(len(seconds))
    columns = np.stack([ones, ones * 0 if tokens is None else tokens], axis=1)
    first, each = nnls(columns, seconds)[0]
    guess = np.maximum(first + columns[:, 1] * each, 1e-6)
    sigma = min(float(np.log(np.maximum(seconds, 1e-6) / guess).std()), SIGMA_MOST)
    scale = float(seconds.mean() / (guess.mean() * np.exp(sigma**2 / 2)))
    speed = 1 / (each * scale) if each * scale > 1 / FASTEST else FASTEST
    return Speed(1000 * float(first) * scale, float(speed), sigma)
