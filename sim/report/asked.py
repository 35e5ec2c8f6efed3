"""What was asked: the scenario in words, its models and groups, and where runs differ."""

import inspect
from collections.abc import Mapping, Sequence
from decimal import Decimal

from pydantic import BaseModel

from sim.mechanisms import PerCall, PerToken
from sim.report.markup import Html, Json, Table, folded, join, tag
from sim.report.palette import UNSTATED
from sim.report.reading import Record
from sim.report.wording import (
    NONE,
    capital,
    counted,
    dollars,
    listed,
    number,
    percent,
    whole,
)
from sim.scenario.schema import Scenario
from sim.units import micros_from_usd_exact

TABLE_OPEN_ROWS = 8
DIFFERENCES_MOST = 200
DIFFERENCES_OPEN = 16
RULES = ("mechanism", "router", "validators", "rail", "protocol")


def in_words(record: Record) -> Html:
    """The scenario in a paragraph."""
    scenario = record.scenario
    agents = sum(group.count for group in scenario.groups.values())
    origins = {model.origin or UNSTATED for model in scenario.models.values()}
    intents = {intent for group in scenario.groups.values() for intent in group.intents}
    end = (
        f"until {whole(scenario.tasks)} tasks are posted"
        if scenario.tasks
        else f"for {number(scenario.horizon_h or 0)} hours"
    )
    groups = f"in {counted(len(scenario.groups), 'group')} " if len(scenario.groups) > 1 else ""
    from_ = f" from {counted(len(origins), 'origin')}" if len(origins) > 1 else ""
    asked = listed([intent.replace("_", " ").lower() for intent in sorted(intents)][:5])
    more = f" and {counted(len(intents) - 5, 'more intent')}" if len(intents) > 5 else ""
    question = [tag("p", scenario.question)] if scenario.question else []
    words = tag(
        "p",
        f"{capital(counted(agents, 'agent'))} {groups}buy {asked}{more} from "
        f"{counted(len(scenario.models), 'model')}{from_}, {end}, with seed {scenario.seed}.",
    )
    return join([*question, words])


def rules(scenario: Scenario) -> Html:
    """Each rule of the scenario: its kind, what it does, its parameters but for whole groups."""
    entries = []
    for family in RULES:
        rule: BaseModel | None = getattr(scenario, family)
        if rule is None:
            continue
        document: dict[str, Json] = rule.model_dump(mode="json")
        kind = str(document.pop("kind", ""))
        said = ", ".join(
            f"{key} {_value(value)}"
            for key, value in document.items()
            if value and not (isinstance(value, Mapping) and "kind" not in value)
        )
        meaning = (inspect.getdoc(type(rule)) or "").split("\n\n", 1)[0].replace("``", "")
        words = [" ".join(meaning.split()), tag("span", said, class_="soft") if said else ""]
        named = [capital(family), " ", tag("b", kind)]
        entries.append(tag("div", tag("dt", *named), tag("dd", join(words, " "))))
    return tag("dl", *entries, class_="rules")


def _value(value: Json) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, Mapping):
        parts = (f"{key} {_value(part)}" for key, part in value.items() if key != "kind" and part)
        return f"{value.get('kind', '')} ({', '.join(parts)})"
    if isinstance(value, Sequence):
        return " / ".join(_value(each) for each in value)
    return number(value, 6) if isinstance(value, float) else str(value)


def models_table(scenario: Scenario) -> Html:
    """The models: who, at which price, how good, how much at once."""
    rows = []
    for name, model in scenario.models.items():
        qualities = sorted(model.quality.values())
        low, high = percent(qualities[0], 0), percent(qualities[-1], 0)
        rows.append([
            name, model.origin or NONE, model.weights, _price(model.price),
            low if low == high else f"{low} to {high}", whole(model.capacity.slots),
        ])  # fmt: skip
    heads = ["model", "origin", "weights", "list price", "solves", "slots"]
    return _foldable(Table("Models", heads, rows, texts=4))


