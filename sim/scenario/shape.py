"""What belongs at a path of a scenario: walks the schema, and says it in plain words."""

from collections.abc import Iterator, Mapping
from decimal import Decimal
from functools import cache
from types import NoneType, UnionType
from typing import Annotated, Literal, NamedTuple, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from sim.parameters import Parameters
from sim.scenario.names import NAME
from sim.scenario.schema import Scenario
from sim.scenario.tree import Branch, Leaf, Path, Row, Tree, find

PATTERNS = {
    NAME: "a name of letters, digits, '.', '_' and '-', at most 64 of them",
    r"^(anvil|none|https?://\S+)$": "anvil, none, or the URL of a node (http://127.0.0.1:8545)",
    r"^[A-Z][A-Z0-9_]{0,63}$": "a name in capitals, as CHAT_COMPLETION",
    r"^[A-Za-z][A-Za-z -]{0,39}$": "a short name in letters, as CN or US",
    r"^\d{4}(-\d{2}(-\d{2})?)?(/\d{2})?$": "a date as 2026, 2026-02 or 2026-02-13",
}


class Shape(NamedTuple):
    """What may stand somewhere: types to choose from, and limits on them."""

    types: tuple[object, ...]
    limits: Mapping[str, object]

    def classes(self) -> list[type[Parameters]]:
        """The mappings with fixed keys that may stand here."""
        return [t for t in self.types if isinstance(t, type) and issubclass(t, Parameters)]

    def kinds(self) -> dict[str, type[Parameters]]:
        """The same by their ``kind``, where they have one."""
        return {kind: rule for rule in self.classes() if (kind := kind_of(rule))}


def kind_of(rule: type) -> str:
    """The ``kind`` of a rule's parameters; empty if they have none."""
    field = rule.model_fields.get("kind") if issubclass(rule, Parameters) else None
    return str(get_args(field.annotation)[0]) if field else ""


def _limits(metadata: object) -> Iterator[tuple[str, object]]:
    if isinstance(metadata, FieldInfo):
        for part in metadata.metadata:
            yield from _limits(part)
        return
    for name in ("gt", "ge", "lt", "le", "min_length", "max_length", "pattern", "decimal_places"):
        limit = getattr(metadata, name, None)
        if limit is not None:
            yield name, limit


def shape_of(annotation: object, metadata: tuple[object, ...] = ()) -> Shape:
    """The shape of a type as pydantic reads it."""
    limits = [pair for part in metadata for pair in _limits(part)]
    types: list[object] = []
    pending = [annotation]
    while pending:
        part = pending.pop(0)
        if get_origin(part) is Annotated:
            inner, *notes = get_args(part)
            limits = [pair for note in notes for pair in _limits(note)] + limits
            pending.insert(0, inner)
        elif get_origin(part) in (Union, UnionType):
            pending = [*get_args(part), *pending]
        elif part is not NoneType:
            types.append(part)
    return Shape(tuple(types), dict(limits))


ROOT = shape_of(Scenario)


@cache
def fields_of(rule: type[BaseModel]) -> Mapping[str, Shape]:
    """The keys of a mapping with fixed keys, with the shape of each."""
    return {
        name: shape_of(field.annotation, tuple(field.metadata))
        for name, field in rule.model_fields.items()
    }


def rule_at(shape: Shape, tree: Tree | None) -> type[Parameters] | None:
    """The mapping with fixed keys that is meant at a part: the only one, or the one of its kind."""
    if not isinstance(tree, Branch) or not tree.get("kind"):
        rules = shape.classes()
        return rules[0] if len(rules) == 1 else None
    return shape.kinds().get(tree.text("kind") or "") or (
        shape.classes()[0] if len(shape.classes()) == 1 else None
    )


def step(shape: Shape, key: str | int, tree: Tree | None) -> Shape | None:
    """The shape one key further down; nothing if there is no such key."""
    if shape.classes():
        rule = rule_at(shape, tree)
        if rule is not None:
            return fields_of(rule).get(str(key))
        fields = [fields_of(option) for option in shape.classes()]
        return next((known[str(key)] for known in fields if str(key) in known), None)
    for part in shape.types:
        arguments = get_args(part)
        if get_origin(part) is dict:
            return shape_of(arguments[1])
        if get_origin(part) is tuple:
            return shape_of(arguments[0])
    return None


def shape_at(path: Path, tree: Tree) -> Shape | None:
    """The shape at a path of a scenario, its kinds being those of ``tree``."""
    shape: Shape | None = ROOT
    for depth, key in enumerate(path):
        if shape is None:
            return None
        shape = step(shape, key, find(tree, path[:depth]))
    return shape


