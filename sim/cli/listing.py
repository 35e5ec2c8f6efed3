"""``telex list``: what there is to choose from, each with a line."""

import json
import sys
from collections.abc import Callable, Mapping
from typing import NamedTuple

from rich.console import Console
from rich.padding import Padding
from rich.text import Text

from sim.arrivals import Arrival
from sim.cli.output import emit, emit_json
from sim.costs import Cost
from sim.facts import Fault, ScenarioError
from sim.intents import INTENTS
from sim.latencies import Law
from sim.mechanisms import Mechanism
from sim.parameters import Parameters
from sim.protocols import Protocol
from sim.rails import Rail
from sim.routers import Router
from sim.scenario import json_schema, library
from sim.scenario.changeable import CHANGEABLE, KEPT
from sim.scenario.events import AnyEvent
from sim.scenario.honesty import Honesty
from sim.scenario.library import FOLDERS, nearest
from sim.scenario.loading import catalog_model
from sim.scenario.shape import describe, fields_of, shape_of
from sim.scenario.tree import dotted
from sim.strategies import Bidding, Selling, Values
from sim.validators import ScoreRule, Validators

INDENT = 4


class Item(NamedTuple):
    """One line of a listing; ``parameters`` say in words what each key may be.

    Of a scenario also what to expect of it, and the commands that show it.
    """

    name: str
    description: str
    parameters: Mapping[str, str] = {}
    expected: str = ""
    commands: tuple[str, ...] = ()


def _files(family: str) -> list[Item]:
    folder = FOLDERS.get(family) or library.scenarios_folder()
    return [
        Item(each.name, said.question, expected=said.expected, commands=said.commands)
        for each in library.listing(folder)
        for said in (each.remarks,)
    ]


def _models() -> list[Item]:
    items = []
    for name in library.names(FOLDERS["catalog"]):
        model = catalog_model(name)
        price = model.price
        asked = "a price per call"
        if price.kind == "per_token":
            asked = f"${price.input_usd_per_mtok} in, ${price.output_usd_per_mtok} out per million"
        code = model.quality["CODE_GENERATION"]
        words = f"{model.origin} {model.weights}: {asked}; solves {code:.1%} of CODE_GENERATION"
        items.append(Item(name, words))
    return items


def _rules(family: object) -> list[Item]:
    return [
        Item(kind, _first_sentence(rule.__doc__), _parameters(rule))
        for kind, rule in shape_of(family).kinds().items()
    ]


def _first_sentence(text: str | None) -> str:
    return " ".join((text or "").strip().split("\n\n")[0].split())


def _parameters(rule: type[Parameters]) -> dict[str, str]:
    words = {}
    for name, shape in fields_of(rule).items():
        field = rule.model_fields[name]
        if name == "kind":
            continue
        default = "" if field.is_required() else f"; default {_plain(field.default)}"
        words[name] = f"{describe(shape)}{default}"
    return words


def _plain(value: object) -> str:
    if isinstance(value, Parameters):
        return str(getattr(value, "kind", "even" if value == type(value)() else value))
    if isinstance(value, tuple):
        return f"[{', '.join(map(str, value))}]"
    return "none" if value is None else str(value)


def _intents() -> list[Item]:
    own = "Telex's own, for agentic coding"
    return [Item(name, own if name == "CODE_GENERATION" else "Telegraph's") for name in INTENTS]


def _metrics() -> list[Item]:
    from sim.metrics import dictionary

    return [Item(name, f"{unit}: {formula}") for name, unit, formula in dictionary()]


def _changes() -> list[Item]:
    may = [Item(dotted(path), "may change") for path in CHANGEABLE]
    return [*may, *(Item(path, f"is kept: {why}") for path, why in KEPT.items())]


KINDS: dict[str, tuple[str, Callable[[], list[Item]]]] = {
    "presets": ("parts of scenarios to extend: presets/NAME", lambda: _files("presets")),
    "catalog": ("real models to extend: catalog/NAME", lambda: _files("catalog")),
    "models": ("the catalog's models with their prices and quality", _models),
    "scenarios": ("scenarios that ship with Telex: telex run NAME", lambda: _files("scenarios")),
    "routers": ("which model gets a task", lambda: _rules(Router)),
    "mechanisms": ("how prices come about", lambda: _rules(Mechanism)),
    "bidding": ("what agents offer where slots are auctioned", lambda: _rules(Bidding)),
    "selling": ("how a model's price moves, and what it asks", lambda: _rules(Selling)),
    "values": ("what a right answer is worth, task by task", lambda: _rules(Values)),
    "validators": ("how a verdict comes about", lambda: _rules(Validators)),
    "scores": ("how verdicts make a score: validators.score", lambda: _rules(ScoreRule)),
    "protocols": ("what happens by the clock around the market", lambda: _rules(Protocol)),
    "costs": ("what an answer costs its model", lambda: _rules(Cost)),
    "honesty": ("whether models answer as themselves", lambda: _rules(Honesty)),
    "events": ("what changes at a time of a run", lambda: _rules(AnyEvent)),
    "changes": ("what an event may change in mid-run, and why not the rest", _changes),
    "rails": ("how charges become money on chain", lambda: _rules(Rail)),
    "arrivals": ("when agents post their tasks", lambda: _rules(Arrival)),
    "latencies": ("how an answer's time varies", lambda: _rules(Law)),
    "intents": ("what a task may ask for", _intents),
    "metrics": ("every figure of a summary, with unit and formula", _metrics),
    "schema": ("the JSON Schema of scenario files, for editors", list),
}


def show(kind: str | None, as_json: bool) -> None:
    """Lists one kind, or the kinds, on stdout; raises `ScenarioError` for a kind there is not."""
    if kind == "schema":
        emit(json.dumps(json_schema(), indent=2))
        return
    if kind is None:
        _put("kinds", [Item(name, words) for name, (words, _) in KINDS.items()], as_json)
        return
    if kind not in KINDS:
        hint = nearest(kind, tuple(KINDS))
        raise ScenarioError((Fault("telex list", kind, " | ".join(KINDS), hint),))
    _put(kind, KINDS[kind][1](), as_json)


def _put(kind: str, items: list[Item], as_json: bool) -> None:
    if as_json:
        listed = [
            {"name": item.name, "description": item.description}
            | ({"parameters": dict(item.parameters)} if item.parameters else {})
            | ({"expected": item.expected} if item.expected else {})
            | ({"commands": list(item.commands)} if item.commands else {})
            for item in items
        ]
        emit_json({"kind": kind, "items": listed})
        return
    width = max((len(item.name) for item in items), default=0)
    console = Console(file=sys.stdout, highlight=False)
    for item in items:
        console.print(f"[bold]{item.name:<{width}}[/]  ", end="", soft_wrap=True)
        console.print(item.description, markup=False, soft_wrap=True)
        for name, words in item.parameters.items():
            text = f"{'':<{width}}    {name}: {words}"
            console.print(text, markup=False, soft_wrap=True, style="dim")
        _put_expected(console, item)


def _put_expected(console: Console, item: Item) -> None:
    """A paragraph of what to expect, each command on a line, and a blank line to end it."""
    if item.expected:
        console.print(Padding(Text(item.expected), (0, 0, 0, INDENT)), style="dim")
    for command in item.commands:
        console.print(f"{'':<{INDENT}}{command}", markup=False, soft_wrap=True)
    if item.expected or item.commands:
        console.print()
