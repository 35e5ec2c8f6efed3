"""Overrides from a command line: ``models.gpt-5.2.capacity.slots=8`` as a layer upon a scenario."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from difflib import SequenceMatcher

from sim.facts import Fault
from sim.intents import INTENTS
from sim.scenario import shape as shapes
from sim.scenario.reading import UnreadableError, read_value
from sim.scenario.shape import Shape
from sim.scenario.tree import (
    WHOLE,
    Branch,
    Leaf,
    Path,
    Place,
    Row,
    Tree,
    dotted,
    find,
    from_plain,
    layer,
)

PAIR = re.compile(r"""((?:"[^"]*"|'[^']*'|[^="'])*)=(.*)""", re.DOTALL)
TOKEN = re.compile(r"""\.?(?:"([^"]*)"|'([^']*)'|\[(\d+)\]|([^."'\[\]]+))""")
NEAR = 0.6


@dataclass(frozen=True, slots=True)
class Token:
    """A part of a path as it was typed; what was quoted is a whole name."""

    text: str
    quoted: bool


def overlay(
    given: Mapping[str, object] | Sequence[str], base: Branch
) -> tuple[Branch, list[Fault]]:
    """The layer that all overrides make together, and the faults in them.

    A path is matched against the keys that are there, the longest first, so that ``gpt-5.2`` needs
    no quotes; those that name a ``kind`` are taken first, the others are keys of that kind.

    Args:
        given: ``path=value`` texts, or values by path (a text is read as YAML).
        base: the scenario they are for, resolved.
    """
    made = Branch({}, base.place)
    faults: list[Fault] = []
    texts = [f"{path}=" for path in given] if isinstance(given, Mapping) else list(given)
    values = list(given.values()) if isinstance(given, Mapping) else [None] * len(texts)
    for text, value in sorted(zip(texts, values, strict=True), key=lambda pair: _rank(pair[0])):
        try:
            path_text, value_text = _split(text)
            part, more = _value(path_text, value_text if value is None else value)
            seen = layer(base, made)
            assert isinstance(seen, Branch)
            path = _resolve(path_text, seen, part)
            faults += [*more, *_idle(path, find(seen, path), part)]
            merged = layer(made, _nest(path, part, seen))
        except UnreadableError as error:
            faults.append(error.fault)
            continue
        assert isinstance(merged, Branch)
        made = merged
    return made, faults


def _rank(text: str) -> int:
    return 0 if text.partition("=")[0].rstrip().endswith((".kind", ".extends")) else 1


def _split(text: str) -> tuple[str, str]:
    match = PAIR.fullmatch(text)
    if not match or not match[1].strip():
        raise UnreadableError(Fault("--set", repr(text), "PATH=VALUE, as router.kind=cheapest"))
    return match[1].strip(), match[2]


def _value(path: str, value: object) -> tuple[Tree, list[Fault]]:
    """A value as it was given, and the faults in it."""
    source = f"--set {path}"
    if not isinstance(value, str):
        return from_plain(value, Place(source)), []
    tree, faults = read_value(value, source)
    within = [
        replace(fault, path=path if fault.path == WHOLE else f"{path}.{fault.path}", place="--set")
        for fault in faults
    ]
    return (Leaf(None, Place(source)) if tree is None else _placed(tree, Place(source))), within


def _idle(path: Path, below: Tree | None, over: Tree) -> Iterator[Fault]:
    """Empty mappings where there is a mapping with keys: laid upon that they would do nothing."""
    if not (isinstance(below, Branch) and isinstance(over, Branch)) or not below.items:
        return
    if not over.items:
        allowed = f"some of its keys: {', '.join(below.items)}"
        hint = "a mapping is laid upon what is there; null takes a key away"
        yield Fault(dotted(path), "an empty mapping, which changes nothing", allowed, hint, "--set")
    for key, part in over.items.items():
        yield from _idle((*path, key), below.items.get(key), part)


def _placed(tree: Tree, place: Place) -> Tree:
    if isinstance(tree, Row):
        return Row(tuple(_placed(part, place) for part in tree.items), place)
    if isinstance(tree, Branch):
        return Branch({key: _placed(part, place) for key, part in tree.items.items()}, place)
    return Leaf(tree.value, place)


def _tokens(text: str) -> list[Token]:
    tokens: list[Token] = []
    position = 0
    while position < len(text):
        separated = text[position] in ".[" if position else text[position] != "."
        match = TOKEN.match(text, position) if separated else None
        if match is None:
            raise UnreadableError(Fault("--set", repr(text), "a path, as models.glm-5.price"))
        double, single, index, bare = match.groups()
        quoted = double if double is not None else single
        tokens.append(Token(quoted, True) if quoted is not None else Token(index or bare, False))
        position = match.end()
    return tokens


def _resolve(text: str, base: Branch, value: Tree) -> Path:
    tokens = _tokens(text)
    path: Path = ()
    while tokens:
        here, shape = find(base, path), shapes.shape_at(path, base)
        known = _known(path, here, shape)
        step = _match(tokens, here, known) or _new(tokens, shape, value)
        if step is None:
            raise UnreadableError(_unknown(text, path, tokens, known))
        key, used = step
        path, tokens = (*path, key), tokens[used:]
    return path


def _known(path: Path, here: Tree | None, shape: Shape | None) -> list[str]:
    known = list(here.items) if isinstance(here, Branch) else []
    if shape is not None and not shapes.is_open(shape):
        known += shapes.keys_at(shape, here)
    if len(path) == 2 and path[0] in ("models", "groups"):
        known.append("extends")
    return list(dict.fromkeys(known))


def _joined(tokens: Sequence[Token]) -> str | None:
    if len(tokens) > 1 and any(token.quoted for token in tokens):
        return None
    return ".".join(token.text for token in tokens)


def _match(
    tokens: list[Token], here: Tree | None, known: list[str]
) -> tuple[str | int, int] | None:
    if isinstance(here, Row):
        index = tokens[0].text
        inside = index.isdecimal() and int(index) < len(here.items)
        return (int(index), 1) if inside else None
    for used in range(len(tokens), 0, -1):
        name = _joined(tokens[:used])
        if name in known:
            return name, used
    return None


def _new(tokens: list[Token], shape: Shape | None, value: Tree) -> tuple[str | int, int] | None:
    """A name that is not there yet: a whole new entry, or the quality at an intent."""
    name = _joined(tokens)
    if shape is None or not shapes.is_open(shape) or name is None:
        return None
    return (name, len(tokens)) if isinstance(value, Branch) or name in INTENTS else None


def _unknown(text: str, path: Path, tokens: list[Token], known: list[str]) -> Fault:
    holder = dotted(path) if path else "a scenario"
    allowed = f"{holder} has {', '.join(known)}" if known else f"{holder} has no parts"
    best, hint = NEAR, ""
    for used in range(1, len(tokens) + 1):
        name = ".".join(token.text for token in tokens[:used]).lower()
        for key in known:
            near = SequenceMatcher(None, name, key.lower()).ratio()
            if near > best:
                rest = [token.text for token in tokens[used:]]
                best, hint = near, f"did you mean {dotted([*path, key, *rest])}?"
    return Fault(text, "no such path", allowed, hint, "--set")


def _nest(path: Path, value: Tree, base: Tree | None) -> Tree:
    """The value inside the mappings that its path names; a list is given whole, with it inside."""
    if not path:
        return value
    key, rest = path[0], path[1:]
    if isinstance(base, Row) and isinstance(key, int):
        parts = list(base.items)
        parts[key] = layer(parts[key], _nest(rest, value, parts[key]))
        return Row(tuple(parts), base.place)
    below = base.items.get(str(key)) if isinstance(base, Branch) else None
    return Branch({str(key): _nest(rest, value, below)}, value.place)
