"""Networks of who pays or rates whom: their concentration, communities, and suspicious corners."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

import networkx as nx

ISOLATED = 0.1
"""A community is suspicious if less than this share of its ties leads out of it."""
SEED = 1


class Tie(NamedTuple):
    """What one side has to do with the other: how often, and its weight (micros, answers)."""

    source: str
    target: str
    times: int
    weight: int


@dataclass(frozen=True)
class Community:
    """Accounts that deal with each other more than with the rest.

    Args:
        members: by name. volume: the sum of its members' ties, so that a tie within counts twice.
        conductance: the weight of ties that lead out of it, over the lesser of its volume and the
            rest's; 1 where nothing is left outside.
    """

    members: tuple[str, ...]
    volume: int
    conductance: float


@dataclass(frozen=True)
class Structure:
    """What a network looks like as a whole.

    Args:
        communities: Louvain's (Blondel et al. 2008), the greatest volume first. modularity: theirs
            (Newman 2004), 0 without ties.
        suspect_share: of all weight, the share in communities that hold at most half of it and
            whose conductance is under `ISOLATED`. All structural defences against sybils come down
            to such a cut around the trusted part of a network (Viswanath et al. 2010, "An analysis
            of social network-based sybil defenses"). It is a suspicion and no proof: a market with
            walls looks the same.
    """

    communities: tuple[Community, ...]
    modularity: float
    suspect_share: float

    @property
    def suspects(self) -> list[Community]:
        """The communities that hold at most half of the weight and hardly deal with the rest."""
        total = sum(each.volume for each in self.communities)
        return [
            each
            for each in self.communities
            if each.conductance < ISOLATED and 2 * each.volume <= total
        ]


def structure(ties: Sequence[Tie]) -> Structure:
    """The structure of a network; the same for the same ties, in any process."""
    return _structure(tuple(ties))


@lru_cache(maxsize=8)
def _structure(ties: tuple[Tie, ...]) -> Structure:
    """As above; a run asks for it before and after its record is saved, and for its files."""
    names = sorted({name for tie in ties if tie.weight for name in (tie.source, tie.target)})
    place = {name: at for at, name in enumerate(names)}
    graph: nx.Graph[int] = nx.Graph()
    graph.add_nodes_from(range(len(names)))
    for tie in ties:
        if tie.weight:
            graph.add_edge(place[tie.source], place[tie.target], weight=tie.weight)
    if not names:
        return Structure((), 0.0, 0.0)
    parts = nx.community.louvain_communities(graph, weight="weight", seed=SEED)
    found = [_community(graph, sorted(part), names) for part in parts]
    found.sort(key=lambda each: (-each.volume, each.members))
    modularity = nx.community.modularity(graph, parts, weight="weight")
    whole = Structure(tuple(found), modularity, 0.0)
    volume = sum(each.volume for each in found)
    share = sum(each.volume for each in whole.suspects) / volume
    return Structure(whole.communities, modularity, share)


def _community(graph: "nx.Graph[int]", part: Sequence[int], names: Sequence[str]) -> Community:
    inside = set(part)
    degree = dict(graph.degree(weight="weight"))
    volume = int(sum(degree[node] for node in part))
    rest = int(sum(degree.values())) - volume
    out = sum(
        int(data["weight"])
        for node in part
        for _, other, data in graph.edges(node, data=True)
        if other not in inside
    )
    conductance = out / min(volume, rest) if rest else 1.0
    return Community(tuple(names[node] for node in part), volume, conductance)


def graphml(ties: Sequence[Tie], weight: str) -> str:
    """A network as GraphML, for any program that draws graphs.

    Edges lead from who pays or rates to whom, with ``times`` and ``weight``, whose meaning
    the graph's attribute ``weight`` says; nodes have their community and its conductance.
    """
    found = structure(ties)
    graph: nx.DiGraph[str] = nx.DiGraph(weight=weight)
    for number, community in enumerate(found.communities):
        for name in community.members:
            conductance = round(community.conductance, 6)
            graph.add_node(name, community=number, conductance=conductance)
    for tie in ties:
        graph.add_edge(tie.source, tie.target, times=tie.times, weight=tie.weight)
    return "\n".join(nx.generate_graphml(graph)) + "\n"
