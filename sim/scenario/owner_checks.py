"""Contradictions between models that deceive, those who own them, and the rest of a scenario."""

from collections.abc import Iterator, Mapping

from sim.facts import Fault
from sim.scenario.faults import fault_at
from sim.scenario.honesty import Honest, Substitution
from sim.scenario.library import nearest
from sim.scenario.schema import Group
from sim.scenario.supply import Model
from sim.scenario.tree import Branch, Path


def owner_contradictions(
    tree: Branch, models: Mapping[str, Model | None], groups: Mapping[str, Group | None]
) -> Iterator[Fault]:
    """Every fault of the models' honesty, and of owners that no model has."""
    for name, model in models.items():
        if model is not None and isinstance(model.honesty, Substitution):
            yield from _substitution(tree, name, model, model.honesty.by, models)
    if None in models.values():
        return
    known = sorted({model.owner for model in models.values() if model and model.owner})
    for name, group in groups.items():
        if group is None:
            continue
        named: list[tuple[Path, str]] = [
            *((("requires", "owners"), owner) for owner in group.requires.owners),
            *((("requires", "excluded_owners"), owner) for owner in group.requires.excluded_owners),
        ]
        if group.owner is not None:
            named.append((("owner",), group.owner))
        for path, owner in named:
            if owner not in known:
                allowed = f"an owner of a model: {', '.join(known) or 'none has one'}"
                where = ("groups", name, *path)
                yield fault_at(where, tree, owner, allowed, nearest(owner, known))


def _substitution(
    tree: Branch, name: str, model: Model, by: str, models: Mapping[str, Model | None]
) -> Iterator[Fault]:
    path = ("models", name, "honesty", "by")
    others = [other for other in models if other != name]
    if by not in others:
        found = "itself" if by == name else by
        yield fault_at(
            path, tree, found, f"another model: {', '.join(others)}", nearest(by, others)
        )
        return
    other = models[by]
    if other is None:
        return
    if not isinstance(other.honesty, Honest):
        allowed = "a model that answers for itself"
        yield fault_at(path, tree, f"{by}, which is not honest either", allowed)
    lacking = [intent for intent in model.quality if intent not in other.quality]
    if lacking:
        found = f"{by}, which does not serve {', '.join(lacking)}"
        yield fault_at(path, tree, found, f"a model that serves all that {name} does")
