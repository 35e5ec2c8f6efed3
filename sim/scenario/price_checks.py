"""What contradicts itself in how prices come about: mechanism, bidding and selling."""

from collections.abc import Iterator, Mapping

from pydantic import TypeAdapter, ValidationError

from sim.costs import UniformCost
from sim.facts import Fault
from sim.mechanisms import Double, FirstPrice, Mechanism, PerCall, SecondPrice, UniformPrice
from sim.scenario.faults import fault_at, found_at
from sim.scenario.schema import Group
from sim.scenario.supply import Model
from sim.scenario.tree import Branch, Path, plain
from sim.strategies import BudgetPaced, FixedPrice, Repricing, ShadedAsk, Surge

MECHANISM: TypeAdapter[Mechanism] = TypeAdapter(Mechanism)


def price_contradictions(
    tree: Branch, models: Mapping[str, Model | None], groups: Mapping[str, Group | None]
) -> Iterator[Fault]:
    """Every fault between how models sell, agents bid and the mechanism clears."""
    for name, model in models.items():
        if model is not None:
            yield from _selling(tree, name, model)
    for name, group in groups.items():
        if group is not None:
            yield from _bidding(tree, name, group)
    rule = _mechanism(tree)
    for name, model in models.items():
        if model is not None and isinstance(rule, Double) and model.capacity.calls_per_minute:
            path, limit = ("models", name, "capacity", "calls_per_minute"), model.capacity
            allowed = "no such limit in a call market, which moves calls by the tick"
            yield fault_at(path, tree, str(limit.calls_per_minute), allowed)
    known = [group for group in groups.values() if group is not None]
    if known and len(known) == len(groups):
        yield from _reserve(tree, rule, known)


def _mechanism(tree: Branch) -> Mechanism | None:
    """The mechanism, checked by itself; None if there is none, or it has faults of its own."""
    part = tree.get("mechanism")
    try:
        return None if part is None else MECHANISM.validate_python(plain(part))
    except ValidationError:
        return None


def _selling(tree: Branch, name: str, model: Model) -> Iterator[Fault]:
    rule, path = model.selling, ("models", name, "selling")
    if not isinstance(rule, (FixedPrice, Surge)) and model.cost is None:
        found = f"{rule.kind}, and a model without a cost"
        yield fault_at(path, tree, found, "a model with a cost", "as cost: {kind: per_call, ...}")
    if isinstance(rule, Repricing) and _is_free(model):
        found = f"{found_at(('models', name, 'price'), tree)}, which {rule.kind} is to move"
        yield fault_at(("models", name, "price"), tree, found, "a price above 0 to start from")
    if isinstance(rule, ShadedAsk) and isinstance(model.cost, UniformCost):
        yield from _highest(tree, (*path, "highest_usd"), rule, model.cost)


def _highest(tree: Branch, path: Path, rule: ShadedAsk, cost: UniformCost) -> Iterator[Fault]:
    if rule.highest_usd < cost.high_usd:
        allowed = f"at least what a task can cost, {cost.high_usd}"
        yield fault_at(path, tree, str(rule.highest_usd), allowed)


def _is_free(model: Model) -> bool:
    price = model.price
    if isinstance(price, PerCall):
        return not price.usd_per_call
    return not price.input_usd_per_mtok and not price.output_usd_per_mtok


def _bidding(tree: Branch, name: str, group: Group) -> Iterator[Fault]:
    rule = group.bidding
    if isinstance(rule, BudgetPaced) and rule.spend_usd_per_task > group.max_price_usd:
        path = ("groups", name, "bidding", "spend_usd_per_task")
        allowed = f"at most the group's max_price_usd, {group.max_price_usd}"
        yield fault_at(path, tree, str(rule.spend_usd_per_task), allowed)


def _reserve(tree: Branch, rule: Mechanism | None, groups: list[Group]) -> Iterator[Fault]:
    if not isinstance(rule, (FirstPrice, SecondPrice, UniformPrice, Double)):
        return
    most = max(group.max_price_usd for group in groups)
    if rule.reserve_usd > most:
        allowed = f"at most the greatest max_price_usd, {most}"
        yield fault_at(("mechanism", "reserve_usd"), tree, str(rule.reserve_usd), allowed)
