"""The payment and the trust graph of a record as ties between accounts, and their figures."""

from typing import Annotated, Final

import numpy as np
import polars as pl

from sim.graphs.networks import Tie, graphml, structure
from sim.metrics.parts import Part, means
from sim.metrics.prices import gini
from sim.record import ANSWERED_NAMES
from sim.record.frames import Frames
from sim.units import BPS

AGENTS_MAX: Final = 100
"""Beyond so many agents, the graphs have a node per group instead."""


class NetworkFigures(Part):
    """What one graph looks like, from its sources (agents, validators) to its targets (models)."""

    nodes: Annotated[int, means("nodes", "that pay or are paid, rate or are rated")]
    ties: Annotated[int, means("ties", "pairs of them that deal with each other")]
    hhi: Annotated[int, means("index", "sum of squared shares of the targets' weight x 10^4")]
    gini: Annotated[float | None, means("index", "Gini coefficient of the targets' weight")]
    gini_sources: Annotated[float | None, means("index", "the same of the sources'")]
    communities: Annotated[int, means("communities", "found by Louvain's method")]
    modularity: Annotated[
        float, means("index", "share of weight within communities, beyond what chance would put")
    ]
    suspect_share: Annotated[
        float,
        means(
            "share",
            "of all weight, that in communities of at most half of it whose conductance is under"
            " 0.1: what sybils look like, and walls too",
        ),
    ]


def payments(frames: Frames) -> list[Tie]:
    """Who paid whom: calls, and micros charged, from agents (or groups) to models."""
    return _ties(frames, pl.col("charge_micros") > 0, pl.col("charge_micros").sum())


def trust(frames: Frames) -> list[Tie]:
    """Who rated whom, and how well.

    Where a protocol has validators rate models: the rounds in which one judged the other, weighed
    by the mean score in ppm. Else by the agents' own verdicts: answers, weighed by the right ones.
    """
    ratings = frames.protocol.ratings
    if not ratings.is_empty():
        return [
            Tie(f"validator:{by}", f"model:{model}", int(rounds), int(rounds * score) // 10**6)
            for by, model, rounds, score in ratings.sort("validator", "model").iter_rows()
        ]
    return _ties(frames, pl.col("reason").is_in(ANSWERED_NAMES), pl.col("success").sum())


def _ties(frames: Frames, dealt: pl.Expr, weight: pl.Expr) -> list[Tie]:
    agents = sum(group.count for group in frames.scenario.groups.values())
    side = "agent" if agents <= AGENTS_MAX else "group"
    pairs = frames.calls.lazy().filter(dealt).group_by(side, "model")
    found = pairs.agg(times=pl.len(), weight=weight).sort(side, "model").collect()
    return [
        Tie(f"{side}:{source}", f"model:{model}", int(times), int(total))
        for source, model, times, total in found.iter_rows()
    ]


def network_figures(ties: list[Tie]) -> NetworkFigures:
    """The figures of one graph."""
    found = structure(ties)
    weights: tuple[dict[str, int], dict[str, int]] = ({}, {})
    for tie in ties:
        for side, name in zip(weights, (tie.source, tie.target), strict=True):
            side[name] = side.get(name, 0) + tie.weight
    sources, targets = (np.array(list(side.values()), np.int64) for side in weights)
    total = int(targets.sum())
    squares = sum(weight * weight for weight in weights[1].values())
    return NetworkFigures(
        nodes=len(sources) + len(targets),
        ties=len(ties),
        hhi=(2 * BPS * squares + total**2) // (2 * total**2) if total else 0,
        gini=gini(targets),
        gini_sources=gini(sources),
        communities=len(found.communities),
        modularity=round(found.modularity, 6),
        suspect_share=found.suspect_share,
    )


def graph_files(frames: Frames) -> dict[str, str]:
    """Both graphs as GraphML, by the name of their file."""
    judged = not frames.protocol.ratings.is_empty()
    return {
        "payments.graphml": graphml(payments(frames), "micro-USDC charged"),
        "trust.graphml": graphml(trust(frames), "scores given" if judged else "right answers"),
    }
