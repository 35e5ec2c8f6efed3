"""What a scenario, a model or a group ``extends``: presets, files and entries, laid in layers."""

from pathlib import Path

from sim.facts import Fault
from sim.scenario import library, reading
from sim.scenario.tree import Branch, Leaf, Place, Row, Tree, dotted, layer, layer_scenario
from sim.scenario.tree import Path as TreePath

SECTIONS = ("models", "groups")
STEPS_MAX = 20


class Resolver:
    """Resolves every ``extends`` of one scenario and gathers the faults."""

    def __init__(self) -> None:
        self.faults: list[Fault] = []
        self._files: dict[str, Branch] = {}
        self._entries: dict[TreePath, Tree] = {}

    def scenario(self, tree: Branch, folder: Path, trail: tuple[str, ...]) -> Branch:
        """The tree upon all that it extends; ``trail`` names the files that led here."""
        layers = [
            self._file(name, place, folder, trail) for name, place in self._references(tree, ())
        ]
        whole: Branch | None = None
        for each in (*layers, _anchored(tree.without("extends"), folder)):
            if each is not None:
                whole = each if whole is None else layer_scenario(whole, each)
        return whole or tree

    def _file(self, name: str, place: Place, folder: Path, trail: tuple[str, ...]) -> Branch | None:
        path = _find_file(name, folder)
        if path is None:
            presets = [f"presets/{preset}" for preset in library.names(library.FOLDERS["presets"])]
            allowed = f"{', '.join(presets)}, or the path of a file, relative to this one"
            self._fault(("extends",), name, allowed, place, library.nearest(name, presets))
            return None
        key = str(path.resolve())
        if key in trail or len(trail) >= STEPS_MAX:
            steps = " -> ".join(Path(step).name for step in (*trail, key))
            self._fault(("extends",), f"a circle: {steps}", "files that lead to an end", place)
            return None
        if key not in self._files:
            try:
                tree, faults = reading.read_file(path)
            except reading.UnreadableError as error:
                self.faults.append(error.fault)
                return None
            self.faults += faults
            self._files[key] = self.scenario(tree, path.parent, (*trail, key))
        return self._files[key]

    def entries(self, tree: Branch) -> Branch:
        """The tree with every model and group laid upon what it extends."""
        for section in SECTIONS:
            entries = tree.get(section)
            if isinstance(entries, Branch):
                resolved = {
                    name: self._entry((section, name), entries, ()) for name in entries.items
                }
                tree = tree.having(section, Branch(resolved, entries.place))
        return tree

    def _entry(self, path: TreePath, entries: Branch, trail: tuple[str, ...]) -> Tree:
        name = str(path[1])
        entry = entries.items[name]
        if not isinstance(entry, Branch) or path in self._entries:
            return self._entries.get(path, entry)
        layers = [
            self._below(path, reference, place, entries, (*trail, name))
            for reference, place in self._references(entry, path)
        ]
        whole: Tree | None = None
        for each in (*layers, entry.without("extends")):
            if each is not None:
                whole = each if whole is None else layer(whole, each)
        self._entries[path] = whole or entry
        return self._entries[path]

    def _below(
        self, path: TreePath, name: str, place: Place, entries: Branch, trail: tuple[str, ...]
    ) -> Tree | None:
        """What a reference of the entry at ``path`` names; a fault if there is nothing."""
        if name in trail or len(trail) >= STEPS_MAX:
            circle = " -> ".join((*trail, name))
            self._fault((*path, "extends"), f"a circle: {circle}", "entries that end", place)
            return None
        if entries.get(name) is not None:
            return self._entry((path[0], name), entries, trail)
        catalog = library.shipped(name) if path[0] == "models" else None
        if catalog is not None and name.startswith("catalog/"):
            return reading.read_shipped(catalog)
        known = [other for other in entries.items if other not in trail]
        if path[0] == "models":
            known += [f"catalog/{model}" for model in library.names(library.FOLDERS["catalog"])]
        allowed = f"one of: {', '.join(known)}" if known else "another entry of this scenario"
        self._fault((*path, "extends"), name, allowed, place, library.nearest(name, known))
        return None

    def _references(self, tree: Branch, path: TreePath) -> list[tuple[str, Place]]:
        part = tree.get("extends")
        parts = part.items if isinstance(part, Row) else (part,) if part is not None else ()
        found: list[tuple[str, Place]] = []
        for each in parts:
            if isinstance(each, Leaf) and isinstance(each.value, str):
                found.append((each.value, each.place))
                continue
            words = reading.shown(each.value) if isinstance(each, Leaf) else "a list or mapping"
            self._fault((*path, "extends"), words, "a name, or a list of names", each.place)
        return found

    def _fault(
        self, path: TreePath, found: str, allowed: str, place: Place, hint: str = ""
    ) -> None:
        self.faults.append(Fault(dotted(path), found, allowed, hint, str(place)))


def _anchored(tree: Branch, folder: Path) -> Branch:
    """The tree with the path of a router's file taken from the folder of the file that names it."""
    router = tree.branch("router")
    file = router.get("file")
    if not isinstance(file, Leaf) or not isinstance(file.value, str) or not file.value:
        return tree
    anchored = Leaf(str(folder / file.value), file.place)
    return tree.having("router", router.having("file", anchored))


def _find_file(name: str, folder: Path) -> Path | None:
    """A preset, or a file relative to the folder, with or without its ending."""
    preset = library.shipped(name) if name.startswith("presets/") else None
    if preset is not None:
        return preset
    try:
        path = folder / name
        paths = (path, path.with_name(path.name + ".yaml")) if path.name else ()
        return next((each for each in paths if each.is_file()), None)
    except (OSError, ValueError):
        return None
