"""Workflows as directed graphs: an edge leads from a step to one that may start after it."""

from collections.abc import Mapping, Sequence

import networkx as nx

After = Mapping[str, Sequence[str]]
"""For each step, the steps it waits for; one that is no step itself is left out of the graph."""


def graph_of(after: After) -> "nx.DiGraph[str]":
    """The steps as nodes, and an edge from each step to every one that waits for it."""
    graph: nx.DiGraph[str] = nx.DiGraph()
    graph.add_nodes_from(after)
    graph.add_edges_from((a, b) for b, before in after.items() for a in before if a in after)
    return graph


def cycle(after: After) -> list[str]:
    """Steps that wait for each other in a ring, in order, from the first by name; [] if none do."""
    try:
        ring = [a for a, *_ in nx.find_cycle(graph_of(after))]
    except nx.NetworkXNoCycle:
        return []
    first = ring.index(min(ring))
    return ring[first:] + ring[:first]


def in_order(after: After) -> list[str]:
    """The steps of a workflow without cycles, each after those it waits for, else by name."""
    return list(nx.lexicographical_topological_sort(graph_of(after)))


def before(after: After, step: str) -> list[str]:
    """Every step that must have succeeded before this one starts, by name."""
    return sorted(nx.ancestors(graph_of(after), step))


def between(after: After, start: str, end: str) -> list[str]:
    """The steps on the ways from one step to another, both included, by name; [] without a way."""
    graph = graph_of(after)
    if start == end:
        return [start]
    later, earlier = nx.descendants(graph, start), nx.ancestors(graph, end)
    return sorted({start, end} | (later & earlier)) if end in later else []