def _price(price: PerCall | PerToken) -> str:
    if isinstance(price, PerCall):
        return f"${price.usd_per_call.normalize():f} a call"
    parts = (price.input_usd_per_mtok, price.output_usd_per_mtok)
    return " / ".join(f"${part.normalize():f}" for part in parts) + " per Mtok in / out"


def groups_table(scenario: Scenario) -> Html:
    """The groups: how many agents, what a right answer is worth, what they may pay."""
    rows = [
        [
            name, group.arrival.kind, whole(group.count), _usd(group.value_usd),
            _usd(group.max_price_usd), f"{number(group.deadline_s)} s", str(group.retries),
            _usd(group.budget_usd),
        ]
        for name, group in scenario.groups.items()
    ]  # fmt: skip
    heads = [
        "group", "arrivals", "agents", "value of a right answer", "most a call may cost",
        "deadline", "retries", "budget each",
    ]  # fmt: skip
    return _foldable(Table("Groups of agents", heads, rows, texts=2))


def _usd(amount: Decimal) -> str:
    return dollars(micros_from_usd_exact(amount))


def _foldable(table: Table) -> Html:
    if len(table.rows) <= TABLE_OPEN_ROWS:
        return table.html()
    return folded(f"{table.caption} ({len(table.rows)})", table.html())


def flat(value: Json, path: str = "") -> dict[str, str]:
    """Every plain value of a document by its dotted path."""
    if isinstance(value, Mapping) and value:
        found: dict[str, str] = {}
        for key, part in value.items():
            found |= flat(part, f"{path}.{key}" if path else key)
        return found
    if isinstance(value, Sequence) and not isinstance(value, str):
        return {path: ", ".join(_plain(part) for part in value) if value else NONE}
    return {path: _plain(value)}


def _plain(value: Json) -> str:
    if value is None or value in ({}, ""):
        return NONE
    if isinstance(value, Mapping):
        return " ".join(f"{key} {_plain(part)}" for key, part in value.items())
    return str(value)


def differences(records: Sequence[Record]) -> Html:
    """Where the scenarios of several runs differ, a row per path."""
    every = [flat(record.scenario.model_dump(mode="json")) for record in records]
    paths = sorted({path for each in every for path in each})
    rows = []
    for path in paths:
        values = [each.get(path, NONE) for each in every]
        if len(set(values)) > 1:
            rows.append([path, *values])
    if not rows:
        return tag("p", "The scenarios are the same, to the last parameter.")
    caption = "Where the scenarios differ"
    if len(rows) > DIFFERENCES_MOST:
        caption += f": the first {DIFFERENCES_MOST} of {len(rows)} parameters"
    table = Table(caption, ["parameter", *(record.label for record in records)],
                  rows[:DIFFERENCES_MOST], texts=1 + len(records))  # fmt: skip
    opened = len(rows) <= DIFFERENCES_OPEN
    return table.html() if opened else folded(f"{caption} ({len(rows)})", table.html())


def parameters(scenario: Scenario) -> Html:
    """Every parameter of the resolved scenario, a fold per block, models and groups by id."""
    document: dict[str, Json] = scenario.model_dump(mode="json")
    plain_keys = {key: part for key, part in document.items() if not isinstance(part, Mapping)}
    blocks = [_block("scenario", plain_keys)]
    for key, part in document.items():
        if not isinstance(part, Mapping):
            continue
        if key in ("models", "groups"):
            inner = (_block(name, entry) for name, entry in part.items())
            blocks.append(folded(f"{key} ({len(part)})", *inner, class_="block"))
        else:
            blocks.append(_block(key, part))
    return join(blocks)


def _block(name: str, part: Json) -> Html:
    rows = (
        tag("div", tag("dt", path), tag("dd", value)) for path, value in flat(part).items() if path
    )
    return folded(name, tag("dl", *rows, class_="parameters"), class_="block")
