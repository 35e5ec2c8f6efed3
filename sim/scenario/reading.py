"""YAML to trees: YAML 1.2, exact numbers, and every fault of a file with its line."""

import re
import warnings
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from functools import cache
from pathlib import Path

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, StringMark, YAMLError
from ruamel.yaml.events import (
    AliasEvent,
    DocumentStartEvent,
    Event,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
)

from sim.facts import Fault
from sim.scenario.tree import LEVELS_MAX, Branch, Leaf, Place, Row, Scalar, Tree, dotted

BYTES_MAX = 1_000_000
NODES_MAX = 50_000

MEANINGS: tuple[tuple[str, Scalar], ...] = (("null", None), ("true", True), ("false", False))
WORDS: dict[str, Scalar] = {
    form: value
    for word, value in (("", None), ("~", None), *MEANINGS)
    for form in (word, word.capitalize(), word.upper())
}
WHOLE = re.compile(r"[-+]?[0-9][0-9_]*\Z")
BASED = re.compile(r"0x[0-9a-fA-F]+\Z|0o[0-7]+\Z")
FRACTION = re.compile(r"[-+]?(\.[0-9]+|[0-9][0-9_]*(\.[0-9]*)?)([eE][-+]?[0-9]{1,6})?\Z")
BEYOND = re.compile(r"[-+]?\.(inf|Inf|INF)\Z|\.(nan|NaN|NAN)\Z")
DIGITS_MAX = 400
BITS_SHOWN = 2_000
PATH_SHOWN = 200


class UnreadableError(Exception):
    """A file that cannot be read as a tree at all."""

    def __init__(self, fault: Fault) -> None:
        self.fault = fault
        super().__init__(str(fault))


def read_file(path: Path) -> tuple[Branch, list[Fault]]:
    """The mapping in a file and the faults found on the way; raises `UnreadableError`."""
    name = shown_path(path)
    try:
        with path.open("rb") as file:
            data = file.read(BYTES_MAX + 1)
    except (OSError, ValueError) as error:
        raise UnreadableError(Fault(name, _closed(error), "a scenario file (YAML)")) from error
    if len(data) > BYTES_MAX:
        allowed = f"a file of at most {BYTES_MAX} bytes"
        raise UnreadableError(Fault(name, "a larger file", allowed))
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        found = f"a byte that is no text on line {line}"
        raise UnreadableError(Fault(name, found, "a YAML file, as text in UTF-8")) from error
    return read_text(text, path.name)


def _closed(error: OSError | ValueError) -> str:
    if isinstance(error, FileNotFoundError):
        return "no such file"
    if isinstance(error, IsADirectoryError):
        return "a directory"
    why = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return f"a file that cannot be read ({why})"


@cache
def read_shipped(path: Path) -> Branch:
    """The mapping in a file that ships with Telex, which is read once."""
    tree, faults = read_file(path)
    if faults:
        raise UnreadableError(faults[0])
    return tree


def shown_path(path: Path) -> str:
    """A path as it is shown in a fault."""
    text = str(path)
    return text if len(text) <= PATH_SHOWN else f"...{text[-PATH_SHOWN:]}"


def read_text(text: str, source: str) -> tuple[Branch, list[Fault]]:
    """The mapping that YAML text says and its faults; raises `UnreadableError`."""
    tree, faults = read_value(text, source)
    if tree is None or (isinstance(tree, Leaf) and tree.value is None):
        raise UnreadableError(Fault(source, "nothing in it", "a mapping of keys and values"))
    if not isinstance(tree, Branch):
        found = "a list" if isinstance(tree, Row) else shown(tree.value)
        raise UnreadableError(Fault(source, found, "a mapping of keys and values"))
    return tree, faults


def read_value(text: str, source: str) -> tuple[Tree | None, list[Fault]]:
    """Any YAML value, with its faults; nothing for an empty text; raises `UnreadableError`."""
    reader = _Reader(source)
    yaml = YAML(typ="safe", pure=True)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return reader.read(yaml.parse(text)), reader.faults
    except MarkedYAMLError as error:
        raise UnreadableError(_syntax(error, source)) from error
    except (YAMLError, ValueError) as error:
        first = str(error).strip().splitlines() or ["not YAML"]
        raise UnreadableError(Fault(source, first[0], "YAML", "is it a text file?")) from error


def _syntax(error: MarkedYAMLError, source: str) -> Fault:
    mark = error.problem_mark or error.context_mark
    place = f"{source}, line {mark.line + 1}, column {mark.column + 1}" if mark else source
    problem = str(error.problem or error.context or "not YAML").removeprefix("found ")
    hint = ""
    if "'\\t'" in problem or "tab" in problem:
        hint = "indent with spaces, not tabs"
    elif "mapping values are not allowed" in problem:
        problem, hint = "a second ':' where a value should end", "put text with ': ' in quotes"
    elif "expected <block end>" in problem or "block mapping" in str(error.context):
        hint = "is this line indented like its neighbours, and is there a ':' after the key?"
    elif "another document" in problem or "single document" in problem:
        problem = "a second document ('---')"
    return Fault(place, problem, "YAML", hint)


def number(text: str) -> Scalar:
    """A plain scalar as YAML 1.2 reads it; numbers with a fraction stay exact."""
    if text in WORDS:
        return WORDS[text]
    if len(text) > DIGITS_MAX:
        return text
    if WHOLE.match(text):
        return int(text.replace("_", ""))
    if BASED.match(text):
        return int(text, 0)
    if FRACTION.match(text):
        return Decimal(text.replace("_", ""))
    if BEYOND.match(text):
        return Decimal(text.replace(".", ""))
    return text


