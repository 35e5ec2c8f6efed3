"""What a schema cannot see: names unknown elsewhere, and parts that contradict each other."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from pydantic import ValidationError

from sim.facts import Fault
from sim.intents import INTENTS
from sim.protocols import Protocol
from sim.scenario.agent_checks import agent_contradictions, steps_of
from sim.scenario.faults import fault_at
from sim.scenario.library import nearest
from sim.scenario.owner_checks import owner_contradictions
from sim.scenario.price_checks import price_contradictions
from sim.scenario.protocol_checks import protocol_contradictions
from sim.scenario.reported_checks import reported_contradictions
from sim.scenario.router_checks import router_contradictions
from sim.scenario.schema import Group, Scenario
from sim.scenario.supply import Model
from sim.scenario.tree import EXCLUSIVE, Branch, Row, plain

BUDGETS_MAX_USD = 10**12


@dataclass(frozen=True, slots=True)
class Parts:
    """The models and groups of a scenario; nothing for one that has faults of its own."""

    models: Mapping[str, Model | None]
    groups: Mapping[str, Group | None]


def parts_of(tree: Branch, scenario: Scenario | None) -> Parts:
    """The parts of a scenario; each checked by itself when the whole has faults."""
    if scenario is not None:
        return Parts(scenario.models, scenario.groups)
    models = {name: plain(part) for name, part in tree.branch("models").items.items()}
    groups = {name: plain(part) for name, part in tree.branch("groups").items.items()}
    return Parts(
        {name: _model(part) for name, part in models.items()},
        {name: _group(part) for name, part in groups.items()},
    )


def _model(part: object) -> Model | None:
    try:
        return Model.model_validate(part)
    except ValidationError:
        return None


def _group(part: object) -> Group | None:
    try:
        return Group.model_validate(part)
    except ValidationError:
        return None


def contradictions(tree: Branch, scenario: Scenario | None) -> list[Fault]:
    """Every fault between the parts of a scenario, whether or not the parts have faults too."""
    parts = parts_of(tree, scenario)
    faults = [
        *_length(tree),
        *_intent_names(tree),
        *protocol_contradictions(tree, _protocol(tree)),
        *agent_contradictions(tree, parts.models),
        *router_contradictions(tree),
    ]
    for name, model in parts.models.items():
        if model is not None:
            faults += _declared(tree, name, model)
    for name, group in parts.groups.items():
        if group is not None:
            faults += _origins(tree, name, group, parts)
            faults += _unserved(tree, name, group, parts)
    faults += owner_contradictions(tree, parts.models, parts.groups)
    faults += price_contradictions(tree, parts.models, parts.groups)
    horizon_h = scenario.horizon_h if scenario is not None else None
    faults += reported_contradictions(tree, parts.models, horizon_h)
    if scenario is not None:
        faults += _budgets(tree, scenario)
    return faults


def _protocol(tree: Branch) -> Protocol | None:
    """The protocol, checked by itself; None if there is none, or it has faults of its own."""
    part = tree.get("protocol")
    try:
        return None if part is None else Protocol.model_validate(plain(part))
    except ValidationError:
        return None


def _length(tree: Branch) -> Iterator[Fault]:
    given = [key for key in EXCLUSIVE if tree.get(key) is not None]
    if len(given) == len(EXCLUSIVE):
        found = "both horizon_h and tasks"
        yield fault_at((given[1],), tree, found, "one of them", "a run ends by time or by tasks")
    elif not given:
        found = "neither horizon_h nor tasks"
        yield fault_at(("horizon_h",), tree, found, "one of them", "as horizon_h: 24")


def _known_intents(tree: Branch) -> Sequence[str]:
    own = tree.get("intents")
    return [str(name) for name in plain_list(own)] if isinstance(own, Row) else INTENTS


def plain_list(row: Row) -> list[object]:
    """The parts of a list as ordinary values."""
    return [plain(part) for part in row.items]


def _intent_names(tree: Branch) -> Iterator[Fault]:
    known = _known_intents(tree)
    for name in sorted({name for name in known if known.count(name) > 1}):
        yield fault_at(("intents",), tree, f"{name} more than once", "each intent once")
    for section, keys in (("models", ("quality", "declared_quality")), ("groups", ("intents",))):
        for entry, part in tree.branch(section).items.items():
            if not isinstance(part, Branch):
                continue
            for key in keys:
                for name in part.branch(key).items:
                    if name not in known:
                        yield _unknown_intent(tree, (section, entry, key, name), known)
    for path, step in steps_of(tree):
        asked = step.text("intent")
        if asked is not None and asked not in known:
            yield _unknown_intent(tree, (*path, "intent"), known, asked)
    tier_a = tree.branch("protocol").get("tier_a")
    for each in plain_list(tier_a) if isinstance(tier_a, Row) else []:
        if isinstance(each, str) and each not in (*known, *INTENTS):
            yield _unknown_intent(tree, ("protocol", "tier_a"), known, each)


def _unknown_intent(
    tree: Branch, path: tuple[str, ...], known: Sequence[str], asked: str = ""
) -> Fault:
    allowed = "an intent: CHAT_COMPLETION, CODE_GENERATION, ... (telex list intents)"
    if known is not INTENTS:
        allowed = f"one of this scenario's intents: {', '.join(known)}"
    found = f"an unknown intent, {asked}" if asked else "an unknown intent"
    return fault_at(path, tree, found, allowed, nearest(asked or path[-1], list(known)))


def _declared(tree: Branch, name: str, model: Model) -> Iterator[Fault]:
    for intent in model.declared_quality:
        if intent not in model.quality:
            path = ("models", name, "declared_quality", intent)
            allowed = f"intents of its quality: {', '.join(model.quality)}"
            yield fault_at(path, tree, f"{intent}, which it does not serve", allowed)


def _origins(tree: Branch, name: str, group: Group, parts: Parts) -> Iterator[Fault]:
    wanted, barred = group.requires.origins, group.requires.excluded_origins
    path = ("groups", name, "requires")
    both = sorted(set(wanted) & set(barred))
    if both:
        found = f"{', '.join(both)} both required and excluded"
        yield fault_at((*path, "origins"), tree, found, "an origin in one of the two")
    if None in parts.models.values():
        return
    known = sorted({model.origin for model in parts.models.values() if model and model.origin})
    for key, origins in (("origins", wanted), ("excluded_origins", barred)):
        for origin in origins:
            if origin not in known:
                allowed = f"an origin of a model: {', '.join(known) or 'none has one'}"
                yield fault_at((*path, key), tree, origin, allowed, nearest(origin, known))


def _unserved(tree: Branch, name: str, group: Group, parts: Parts) -> Iterator[Fault]:
    if None in parts.models.values():
        return
    models = [model for model in parts.models.values() if model is not None]
    known = _known_intents(tree)
    for path, intent in _asked_for(group):
        serving = [model for model in models if intent in model.quality]
        if intent not in known or any(group.requires.met_by(model) for model in serving):
            continue
        found = "an intent that no model serves"
        if serving:
            found = "an intent that no model serves which meets the group's requirements"
        served = sorted({each for m in models if group.requires.met_by(m) for each in m.quality})
        allowed = f"one of: {', '.join(served)}" if served else "an intent that a model serves"
        yield fault_at(("groups", name, "intents", *path), tree, found, allowed)


def _asked_for(group: Group) -> Iterator[tuple[tuple[str, ...], str]]:
    """Every intent that calls of a group ask for, with its path below the group's intents."""
    for intent, demand in group.intents.items():
        steps = demand.workflow
        if not steps or any(step.intent is None for step in steps.values()):
            yield (intent,), intent
        for name, step in steps.items():
            if step.intent is not None:
                yield (intent, "workflow", name, "intent"), step.intent


def _budgets(tree: Branch, scenario: Scenario) -> Iterator[Fault]:
    total = sum(group.count * group.budget_usd for group in scenario.groups.values())
    if total > BUDGETS_MAX_USD:
        allowed = f"at most {BUDGETS_MAX_USD:,} USD of budgets together"
        yield fault_at(
            ("groups",), tree, f"{total:,.0f} USD", allowed, "balances are 64-bit micros"
        )
