"""Prices per token that a table's costs tell, by non-negative least squares on its tokens."""

import numpy as np

from sim.replay.table import Floats, Table


def prices_of(table: Table) -> Floats:
    """Dollars per input and per output token: (models, 2); all 0 where they are not recorded."""
    from scipy.optimize import nnls

    prices = np.zeros((len(table.models), 2))
    if table.cost_usd is None or table.input_tokens is None or table.output_tokens is None:
        return prices
    for model in range(len(table.models)):
        tokens = np.stack([table.input_tokens[:, model], table.output_tokens[:, model]], axis=1)
        prices[model] = nnls(tokens, table.cost_usd[:, model])[0]
    return prices
