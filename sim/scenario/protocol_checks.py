"""Contradictions between a scenario's protocol and its other parts."""

from collections.abc import Iterator

from sim.facts import Fault
from sim.scenario.faults import fault_at
from sim.scenario.library import nearest
from sim.scenario.tree import Branch

PROTOCOL = "protocol"


def protocol_contradictions(tree: Branch) -> Iterator[Fault]:
    """Every fault between the protocol of a scenario and its models."""
    known = list(tree.branch("models").items)
    registrations = tree.branch(PROTOCOL).branch("registrations").items
    for name in registrations:
        if name not in known:
            path = (PROTOCOL, "registrations", name)
            allowed = f"a model: {', '.join(known)}"
            yield fault_at(path, tree, "an unknown model", allowed, nearest(name, known))
