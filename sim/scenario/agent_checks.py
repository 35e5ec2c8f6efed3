"""What contradicts itself in a group: workflows, budgets, and models that its agents name."""

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal

from sim.facts import Fault
from sim.rails import ACCOUNT_RAILS, RAILS
from sim.scenario.faults import fault_at
from sim.scenario.library import nearest
from sim.scenario.supply import Model
from sim.scenario.tree import Branch, Leaf, Path, Row, plain

Models = Mapping[str, Model | None]


def steps_of(tree: Branch) -> Iterator[tuple[tuple[str, ...], Branch]]:
    """Every step of every workflow that is written as a mapping, with its path."""
    for name, group in tree.branch("groups").items.items():
        demands = group.branch("intents").items if isinstance(group, Branch) else {}
        for intent, demand in demands.items():
            steps = demand.branch("workflow").items if isinstance(demand, Branch) else {}
            for step, part in steps.items():
                if isinstance(part, Branch):
                    yield ("groups", name, "intents", intent, "workflow", step), part


def agent_contradictions(tree: Branch, models: Models) -> Iterator[Fault]:
    """Every fault of the groups, read from what is written, whatever else is wrong with it.

    Args:
        models: by name; None for one that has faults of its own.
    """
    for name, group in tree.branch("groups").items.items():
        if not isinstance(group, Branch):
            continue
        path: Path = ("groups", name)
        for check in (_budgets, _deadlines, _leaving, _withdrawals):
            yield from check(tree, path, group)
        yield from _named_models(tree, path, group, models)
        for intent, demand in group.branch("intents").items.items():
            if isinstance(demand, Branch):
                flow, where = demand.branch("workflow"), (*path, "intents", intent, "workflow")
                yield from _workflow(tree, where, flow) if flow.items else ()


def _texts(branch: Branch, key: str) -> list[str]:
    """The names in a list; none where there is no list."""
    part = branch.get(key)
    return [str(plain(each)) for each in part.items] if isinstance(part, Row) else []


def _number(branch: Branch, key: str) -> Decimal | None:
    part = branch.get(key)
    value = part.value if isinstance(part, Leaf) else None
    if isinstance(value, bool) or not isinstance(value, (int, float, Decimal)):
        return None
    return Decimal(str(value))


def _workflow(tree: Branch, path: Path, flow: Branch) -> Iterator[Fault]:
    steps = {name: step for name, step in flow.items.items() if isinstance(step, Branch)}
    after = {name: _texts(step, "after") for name, step in steps.items()}
    for name, before in after.items():
        for number, other in enumerate(before):
            if other not in after:
                here, allowed = (*path, name, "after", number), _listed("a step", [*after])
                yield fault_at(here, tree, f"{other!r}", allowed, nearest(other, [*after]))
    from sim.graphs import workflows  # NetworkX is slow to import, and most have no workflow

    ring = workflows.cycle(after)
    if ring:
        found = f"a cycle: {' -> '.join([*ring, ring[0]])}"
        hint = "revise: says where to go back to"
        yield fault_at(path, tree, found, "steps of which none waits for itself", hint)
        return
    for name, step in steps.items():
        earlier = [*workflows.before(after, name), name]
        yield from _revise(tree, (*path, name, "revise", "back_to"), step, earlier)


def _revise(tree: Branch, path: Path, step: Branch, earlier: list[str]) -> Iterator[Fault]:
    target = step.branch("revise").text("back_to")
    if target is not None and target not in earlier:
        allowed = _listed("the step itself or one before it", earlier)
        yield fault_at(path, tree, f"{target!r}", allowed, nearest(target, earlier))


def _listed(what: str, names: Sequence[str]) -> str:
    return f"{what}: {', '.join(names)}" if names else what


def _budgets(tree: Branch, path: Path, group: Branch) -> Iterator[Fault]:
    wider = (
        ("budget_per_task_usd", "budget_per_day_usd", "the budget of a day"),
        ("budget_per_task_usd", "budget_usd", "the whole budget"),
        ("budget_per_day_usd", "budget_usd", "the whole budget"),
    )
    for key, other, meaning in wider:
        part, whole = _number(group, key), _number(group, other)
        if part is not None and whole is not None and part > whole:
            yield fault_at((*path, key), tree, f"{part}", f"at most {meaning}, {other} {whole}")


def _deadlines(tree: Branch, path: Path, group: Branch) -> Iterator[Fault]:
    soft = _number(group.branch("lateness"), "soft_deadline_s")
    hard = _number(group, "deadline_s")
    if soft is not None and hard is not None and soft >= hard:
        here = (*path, "lateness", "soft_deadline_s")
        yield fault_at(here, tree, f"{soft}", f"less than deadline_s, {hard}")


def _leaving(tree: Branch, path: Path, group: Branch) -> Iterator[Fault]:
    leave = group.branch("outside").get("leave")
    if not isinstance(leave, Branch) or leave.get("away_h") is not None:
        return
    if tree.get("tasks") is not None:
        here = (*path, "outside", "leave")
        found, hint = "agents that leave for good, in a run of so many tasks", "as away_h: 24"
        yield fault_at(here, tree, found, "away_h, or horizon_h in place of tasks", hint)


def _withdrawals(tree: Branch, path: Path, group: Branch) -> Iterator[Fault]:
    if not isinstance(group.get("withdrawal"), Branch):
        return
    rail = tree.branch("rail").text("kind") or "batch"
    if rail in RAILS and rail not in ACCOUNT_RAILS:
        allowed = f"a rail on money paid in: {', '.join(ACCOUNT_RAILS)}"
        found, hint = f"withdrawals by rail {rail}", "its money is in wallets until it is due"
        yield fault_at((*path, "withdrawal"), tree, found, allowed, hint)
    kept, whole = _number(group.branch("withdrawal"), "keep_usd"), _number(group, "budget_usd")
    if kept is not None and whole is not None and kept >= whole:
        allowed = f"less than the whole budget, budget_usd {whole}"
        yield fault_at((*path, "withdrawal", "keep_usd"), tree, f"{kept}", allowed)


def _named_models(tree: Branch, path: Path, group: Branch, models: Models) -> Iterator[Fault]:
    known = [*models]
    ladder = group.branch("escalation")
    for number, name in enumerate(_texts(ladder, "models")):
        if name not in known:
            here = (*path, "escalation", "models", number)
            yield fault_at(here, tree, f"{name!r}", _listed("a model", known), nearest(name, known))
    own = group.branch("outside").branch("self_host").text("model")
    if own is None:
        return
    here = (*path, "outside", "self_host", "model")
    opened = [name for name, model in models.items() if model and model.weights == "open"]
    allowed = _listed("a model of open weights", opened)
    if own not in known:
        yield fault_at(here, tree, f"{own!r}", allowed, nearest(own, known))
    elif models[own] is not None and own not in opened:
        yield fault_at(here, tree, f"{own!r}, whose weights are closed", allowed)
