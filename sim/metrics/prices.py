"""Figures of how prices came about: bids and asks, who gained, and how far from the best."""

from collections.abc import Iterable
from typing import Annotated

import numpy as np
import polars as pl

from sim.metrics.allocation import greatest_value_micros
from sim.metrics.competition import collusion_index
from sim.metrics.gains import Gains
from sim.metrics.parts import Part
from sim.metrics.parts import means as _is
from sim.record.frames import Frames
from sim.units import Int64Array, ratio_nearest


class PriceFigures(Part):
    """How prices came about, and who gained by them."""

    bid_micros_mean: Annotated[int | None, _is("micros", "mean bid of the calls made")]
    ask_micros_mean: Annotated[int | None, _is("micros", "mean ask of the calls made")]
    clearing_micros_mean: Annotated[int | None, _is("micros", "mean charge of calls settled")]
    revenue_micros: Annotated[int, _is("micros", "charges - fees: what clearing brings models")]
    surplus_micros: Annotated[
        int, _is("micros", "sum of the groups' surplus_micros: what agents gain")
    ]
    markup: Annotated[
        float | None,
        _is("ratio", "(charges - marginal costs) / marginal costs; null where nothing costs"),
    ]
    efficiency: Annotated[
        float | None,
        _is(
            "share",
            "value of tasks succeeded / what it would be, had each of their answers, as it was"
            " begun, gone to the most valuable of the tasks that waited then and had none (those"
            " that succeeded, those never answered): 1 where whoever values answers most gets them",
        ),
    ]
    price_of_anarchy: Annotated[
        float | None,
        _is(
            "ratio",
            "(that greatest value - marginal costs) / (value of tasks succeeded - marginal"
            " costs); null where the latter is not above 0",
        ),
    ]
    gini_revenue: Annotated[
        float | None,
        _is("index", "Gini coefficient of the models' revenue: 0 alike, 1 - 1/n one has it all"),
    ]
    collusion_index: Annotated[
        float | None,
        _is(
            "index",
            "(profit per settled call - Nash) / (monopoly - Nash), both of the models' declared"
            " quality; null unless all models sell by best responses to one demand",
        ),
    ]


def prices(frames: Frames, gains: Iterable[Gains]) -> PriceFigures:
    """The figures of a record, in which groups have these gains."""
    calls, tasks = frames.calls, frames.tasks
    charges, fees, costs = (
        int(calls[f"{name}_micros"].sum()) for name in ("charge", "fee", "cost")
    )
    settled = int((calls["status"] == "settled").sum())
    won = tasks.filter(pl.col("outcome") == "succeeded")["value_micros"]
    value = int(won.sum())
    best = greatest_value_micros(frames)
    revenue = dict(
        calls.group_by("model")
        .agg((pl.col("charge_micros") - pl.col("fee_micros")).sum())
        .iter_rows()
    )
    return PriceFigures(
        bid_micros_mean=ratio_nearest(int(calls["bid_micros"].sum()), len(calls)),
        ask_micros_mean=ratio_nearest(int(calls["ask_micros"].sum()), len(calls)),
        clearing_micros_mean=ratio_nearest(charges, settled),
        revenue_micros=charges - fees,
        surplus_micros=sum(each.surplus_micros for each in gains),
        markup=(charges - costs) / costs if costs else None,
        efficiency=value / best if best else None,
        price_of_anarchy=(best - costs) / (value - costs) if value > costs else None,
        gini_revenue=gini(
            np.array([revenue.get(name, 0) for name in frames.scenario.models], np.int64)
        ),
        collusion_index=collusion_index(
            frames.scenario, (charges - fees - costs) / settled if settled else None
        ),
    )


def gini(amounts: Int64Array) -> float | None:
    """The Gini coefficient: sum over i of (2 i - n - 1) x_i / (n sum x), x ascending, i from 1."""
    total, n = int(amounts.sum()), len(amounts)
    if not total:
        return None
    ranks = 2 * np.arange(1, n + 1) - n - 1
    return int((ranks * np.sort(amounts)).sum()) / (n * total)
