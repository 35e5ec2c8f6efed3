"""Presets say what docs/protocol.md says of them, value by value."""

import re
from collections.abc import Iterator, Mapping
from decimal import Decimal
from pathlib import Path

from ruamel.yaml import YAML

from sim.mechanisms import PerCall
from sim.protocols import Telegraph
from sim.protocols.pricing import Jobs
from sim.scenario import Scenario, load
from sim.scenario.library import FOLDERS, names
from sim.scenario.reading import read_file
from sim.scenario.tree import plain

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs" / "protocol.md").read_text()
VALUE = re.compile(r"^\| `([a-z_.]+)` \| `(.+?)` \| .+? \| (?:documents|ours) \|$", re.MULTILINE)
FLOOR = re.compile(r"^\| `([a-z0-9.-]+)` \| ([0-9.]+) \| ([0-9.]+) \|$", re.MULTILINE)
LEFT_OUT = {"protocol.jobs.base_price_usd": Jobs().base_price_usd}
"""What the preset leaves to its default."""


def exact(value: object) -> object:
    """The same with every number as a decimal, so that 1 is 1.0 and nothing is rounded."""
    if isinstance(value, Mapping):
        return {key: exact(part) for key, part in value.items()}
    if isinstance(value, (list, tuple)):
        return [exact(part) for part in value]
    if isinstance(value, (int, float, Decimal)) and not isinstance(value, bool):
        return Decimal(str(value))
    return value


def leaves(value: object, path: str = "") -> Iterator[tuple[str, object]]:
    """Everything under a mapping that is none itself, by its dotted path."""
    if not isinstance(value, Mapping):
        yield path, exact(value)
        return
    for key, part in value.items():
        yield from leaves(part, f"{path}.{key}" if path else key)


def said() -> dict[str, object]:
    """The table of the page, each value read as the YAML that it is."""
    return {path: exact(YAML(typ="safe").load(text)) for path, text in VALUE.findall(PAGE)}


def telegraph() -> Scenario:
    return load(ROOT / "scenarios" / "telegraph.yaml")


def test_the_preset_telegraph_genesis_says_what_the_page_does_value_by_value() -> None:
    tree, faults = read_file(FOLDERS["presets"] / "telegraph-genesis.yaml")
    assert faults == []
    assert dict(leaves(plain(tree))) | LEFT_OUT == said()


def test_the_scenario_telegraph_runs_under_every_value_of_the_page() -> None:
    run = dict(leaves(telegraph().model_dump())) | LEFT_OUT
    assert {path: run[path] for path in said()} == said()


def test_the_page_leaves_no_number_of_the_protocol_out() -> None:
    protocol = telegraph().protocol
    assert isinstance(protocol, Telegraph)
    by_default = {"registrations", "jobs", "validators.genesis.leaves_h",
                  "validators.genesis.work_machina"}  # fmt: skip
    there = {path.removeprefix("protocol.") for path in said()} | by_default
    assert {path for path, _ in leaves(protocol.model_dump())} - there == set()


def test_a_floor_is_what_a_request_costs_or_the_least_floor_there_may_be() -> None:
    scenario = telegraph()
    floors = {name: Decimal(floor) for name, _, floor in FLOOR.findall(PAGE)}
    least = said()["protocol.pricing.least_floor_usd"]
    assert isinstance(least, Decimal)
    for name, seen, floor in FLOOR.findall(PAGE):
        assert Decimal(floor) == max(least, Decimal(seen)), name
    asked = {
        name: model.price.usd_per_call
        for name, model in scenario.models.items()
        if isinstance(model.price, PerCall)
    }
    assert asked == floors
    assert set(floors) == set(names(FOLDERS["catalog"]))