def shown(value: Scalar) -> str:
    """A value as it is shown in a fault: short, texts in quotes."""
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int) and value.bit_length() > BITS_SHOWN:
        return "a huge number"
    text = repr(value) if isinstance(value, str) else str(value)
    return text if len(text) <= 60 else text[:57] + "..."


class _Open:
    """A list or mapping that has begun: its parts so far, and the key that waits for a value."""

    def __init__(self, mapping: bool, place: Place, anchor: str | None) -> None:
        self.mapping, self.place, self.anchor = mapping, place, anchor
        self.items: dict[str, Tree] = {}
        self.rows: list[Tree] = []
        self.key: tuple[str, Place] | None = None
        self.size = 1

    def closed(self) -> Tree:
        if self.mapping:
            return Branch(self.items, self.place)
        return Row(tuple(self.rows), self.place)


class _Reader:
    """Builds a tree from YAML events; aliases share their tree, and count as often as used."""

    def __init__(self, source: str) -> None:
        self.source = source
        self.faults: list[Fault] = []
        self.stack: list[_Open] = []
        self.anchors: dict[str, tuple[Tree, int] | None] = {}
        self.root: Tree | None = None
        self.documents = 0

    def read(self, events: Iterator[Event]) -> Tree | None:
        for event in events:
            place = self._place(event.start_mark)
            if isinstance(event, DocumentStartEvent):
                self._document(place)
            elif isinstance(event, ScalarEvent):
                self._scalar(event, place)
            elif isinstance(event, AliasEvent):
                self._alias(event.anchor, place)
            elif isinstance(event, (MappingStartEvent, SequenceStartEvent)):
                self._begin(event, place)
            elif isinstance(event, (MappingEndEvent, SequenceEndEvent)):
                closed = self.stack.pop()
                self._add(closed.closed(), closed.size, closed.place, closed.anchor)
        return self.root

    def _place(self, mark: StringMark | None) -> Place:
        return Place(self.source, mark.line + 1 if mark else 0)

    def _stop(self, place: Place, found: str, allowed: str, hint: str = "") -> UnreadableError:
        return UnreadableError(Fault(str(place), found, allowed, hint))

    def _document(self, place: Place) -> None:
        self.documents += 1
        if self.documents > 1:
            raise self._stop(place, "a second document ('---')", "one document")

    def _scalar(self, event: ScalarEvent, place: Place) -> None:
        top = self.stack[-1] if self.stack else None
        if top and top.mapping and top.key is None:
            self._key(top, event.value, place)
            self._tag(event, place)
            return
        self._tag(event, place)
        plain = event.implicit[0] and event.style is None
        value = number(event.value) if plain else event.value
        self._add(Leaf(value, place), 1, place, event.anchor)

    def _tag(self, event: ScalarEvent | MappingStartEvent | SequenceStartEvent, at: Place) -> None:
        if event.tag not in (None, "!"):
            path, found = dotted([*self._path()]), f"a tag ({event.tag})"
            self.faults.append(Fault(path, found, "keys and values without tags", "", str(at)))

    def _key(self, top: _Open, key: str, place: Place) -> None:
        path = dotted([*self._path(), key])
        if key == "<<":
            hint = "extends: says what a mapping starts from"
            self.faults.append(Fault(path, "a merge key", "names as keys", hint, str(place)))
        elif key in top.items:
            first = top.items[key].place.line
            found = f"a key written twice (lines {first} and {place.line})"
            self.faults.append(Fault(path, found, "each key once", "", str(place)))
        top.key = (key, place)

    def _path(self) -> list[str]:
        return [level.key[0] for level in self.stack if level.key]

    def _begin(self, event: MappingStartEvent | SequenceStartEvent, place: Place) -> None:
        top = self.stack[-1] if self.stack else None
        if top and top.mapping and top.key is None:
            raise self._stop(place, "a list or mapping as a key", "a name as a key")
        if len(self.stack) >= LEVELS_MAX:
            raise self._stop(place, f"more than {LEVELS_MAX} levels", "a flatter file")
        self._tag(event, place)
        if event.anchor:
            self.anchors[event.anchor] = None
        self.stack.append(_Open(isinstance(event, MappingStartEvent), place, event.anchor))

    def _alias(self, anchor: str, place: Place) -> None:
        known = self.anchors.get(anchor)
        if known is None:
            found = f"*{anchor} inside itself" if anchor in self.anchors else f"*{anchor}"
            raise self._stop(place, found, f"an alias of an earlier &{anchor}")
        top = self.stack[-1] if self.stack else None
        if top and top.mapping and top.key is None:
            raise self._stop(place, f"*{anchor} as a key", "a name as a key")
        self._add(known[0], known[1], place, None)

    def _add(self, tree: Tree, size: int, place: Place, anchor: str | None) -> None:
        if anchor:
            self.anchors[anchor] = (tree, size)
        if not self.stack:
            self.root = tree
            return
        top = self.stack[-1]
        top.size += size
        if top.size > NODES_MAX:
            raise self._stop(place, f"more than {NODES_MAX} values", "a smaller file")
        if not top.mapping:
            top.rows.append(tree)
        elif top.key:
            key, written = top.key
            top.items[key] = replace(tree, place=written)
            top.key = None