def with_kinds(tree: Tree, shape: Shape = ROOT) -> Tree:
    """The tree where a mapping that names no ``kind`` is of the kind that its key has by default.

    So ``router: {shares_percent: [60, 40]}`` is a leaderboard, as it is without a router.
    """
    if not isinstance(tree, Branch):
        return tree
    rule = rule_at(shape, tree)
    fields = rule.model_fields if rule is not None else {}
    items: dict[str, Tree] = {}
    for key, part in tree.items.items():
        below = step(shape, key, tree)
        default = kind_of(type(fields[key].default)) if key in fields else ""
        if below is None or not isinstance(part, Branch):
            items[key] = part
            continue
        if default and part.get("kind") is None:
            items[key] = with_kinds(part.having("kind", Leaf(default, part.place)), below)
        else:
            items[key] = with_kinds(part, below)
    return Branch(items, tree.place)


def keys_at(shape: Shape, tree: Tree | None) -> list[str]:
    """The fixed keys that may stand in a mapping of this shape."""
    rule = rule_at(shape, tree)
    rules = [rule] if rule else shape.classes()
    return list(dict.fromkeys(key for r in rules for key in r.model_fields))


def is_open(shape: Shape) -> bool:
    """Whether this is a mapping by free names."""
    return any(get_origin(part) is dict for part in shape.types)


def describe_key(shape: Shape) -> str:
    """What is allowed as a name in a mapping by free names."""
    for part in shape.types:
        if get_origin(part) is dict:
            return describe(shape_of(get_args(part)[0]))
    return "a name"


def is_number(shape: Shape) -> bool:
    """Whether this is a number that a truth value could be taken for."""
    return bool(shape.types) and all(part in (float, int, Decimal) for part in shape.types)


def describe(shape: Shape) -> str:
    """What is allowed, in plain words."""
    if shape.kinds():
        return f"a mapping with kind: {' | '.join(shape.kinds())}"
    if rules := shape.classes():
        return f"a mapping with the keys {', '.join(rules[0].model_fields)}"
    return " or ".join(dict.fromkeys(_describe(part, shape.limits) for part in shape.types))


def _describe(part: object, limits: Mapping[str, object]) -> str:
    origin, arguments = get_origin(part), get_args(part)
    if origin is Literal:
        return " | ".join(str(argument) for argument in arguments)
    if origin is dict:
        least = "at least one name" if limits.get("min_length") else "names"
        return f"a mapping with {least}, each to {describe(shape_of(arguments[1]))}"
    if origin is tuple:
        return f"a list{_length(limits)}, each {describe(shape_of(arguments[0]))}"
    if part is bool:
        return "true | false"
    if part is str:
        return PATTERNS.get(str(limits.get("pattern")), f"text{_length(limits)}")
    noun = {int: "a whole number", Decimal: "an amount in dollars"}
    places = limits.get("decimal_places")
    fraction = f", with at most {places} decimals" if places is not None else ""
    return noun[part] + _range(limits) + fraction if part in noun else "a number" + _range(limits)


def _length(limits: Mapping[str, object]) -> str:
    least, most = limits.get("min_length"), limits.get("max_length")
    if least is not None and least == most:
        return f" of {least}"
    words = [f"at least {least}"] if least else []
    words += [f"at most {most}"] if most else []
    return f" of {' and '.join(words)}" if words else ""


def _range(limits: Mapping[str, object]) -> str:
    above, least = limits.get("gt"), limits.get("ge")
    below, most = limits.get("lt"), limits.get("le")
    lower = f" from {_number(least)}" if least is not None else ""
    if not lower and above is not None:
        lower = f" above {_number(above)}"
    if below is not None and most is None:
        return f"{lower}{' and' if lower else ''} below {_number(below)}"
    upper = f" {'to' if lower.startswith(' from') else 'and at most' if lower else 'at most'} "
    return lower + (upper + _number(most) if most is not None else "")


def _number(limit: object) -> str:
    whole = isinstance(limit, float) and limit.is_integer()
    return str(int(limit)) if whole and isinstance(limit, float) else str(limit)


def children(tree: Tree) -> Iterator[tuple[str | int, Tree]]:
    """The parts of a tree with their keys."""
    if isinstance(tree, Branch):
        yield from tree.items.items()
    elif isinstance(tree, Row):
        yield from enumerate(tree.items)
