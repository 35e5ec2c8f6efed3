"""The payment and trust graphs: folds of the record, the same anywhere, and telling of sybils."""

import subprocess
import sys
from dataclasses import replace
from io import BytesIO
from itertools import product

import networkx as nx
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim.graphs.networks import Tie, graphml, structure
from sim.graphs.workflows import before, between, cycle, in_order
from sim.metrics import figures, graph_files
from sim.metrics.networks import network_figures, payments, trust
from sim.record.frames import Frames
from tests.scenarios_for_tests import group, lively, ran, scenario

HONEST = [
    Tie(f"agent:a/{n}", f"model:{m}", 10, 1000 + 7 * n)
    for n, m in product(range(10), "xyz")
]  # fmt: skip
SYBILS = [Tie(f"agent:s/{n}", "model:sybil", 50, 2000) for n in range(5)]
CAMOUFLAGE = [Tie(f"agent:s/{n}", "model:x", 1, 50) for n in range(5)]


@pytest.fixture(scope="module")
def frames() -> Frames:
    return ran(lively(300))


def test_whoever_pays_its_own_model_and_hardly_any_other_stands_apart() -> None:
    found = structure(HONEST + SYBILS + CAMOUFLAGE)
    (suspects,) = found.suspects
    assert suspects.members == (*(f"agent:s/{n}" for n in range(5)), "model:sybil")
    assert suspects.conductance == pytest.approx(250 / (2 * 10_000 + 250))
    total = sum(tie.weight for tie in HONEST + SYBILS + CAMOUFLAGE)
    assert found.suspect_share == pytest.approx((10_000 + 125) / total)


def test_a_market_where_everybody_pays_everybody_has_no_suspects() -> None:
    assert structure(HONEST).suspects == []
    assert network_figures(HONEST).suspect_share == 0


def test_the_greater_half_is_never_the_suspect() -> None:
    many = [tie._replace(weight=100 * tie.weight) for tie in SYBILS]
    suspects = structure(HONEST + many + CAMOUFLAGE).suspects
    assert all("model:sybil" not in each.members for each in suspects)


def test_concentration_is_that_of_the_weights() -> None:
    ties = [Tie("agent:a/0", "model:x", 1, 75), Tie("agent:a/1", "model:y", 1, 25)]
    told = network_figures(ties)
    assert told.hhi == 6250
    assert told.gini == pytest.approx(0.25)
    assert (told.nodes, told.ties, told.communities) == (4, 2, 2)
    assert told.modularity == pytest.approx(1 - (0.75**2 + 0.25**2))


def test_nothing_paid_is_no_network() -> None:
    told = network_figures([])
    assert (told.nodes, told.hhi, told.gini, told.communities) == (0, 0, None, 0)
    assert "graphml" in graphml([], "micros")


def test_the_graphs_are_folds_of_the_record(frames: Frames) -> None:
    paid, trusted = payments(frames), trust(frames)
    assert sum(tie.weight for tie in paid) == frames.calls["charge_micros"].sum()
    assert sum(tie.times for tie in paid) == frames.calls.filter(pl.col("charge_micros") > 0).height
    assert sum(tie.weight for tie in trusted) == frames.calls["success"].sum()
    answered = frames.calls.filter(~pl.col("reason").is_in(["outage", "deadline"]))
    assert "late" in answered["reason"]
    assert sum(tie.times for tie in trusted) == answered.height
    told = figures(frames)
    assert told.payments == network_figures(paid)
    assert told.payments.hhi == told.market.hhi_spend


def test_a_run_of_many_agents_has_a_node_for_each_group() -> None:
    crowd = ran(scenario(groups={"a": group(3, count=201), "b": group(30)}, tasks=100))
    assert {tie.source for tie in payments(crowd)} == {"group:a", "group:b"}


def test_where_validators_rate_models_the_trust_graph_is_theirs(frames: Frames) -> None:
    rows = {"validator": ["v1", "v2"], "model": ["big", "mid"], "rounds": [10, 20],
            "score_ppm": [900_000, 250_000]}  # fmt: skip
    ratings = pl.DataFrame(rows, schema=frames.protocol.ratings.schema)
    judged = replace(frames, protocol=replace(frames.protocol, ratings=ratings))
    assert trust(judged) == [
        Tie("validator:v1", "model:big", 10, 9), Tie("validator:v2", "model:mid", 20, 5),
    ]  # fmt: skip


def test_graphs_are_saved_as_graphml_that_others_read(frames: Frames) -> None:
    for name, text in graph_files(frames).items():
        graph = nx.read_graphml(BytesIO(text.encode()))
        ties = payments(frames) if name.startswith("payments") else trust(frames)
        assert {(a, b) for a, b, _ in graph.edges(data=True)} == {
            (tie.source, tie.target) for tie in ties
        }
        weights = sum(data["weight"] for *_, data in graph.edges(data=True))
        assert weights == sum(tie.weight for tie in ties)
        placed = {name for tie in ties if tie.weight for name in (tie.source, tie.target)}
        assert placed == {name for name, data in graph.nodes(data=True) if "community" in data}


def test_communities_do_not_depend_on_the_hash_seed_of_the_process() -> None:
    program = (
        "from tests.test_graphs import *; s = structure(HONEST + SYBILS + CAMOUFLAGE);"
        "import sys; sys.stdout.write(repr(s))"
    )
    seeds = ("0", "1", "2")
    said = {
        subprocess.run(
            [sys.executable, "-c", program], capture_output=True, check=True, text=True,
            env={"PYTHONHASHSEED": seed, "PYTHONPATH": "."},
        ).stdout
        for seed in seeds
    }  # fmt: skip
    assert len(said) == 1


AFTER = {"a": (), "b": ("a",), "c": ("a",), "d": ("b", "c"), "e": ()}


def test_workflows_are_ordered_and_their_ways_known() -> None:
    assert in_order(AFTER) == ["a", "b", "c", "d", "e"]
    assert before(AFTER, "d") == ["a", "b", "c"]
    assert between(AFTER, "b", "d") == ["b", "d"]
    assert between(AFTER, "a", "d") == ["a", "b", "c", "d"]
    assert between(AFTER, "e", "d") == []
    assert between(AFTER, "e", "e") == ["e"]
    assert cycle(AFTER) == []
    assert cycle({"b": ("c",), "c": ("d",), "d": ("b",), "a": ()}) == ["b", "d", "c"]


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5)), max_size=15))
def test_a_workflow_has_an_order_or_a_cycle(edges: list[tuple[int, int]]) -> None:
    after = {str(n): [str(a) for a, b in edges if b == n] for n in range(6)}
    ring = cycle(after)
    if ring:
        follows = [*ring[1:], ring[0]]
        assert all(a in after[b] for a, b in zip(ring, follows, strict=True))
        return
    order = in_order(after)
    assert sorted(order) == sorted(after)
    assert all(order.index(a) < order.index(b) for b, before in after.items() for a in before)
