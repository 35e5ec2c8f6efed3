"""A scenario before it is checked: a tree that knows where each of its parts was written."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from numbers import Integral
from typing import TypeAlias

Scalar: TypeAlias = str | int | Decimal | bool | None
Plain: TypeAlias = "Scalar | list[Plain] | dict[str, Plain]"
Path: TypeAlias = tuple[str | int, ...]

LEVELS_MAX = 32
WHOLE = "(the whole file)"
"""What the path of a tree's root is called."""
EXCLUSIVE = ("horizon_h", "tasks")
"""Keys of a scenario that stand for each other: a layer that gives one takes the other's place."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where something was written: a file (or what else it came from) and a line from 1."""

    source: str = ""
    line: int = 0

    def __str__(self) -> str:
        return f"{self.source}, line {self.line}" if self.line else self.source


@dataclass(frozen=True, slots=True)
class Leaf:
    """A value without parts."""

    value: Scalar
    place: Place = Place()


@dataclass(frozen=True, slots=True)
class Row:
    """A list."""

    items: "tuple[Tree, ...]"
    place: Place = Place()


@dataclass(frozen=True, slots=True)
class Branch:
    """A mapping."""

    items: "Mapping[str, Tree]"
    place: Place = Place()

    def get(self, key: str) -> "Tree | None":
        """The part under ``key``; nothing for a key that is absent or was set to null."""
        part = self.items.get(key)
        return None if isinstance(part, Leaf) and part.value is None else part

    def branch(self, key: str) -> "Branch":
        """The mapping under ``key``, empty when there is none."""
        part = self.get(key)
        return part if isinstance(part, Branch) else Branch({}, self.place)

    def text(self, key: str) -> str | None:
        """The text under ``key``, if that is what is there."""
        part = self.get(key)
        return part.value if isinstance(part, Leaf) and isinstance(part.value, str) else None

    def without(self, *keys: str) -> "Branch":
        """The same mapping less some keys."""
        items = {key: part for key, part in self.items.items() if key not in keys}
        return Branch(items, self.place)

    def having(self, key: str, part: "Tree") -> "Branch":
        """The same mapping with ``key`` set."""
        return Branch({**self.items, key: part}, self.place)


Tree: TypeAlias = Leaf | Row | Branch


def layer(base: Tree, over: Tree) -> Tree:
    """``over`` laid upon ``base``: mappings merge key by key, lists and values replace.

    A null in ``over`` takes the key away (`pruned` drops it at the end). A mapping that names
    another ``kind`` than the one below replaces it whole: that one's keys belong to another rule.
    """
    if not (isinstance(base, Branch) and isinstance(over, Branch)):
        return over
    if base.get("kind") and over.get("kind") and base.text("kind") != over.text("kind"):
        return over
    items = dict(base.items)
    for key, part in over.items.items():
        items[key] = layer(items[key], part) if key in items else part
    return Branch(items, over.place)


def layer_scenario(base: Branch, over: Branch) -> Branch:
    """`layer` for whole scenarios, where ``horizon_h`` and ``tasks`` take each other's place."""
    given = [key for key in EXCLUSIVE if over.get(key)]
    below = base.without(*EXCLUSIVE) if given else base
    merged = layer(below, over)
    assert isinstance(merged, Branch)
    return merged


def pruned(tree: Tree) -> Tree:
    """The tree less every key that is null: to write null is not to write the key."""
    if isinstance(tree, Row):
        return Row(tuple(pruned(part) for part in tree.items), tree.place)
    if isinstance(tree, Branch):
        kept = {key: part for key in tree.items if (part := tree.get(key))}
        return Branch({key: pruned(part) for key, part in kept.items()}, tree.place)
    return tree


def plain(tree: Tree) -> Plain:
    """The tree as ordinary lists and dicts."""
    if isinstance(tree, Leaf):
        return tree.value
    if isinstance(tree, Row):
        return [plain(part) for part in tree.items]
    return {key: plain(part) for key, part in tree.items.items()}


def from_plain(value: object, place: Place, levels: int = LEVELS_MAX) -> Tree:
    """The tree of ordinary lists, mappings and values; anything else stands as its text."""
    if isinstance(value, Mapping) and levels:
        parts = {str(key): from_plain(part, place, levels - 1) for key, part in value.items()}
        return Branch(parts, place)
    if isinstance(value, (list, tuple)) and levels:
        return Row(tuple(from_plain(part, place, levels - 1) for part in value), place)
    if value is None or isinstance(value, (str, bool, int, Decimal)):
        return Leaf(value, place)
    if isinstance(value, float):
        return Leaf(Decimal(float.__repr__(value)), place)
    return Leaf(int(value) if isinstance(value, Integral) else type(value).__name__, place)


def find(tree: Tree, path: Path) -> Tree | None:
    """The part at a path, if there is one."""
    part: Tree | None = tree
    for key in path:
        if isinstance(part, Branch):
            part = part.items.get(str(key))
        elif isinstance(part, Row) and isinstance(key, int) and key < len(part.items):
            part = part.items[key]
        else:
            return None
    return part


def place_of(tree: Tree, path: Path) -> Place:
    """Where the part at a path was written; what holds it, if it is not there."""
    for end in range(len(path), -1, -1):
        part = find(tree, path[:end])
        if part is not None:
            return part.place
    return tree.place


def dotted(path: Sequence[str | int]) -> str:
    """A path as people write it: ``models.glm-5.price``, ``router.shares_percent[0]``."""
    text = ""
    for key in path:
        text += f"[{key}]" if isinstance(key, int) else f".{key}" if text else key
    return text or WHOLE
