"""Contradictions between a scenario's protocol and its other parts."""

from collections.abc import Iterator, Sequence
from decimal import Decimal

from sim.facts import Fault
from sim.protocols import Colluding, Copying, Protocol
from sim.protocols.money import WEI_PER_MACHINA
from sim.scenario.faults import fault_at
from sim.scenario.library import nearest
from sim.scenario.tree import Branch, Leaf

PROTOCOL = "protocol"


def protocol_contradictions(tree: Branch, protocol: Protocol | None) -> Iterator[Fault]:
    """Every fault between the protocol of a scenario and its models, and within the protocol."""
    known = list(tree.branch("models").items)
    for name in tree.branch(PROTOCOL).branch("registrations").items:
        if name not in known:
            yield _unknown(tree, (PROTOCOL, "registrations", name), name, "model", known)
    if protocol is not None:
        yield from _names(tree, protocol, known)
        yield from _bonds(tree, protocol)
        yield from _quorums(tree, protocol)
        yield from _floors(tree, protocol)
        yield from _jobs(tree, protocol)
        yield from _genesis(tree, protocol)


def _unknown(
    tree: Branch, path: tuple[str, ...], name: str, noun: str, known: Sequence[str]
) -> Fault:
    allowed = f"a {noun}: {', '.join(known)}"
    return fault_at(path, tree, f"{name}, an unknown {noun}", allowed, nearest(name, list(known)))


def _names(tree: Branch, protocol: Protocol, models: Sequence[str]) -> Iterator[Fault]:
    groups = protocol.validators
    for group_id, group in groups.items():
        path = (PROTOCOL, "validators", group_id)
        if isinstance(group, Copying):
            others = [name for name, other in groups.items() if not isinstance(other, Copying)]
            if group.of not in others:
                yield _unknown(tree, (*path, "of"), group.of, "group that runs scripts", others)
        if isinstance(group, Colluding):
            for key, named in (("favours", group.favours), ("opposes", group.opposes)):
                for name in named:
                    if name not in models:
                        yield _unknown(tree, (*path, key), name, "model", models)


def _bonds(tree: Branch, protocol: Protocol) -> Iterator[Fault]:
    least = protocol.consensus.least_stake_machina
    for group_id, group in protocol.validators.items():
        if group.stake_machina < least:
            path = (PROTOCOL, "validators", group_id, "stake_machina")
            yield fault_at(path, tree, f"{group.stake_machina}", f"at least {least} MACHINA")


def _quorums(tree: Branch, protocol: Protocol) -> Iterator[Fault]:
    rules, path = protocol.consensus, (PROTOCOL, "consensus")
    if rules.reduced_quorum > rules.quorum:
        allowed = f"at most the quorum, {rules.quorum}"
        yield fault_at((*path, "reduced_quorum"), tree, str(rules.reduced_quorum), allowed)
    if not protocol.validators:
        return
    seated = min(rules.seats, sum(group.count for group in protocol.validators.values()))
    if rules.quorum > seated:
        allowed = f"at most the {seated} validators that have a seat"
        yield fault_at((*path, "quorum"), tree, str(rules.quorum), allowed)


def _floors(tree: Branch, protocol: Protocol) -> Iterator[Fault]:
    if protocol.pricing is None:
        return
    kind = tree.branch("mechanism").text("kind")
    if kind not in (None, "", "posted"):
        allowed = "posted, where protocol.pricing sets prices (or protocol.pricing: null)"
        yield fault_at(("mechanism", "kind"), tree, str(kind), allowed)
    least = protocol.pricing.least_floor_usd
    for name, part in tree.branch("models").items.items():
        price = part.branch("price") if isinstance(part, Branch) else Branch({})
        path, usd = ("models", name, "price"), price.get("usd_per_call")
        if price.text("kind") == "per_token":
            allowed = "kind: per_call, the floor that protocol.pricing multiplies"
            yield fault_at(path, tree, "a price per token", allowed)
        elif isinstance(usd, Leaf) and isinstance(usd.value, int | Decimal) and usd.value < least:
            yield fault_at((*path, "usd_per_call"), tree, f"{usd.value}", f"at least {least} USD")
        selling = part.branch("selling").text("kind") if isinstance(part, Branch) else None
        if selling not in (None, "fixed"):
            hint = "an event that changes a floor is a new registration"
            asks = ("models", name, "selling", "kind")
            yield fault_at(asks, tree, str(selling), "fixed: a floor is immutable", hint)


def _jobs(tree: Branch, protocol: Protocol) -> Iterator[Fault]:
    if protocol.jobs is not None and protocol.pricing is None:
        allowed = "protocol.pricing, whose multiplier makes a job's price"
        yield fault_at((PROTOCOL, "jobs"), tree, "jobs without pricing", allowed)


def _genesis(tree: Branch, protocol: Protocol) -> Iterator[Fault]:
    """Stakes and pool are made of what earlier epochs have minted."""
    supply = protocol.emission.supply_wei(protocol.emission.epochs_before)
    stakes = sum(group.count * group.stake_machina for group in protocol.validators.values())
    pooled = protocol.purchases.pool_machina if protocol.purchases else Decimal(0)
    if int((stakes + pooled) * WEI_PER_MACHINA) > supply:
        path = (PROTOCOL, "emission", "epochs_before")
        found = f"{protocol.emission.epochs_before}, which make {supply // WEI_PER_MACHINA} MACHINA"
        allowed = f"enough epochs for stakes and pool, {stakes + pooled} MACHINA"
        yield fault_at(path, tree, found, allowed)
