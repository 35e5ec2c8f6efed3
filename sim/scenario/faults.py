"""Pydantic's errors as faults in plain words: the path, what was found there, what is allowed."""

from collections.abc import Iterator, Mapping

from pydantic import ValidationError

from sim.facts import Fault
from sim.scenario import shape as shapes
from sim.scenario.library import nearest
from sim.scenario.reading import number, shown
from sim.scenario.shape import Shape
from sim.scenario.tree import Branch, Leaf, Path, Row, Tree, dotted, find, place_of

BOOLEANS = ("yes", "no", "on", "off", "y", "n")


def fault_at(path: Path, tree: Tree, found: str, allowed: str, hint: str = "") -> Fault:
    """A fault with the place of what stands at its path, or of what holds it."""
    return Fault(dotted(path), found, allowed, hint, str(place_of(tree, path)))


def faults_of(error: ValidationError, tree: Branch, within: Path = ()) -> list[Fault]:
    """Every error of a validation of the part of ``tree`` at ``within`` as a fault."""
    return [
        _fault(detail["type"], (*within, *detail["loc"]), detail.get("ctx", {}), tree)
        for detail in error.errors(include_url=False)
    ]


def truth_values(tree: Branch) -> list[Fault]:
    """Every truth value where a number belongs, or the other way round (Python mixes them)."""
    return list(_truth_values(tree, (), shapes.ROOT, tree))


def _truth_values(part: Tree, path: Path, shape: Shape, root: Branch) -> list[Fault]:
    if isinstance(part, Leaf):
        wrong = shapes.is_number(shape) if isinstance(part.value, bool) else shape.types == (bool,)
        allowed = shapes.describe(shape)
        hint = _hint(path, root, allowed)
        return [fault_at(path, root, shown(part.value), allowed, hint)] if wrong else []
    faults = []
    for key, child in shapes.children(part):
        below = shapes.step(shape, key, part)
        if below is not None:
            faults += _truth_values(child, (*path, key), below, root)
    return faults


def unknown_nulls(tree: Branch) -> list[Fault]:
    """Every key that is given no value and is no key at all, before `tree.pruned` drops it."""
    return list(_unknown_nulls(tree, (), shapes.ROOT, tree))


def _unknown_nulls(part: Tree, path: Path, shape: Shape, root: Branch) -> Iterator[Fault]:
    for key, child in shapes.children(part):
        below = shapes.step(shape, key, part)
        if below is not None:
            yield from _unknown_nulls(child, (*path, key), below, root)
        elif isinstance(child, Leaf) and child.value is None and shape.classes():
            yield _unknown_key((*path, key), root)


def _path(location: Path, tree: Branch) -> Path:
    """Pydantic's location less the tags of unions and the marks of keys."""
    path: list[int | str] = []
    shape: Shape | None = shapes.ROOT
    tagged = False
    for key in location:
        if key == "[key]":
            continue
        if shape and len(shape.kinds()) > 1 and not tagged and key in shape.kinds():
            tagged = True
            continue
        tagged = False
        shape = shapes.step(shape, key, find(tree, tuple(path))) if shape else None
        path.append(key)
    return tuple(path)


def _fault(kind: str, location: Path, context: Mapping[str, object], tree: Branch) -> Fault:
    path = _path(location, tree)
    shape = shapes.shape_at(path, tree)
    if kind == "extra_forbidden":
        return _unknown_key(path, tree)
    if kind.startswith("union_tag") and shape is not None:
        return _kind(path, tree, list(shape.kinds()))
    if location and location[-1] == "[key]":
        parent = shapes.shape_at(path[:-1], tree)
        allowed = shapes.describe_key(parent) if parent else "a name"
        return fault_at(path, tree, f"the name {shown(str(path[-1]))}", allowed)
    if kind == "value_error":
        return fault_at(path, tree, found_at(path, tree), str(context.get("error")))
    allowed = shapes.describe(shape) if shape else "something else"
    return fault_at(path, tree, found_at(path, tree), allowed, _hint(path, tree, allowed))


def _kind(path: Path, tree: Branch, kinds: list[str]) -> Fault:
    part = find(tree, path)
    if not isinstance(part, Branch):
        allowed = f"a mapping with kind: {' | '.join(kinds)}"
        return fault_at(path, tree, found_at(path, tree), allowed)
    hint = nearest(part.text("kind") or "", kinds)
    return fault_at((*path, "kind"), tree, found_at((*path, "kind"), tree), " | ".join(kinds), hint)


def _unknown_key(path: Path, tree: Branch) -> Fault:
    *parent, key = path
    shape = shapes.shape_at(tuple(parent), tree)
    holder = find(tree, tuple(parent))
    known = shapes.keys_at(shape, holder) if shape else []
    hint = nearest(str(key), known)
    if not hint and shape:
        inner = [name for name in known if str(key) in _inner_keys(shape, name, holder)]
        hint = f"did you mean {inner[0]}.{key}?" if inner else ""
    return fault_at(path, tree, "an unknown key", f"the keys {', '.join(known)}", hint)


def _inner_keys(shape: Shape, name: str, holder: Tree | None) -> list[str]:
    below = shapes.step(shape, name, holder)
    return shapes.keys_at(below, None) if below else []


def found_at(path: Path, tree: Branch) -> str:
    """What stands at a path, in short."""
    part = find(tree, path)
    return "nothing" if part is None else outline(part)


def outline(part: Tree) -> str:
    """A part as one short line of YAML."""
    text = _flow(part, 4)
    return text if len(text) <= 60 else text[:57] + "..."


def _flow(part: Tree, depth: int) -> str:
    if isinstance(part, Leaf):
        return shown(part.value)
    if depth == 0:
        return "..."
    if isinstance(part, Row):
        return f"[{', '.join(_flow(each, depth - 1) for each in part.items[:20])}]"
    pairs = [f"{key}: {_flow(each, depth - 1)}" for key, each in list(part.items.items())[:20]]
    return f"{{{', '.join(pairs)}}}"


def _hint(path: Path, tree: Branch, allowed: str) -> str:
    part = find(tree, path)
    if not isinstance(part, Leaf):
        return ""
    if isinstance(part.value, str):
        if allowed == "true | false" and part.value.lower() in BOOLEANS:
            return "YAML 1.2 knows true and false only"
        if "number" in allowed and not isinstance(number(part.value), (str, bool, type(None))):
            return "write the number without quotes"
        return nearest(part.value, allowed.split(" | "))
    return "put it in quotes" if allowed.startswith(("text", "a name", "a date")) else ""
