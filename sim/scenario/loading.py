"""A scenario file, its layers and overrides, as one checked scenario; or every fault of them."""

import re
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path

from pydantic import ValidationError

from sim.facts import Fault, ScenarioError
from sim.scenario import library, reading
from sim.scenario.checks import contradictions
from sim.scenario.faults import faults_of, truth_values, unknown_nulls
from sim.scenario.overrides import overlay
from sim.scenario.phases import event_faults, with_settings
from sim.scenario.resolve import Resolver
from sim.scenario.schema import QUESTION_LENGTH, Scenario
from sim.scenario.shape import with_kinds
from sim.scenario.supply import Model
from sim.scenario.tree import Branch, Leaf, Place, from_plain, layer_scenario, plain, pruned

Overrides = Mapping[str, object] | Sequence[str]


def load(source: Path | str, overrides: Overrides = (), seed: int | None = None) -> Scenario:
    """The scenario in a file, resolved and checked.

    Args:
        source: the file; or the name of a scenario that ships with Telex.
        overrides: ``path=value`` texts as after ``--set``, or values by path.
        seed: takes the place of the scenario's own.

    Raises:
        ScenarioError: with every fault of the files and the overrides.
    """
    path = _file(source)
    try:
        tree, faults = reading.read_file(path)
    except reading.UnreadableError as error:
        raise ScenarioError((_located(error.fault, path),)) from error
    return _build(tree, faults, path, overrides, seed)


def from_mapping(
    mapping: Mapping[str, object], overrides: Overrides = (), seed: int | None = None
) -> Scenario:
    """The scenario that a mapping says, as a file would; relative paths are from here."""
    tree = from_plain(mapping, Place())
    assert isinstance(tree, Branch)
    return _build(tree, [], Path("scenario.yaml"), overrides, seed)


@cache
def catalog_model(name: str) -> Model:
    """A model of the catalog, checked like one in a scenario."""
    tree = reading.read_shipped(library.FOLDERS["catalog"] / f"{name}.yaml")
    try:
        return Model.model_validate(plain(tree))
    except ValidationError as error:
        within = Branch({"models": Branch({name: tree})})
        raise ScenarioError(tuple(faults_of(error, within, ("models", name)))) from error


def _file(source: Path | str) -> Path:
    path = Path(source)
    shipped = library.scenarios_folder()
    if str(source) in library.names(shipped) and not path.is_file():
        return shipped / f"{source}.yaml"
    return path


def _located(fault: Fault, path: Path) -> Fault:
    """A missing file's fault, with the nearest name beside it."""
    if fault.found != "no such file" or not path.parent.is_dir():
        return fault
    beside = [each.name for each in sorted(path.parent.glob("*.y*ml"))]
    shipped = list(library.names(library.scenarios_folder()))
    hint = library.nearest(path.name, beside) or library.nearest(path.stem, shipped)
    return Fault(fault.path, fault.found, fault.allowed, hint)


def _build(
    tree: Branch, faults: list[Fault], path: Path, overrides: Overrides, seed: int | None
) -> Scenario:
    resolver = Resolver()
    layered = resolver.scenario(tree, path.parent, (str(path.resolve()),))
    faults = [*faults, *resolver.faults]
    if overrides:
        made, more = overlay(overrides, Resolver().entries(layered))
        layered, faults = layer_scenario(layered, made), [*faults, *more]
    resolver = Resolver()
    written = with_kinds(with_settings(resolver.entries(layered)))
    assert isinstance(written, Branch)
    faults += unknown_nulls(written)
    whole = pruned(written)
    assert isinstance(whole, Branch)
    if whole.get("name") is None:
        stem = re.sub(r"[^A-Za-z0-9._-]+", "-", path.stem).strip("-._")[:64]
        whole = whole.having("name", Leaf(stem or "scenario"))
    if whole.get("question") is None and path.is_file():
        whole = whole.having("question", Leaf(library.headline(path)[:QUESTION_LENGTH]))
    if seed is not None:
        whole = whole.having("seed", Leaf(seed, Place("--seed")))
    return _checked(whole, [*faults, *resolver.faults])


def _checked(tree: Branch, faults: list[Fault]) -> Scenario:
    faults = [*faults, *truth_values(tree)]
    scenario: Scenario | None = None
    try:
        scenario = Scenario.model_validate(plain(tree))
    except ValidationError as error:
        faults += faults_of(error, tree)
    faults += contradictions(tree, scenario)
    faults += event_faults(tree)
    if faults or scenario is None:
        raise ScenarioError(tuple(dict.fromkeys(faults)))
    return scenario
