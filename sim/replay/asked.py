"""Routers as they are asked for: ``quality-floor:floor=0.6`` as a router of the simulation."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import cast

from pydantic import ValidationError

from sim.facts import Fault, ScenarioError
from sim.parameters import Parameters
from sim.replay.play import Player
from sim.replay.rankings import RANKINGS
from sim.replay.table import Table
from sim.routers import MARKET_ROUTERS, ROUTERS
from sim.scenario.library import nearest
from sim.scenario.reading import UnreadableError, read_value
from sim.scenario.tree import plain

SINGLE, COIN, ORACLE = "single", "random", "oracle"
BETWEEN = re.compile(r",(?=[A-Za-z_]\w*=)")


@dataclass(frozen=True)
class Asked:
    """A router by name, with its parameters; those by default are ``usual``.

    ``player`` is None for what replay itself plays.
    """

    name: str
    params: Mapping[str, object] = field(default_factory=dict)
    player: Player | None = None
    usual: frozenset[str] = frozenset()

    @property
    def label(self) -> str:
        """``quality-floor floor=0.6``: its name, and what is not as it is by default."""
        told = {key: each for key, each in self.params.items() if key not in self.usual}
        return " ".join([self.name, *(f"{key}={_text(each)}" for key, each in told.items())])


def asked(text: str, table: Table) -> Asked:
    """The router that a text asks for: ``NAME`` or ``NAME:KEY=VALUE,KEY=VALUE``.

    ``single:model=NAME`` and ``oracle`` are replay's own, as the table knows the models' names.

    Raises:
        ScenarioError: an unknown name, or parameters that do not fit it, each of them.
    """
    name, _, rest = text.strip().partition(":")
    given = _parameters(text, rest)
    if name == SINGLE:
        return _single(text, given, table)
    if name == ORACLE:
        _none(text, given)
        return Asked(ORACLE)
    kinds = cast("dict[str, type[Parameters]]", {**ROUTERS, **RANKINGS})
    if name in MARKET_ROUTERS:
        allowed = f"a router that needs no market that runs: {name} looks at {MARKET_ROUTERS[name]}"
        raise ScenarioError((Fault(f"--router {text}", name, allowed, "telex run"),))
    if name not in kinds:
        known = sorted({*kinds, SINGLE, ORACLE})
        fault = Fault(f"--router {text}", name, " | ".join(known), nearest(name, known))
        raise ScenarioError((fault,))
    try:
        made = kinds[name].model_validate(given)
    except ValidationError as error:
        raise ScenarioError(tuple(_faults(text, error, sorted(kinds[name].model_fields)))) from None
    _known_names(text, getattr(made, "names", ()), table)
    document = made.model_dump(mode="json", exclude={"kind", "sha256"}, exclude_none=True)
    changed = made.model_dump(exclude_defaults=True)
    return Asked(name, document, cast("Player", made), frozenset(document.keys() - changed.keys()))


def _single(text: str, given: Mapping[str, object], table: Table) -> Asked:
    model = given.get("model")
    if set(given) != {"model"} or model not in table.models:
        hint = nearest(str(model), table.models)
        allowed = f"single:model=NAME with one of {', '.join(table.models)}"
        raise ScenarioError((Fault(f"--router {text}", text, allowed, hint),))
    return Asked(SINGLE, {"model": model})


def _known_names(text: str, names: Sequence[str], table: Table) -> None:
    faults = [
        Fault(f"--router {text}", name, " | ".join(table.models), nearest(name, table.models))
        for name in dict.fromkeys(names)
        if name not in table.models
    ]
    if faults:
        raise ScenarioError(tuple(faults))


def _none(text: str, given: Mapping[str, object]) -> None:
    if given:
        raise ScenarioError((Fault(f"--router {text}", ", ".join(given), "no parameters"),))


def _parameters(text: str, rest: str) -> dict[str, object]:
    given: dict[str, object] = {}
    for part in BETWEEN.split(rest) if rest else ():
        key, equals, value = part.partition("=")
        if not equals or not key or key in given:
            allowed = "NAME or NAME:KEY=VALUE,KEY=VALUE, each key once"
            raise ScenarioError((Fault(f"--router {text}", repr(part), allowed),))
        given[key] = _value(text, value)
    return given


def _value(asked: str, text: str) -> object:
    """A value as YAML reads it: 3, 0.5, true, [a, b], {a: 1}, or a name."""
    try:
        tree, faults = read_value(text, f"--router {asked}")
    except UnreadableError as error:
        raise ScenarioError((error.fault,)) from None
    if faults:
        raise ScenarioError(tuple(faults))
    return "" if tree is None else plain(tree)


def _faults(text: str, error: ValidationError, known: list[str]) -> list[Fault]:
    own = [name for name in known if name != "kind"]
    faults = []
    for detail in error.errors(include_url=False):
        key = ".".join(map(str, detail["loc"]))
        hint = nearest(key, own) if detail["type"] == "extra_forbidden" else ""
        found = "nothing" if detail["type"] == "missing" else f"{detail['input']!s:.60}"
        allowed = f"the parameters {', '.join(own) or '(none)'}"
        if detail["type"] not in ("extra_forbidden", "missing"):
            allowed = str(detail.get("ctx", {}).get("error", detail["msg"]))
        where = f"--router {text}" + f": {key}" * bool(key)
        faults.append(Fault(where, found, allowed, hint))
    return faults


def _text(value: object) -> str:
    if isinstance(value, Mapping):
        return f"{{{', '.join(f'{key}: {_text(each)}' for key, each in value.items())}}}"
    if isinstance(value, list):
        return f"[{', '.join(map(_text, value))}]"
    return f"{value:g}" if isinstance(value, float) else str(value)
