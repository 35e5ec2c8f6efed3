"""A good scenario to be made bad, and ways to get at the faults that follow."""

import re
from pathlib import Path

import pytest

from sim.facts import Fault, ScenarioError
from sim.scenario import from_mapping, load

GROUP = {
    "count": 2,
    "arrival": {"kind": "poisson", "per_hour": 3},
    "intents": {"CHAT_COMPLETION": {"input_tokens": {"median": 9}, "output_tokens": {"median": 9}}},
    "budget_usd": 5,
    "value_usd": 1,
    "max_price_usd": 1,
    "deadline_s": 60,
}
MODELS = {
    "gpt-5.2": {"extends": "catalog/gpt-5.2"},
    "house": {
        "origin": "US",
        "price": {"kind": "per_call", "usd_per_call": 0.01},
        "quality": {"CHAT_COMPLETION": 0.7},
    },
}
GOOD: dict[str, object] = {
    "version": 1,
    "tasks": 10,
    "models": MODELS,
    "groups": {"chat": GROUP},
}
JARGON = re.compile(
    r"Input should|valid (dict|int|list|num|str)|pydantic|tuple|Decimal|discriminator"
)


def faults_of(mapping: object, overrides: tuple[str, ...] = ()) -> list[Fault]:
    assert isinstance(mapping, dict)
    with pytest.raises(ScenarioError) as caught:
        from_mapping(mapping, overrides)
    assert not JARGON.search(str(caught.value))
    return list(caught.value.faults)


def fault_of_override(*overrides: str) -> Fault:
    faults = faults_of(GOOD, overrides)
    assert len(faults) == 1, faults
    return faults[0]


def fault_of_file(path: Path, text: str | bytes) -> Fault:
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    with pytest.raises(ScenarioError) as caught:
        load(path)
    assert len(caught.value.faults) == 1, caught.value.faults
    return caught.value.faults[0]
