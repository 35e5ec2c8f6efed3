"""What may be wrong with an event: names, times, and what a run keeps from start to end."""

from collections.abc import Iterator, Mapping, Sequence

from sim.facts import Fault
from sim.protocols import Copying
from sim.scenario.changeable import changeable_beside, unchangeable, why_kept
from sim.scenario.events import AnyEvent
from sim.scenario.faults import fault_at, found_at
from sim.scenario.library import nearest
from sim.scenario.schema import Scenario
from sim.scenario.tree import Branch, Path, dotted, plain
from sim.units import us_from_hours_nearest

Numbered = Sequence[tuple[int, AnyEvent]]
"""Events with their places in the scenario's list."""


def unchanged(now: Branch, after: Branch) -> list[Fault]:
    """What an event changes that a run keeps from its start to its end, and why that is kept."""
    found = "what a run keeps from start to end"
    return [
        Fault(dotted(path), found, changeable_beside(path), why_kept(path))
        for path, _, _ in differing(plain(now), plain(after))
        if unchangeable(path)
    ]


def unnamed_code(made: Branch) -> Iterator[Fault]:
    """A router's file without its hash: which code a run is made by must stand in the scenario."""
    router = made.branch("router")
    if router.get("file") and not router.get("sha256"):
        allowed = "a file with its sha256 beside it, for the scenario's hash covers what is written"
        hint = "sha256sum FILE says it"
        yield Fault("router.file", found_at(("router", "file"), made), allowed, hint)


def kept(now: Scenario, after: Scenario) -> Iterator[Fault]:
    """What an event may not change although it may change the part that it belongs to."""
    if after.rail.fee_bps != now.rail.fee_bps and now.chain.backend != "none":
        allowed = "the fee that its contract is deployed with; or chain.backend: none"
        yield Fault("rail.fee_bps", "another fee on a chain", allowed)
    if now.judges and _observing(now) != _observing(after):
        allowed = "kind and kappa: what validators of a protocol observe is their groups' matter"
        yield Fault("validators", "another count, noise or stakes", allowed)
    yield from _of_copies(now, after)
    for name, model in after.models.items():
        if set(model.quality) != set(now.models[name].quality):
            allowed = "the intents it serves from the start"
            yield Fault(f"models.{name}.quality", "other intents", allowed)


def _of_copies(now: Scenario, after: Scenario) -> Iterator[Fault]:
    """Noise and work of validators that copy: they have none of their own."""
    for name in now.judges:
        groups = [each.protocol and each.protocol.validators[name] for each in (now, after)]
        if not all(isinstance(each, Copying) for each in groups):
            continue
        for key in ("noise", "work_machina"):
            if len({getattr(each, key) for each in groups}) > 1:
                allowed = f"that of the group it copies, which alone runs the script: not {key}"
                path = f"protocol.validators.{name}.{key}"
                yield Fault(path, "what a copying group has not", allowed)


def _observing(scenario: Scenario) -> tuple[object, ...]:
    rule = scenario.validators
    return rule.count, rule.noise, rule.stakes


def differing(one: object, other: object, path: Path = ()) -> Iterator[tuple[Path, object, object]]:
    """Where two plain values differ, as deep as both are mappings, with what stands there."""
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        for key in dict.fromkeys((*one, *other)):
            yield from differing(one.get(key), other.get(key), (*path, str(key)))
    elif one != other:
        yield path, one, other


def of_event(fault: Fault, number: int, event: AnyEvent, tree: Branch) -> Fault:
    """A fault of a setting as one of the event that makes it."""
    path: Path = ("events", number)
    if event.kind != "set":
        found = f"{fault.path}: {fault.found}"
        return fault_at(path, tree, found, fault.allowed, fault.hint)
    path = (*path, "set") if fault.path == "--set" else (*path, "set", fault.path)
    return fault_at(path, tree, fault.found, fault.allowed, fault.hint)


def wrong_events(tree: Branch, events: Numbered, horizon_h: float | None) -> Iterator[Fault]:
    """Names that the scenario has not, times at which it has ended, settings at odds.

    Args:
        tree: the scenario as it is written, its events among it.
    """
    for number, event in events:
        yield from _unknown(number, event, tree)
        if horizon_h is not None and event.from_us >= us_from_hours_nearest(horizon_h):
            path = ("events", number, "at_h")
            allowed = f"a time before horizon_h: {horizon_h:g}"
            yield fault_at(path, tree, f"{event.at_h:g}", allowed)
    seen: dict[tuple[int, str], tuple[int, str]] = {}
    for number, event in events:
        for setting, text in event.set.items() if event.kind == "set" else ():
            first, before = seen.setdefault((event.from_us, setting), (number, text))
            if before != text:
                where = ("events", number, "set", setting)
                allowed = f"{before}, as events[{first}] sets it at the same time"
                yield fault_at(where, tree, text, allowed)


def _unknown(number: int, event: AnyEvent, tree: Branch) -> Iterator[Fault]:
    models = tree.branch("models")
    of_models = [models.branch(name) for name in models.items]
    known = {
        "models": list(models.items),
        "groups": list(tree.branch("groups").items),
        "validators": list(tree.branch("protocol").branch("validators").items),
        "origin": sorted({origin for each in of_models if (origin := each.text("origin"))}),
        "owner": sorted({owner for each in of_models if (owner := each.text("owner"))}),
    }
    for key, what, name in event.references():
        if name not in known[what]:
            allowed = f"one of: {', '.join(known[what]) or 'none is named'}"
            hint = nearest(name, known[what])
            yield fault_at(("events", number, key), tree, repr(name), allowed, hint)
