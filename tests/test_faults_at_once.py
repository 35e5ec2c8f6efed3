"""Contradictions of every sort in one scenario: all of them at once, each where it stands."""

from pathlib import Path

import pytest

from sim.facts import ScenarioError
from sim.scenario import load

TEXT = """\
version: 1
horizon_h: 5
models:
  a:
    price: {kind: per_call, usd_per_call: 0.01}
    quality: {CHAT_COMPLETION: 0.7}
  b: {extends: a, cost: {kind: per_call, usd_per_call: 0.001}, selling: {kind: shaded, bidders: 3}}
groups:
  g:
    count: 2
    arrival: {kind: poisson, per_hour: 3}
    intents:
      CHAT_COMPLETION:
        input_tokens: {median: 9}
        output_tokens: {median: 9}
        workflow:
          plan: {after: [test]}
          write: {after: [plan]}
          test: {after: [write]}
    budget_usd: 5
    value_usd: 1
    max_price_usd: 1
    deadline_s: 60
    bidding: {kind: shaded}
router: {kind: leaderboard, shares_percent: [70, 20, 20]}
protocol:
  kind: telegraph
  consensus: {quorum: 9, reduced_quorum: 5}
  validators:
    all: {kind: honest, count: 7}
events:
  - {at_h: 1, kind: outage, model: c, for_h: 1}
  - {at_h: 1, kind: defection, validators: [al], favours: [a]}
  - {at_h: 2, set: {models.c.listed: false}}
"""
EXPECTED = {
    "models.b.selling.highest_usd": ("nothing", 7),
    "groups.g.bidding.bidders": ("nothing", 24),
    "protocol.consensus.quorum": ("9", 28),
    "groups.g.intents.CHAT_COMPLETION.workflow": ("a cycle: plan -> write -> test -> plan", 16),
    "router.shares_percent": ("[70, 20, 20]", 25),
    "events[0].model": ("'c'", 32),
    "events[1].validators": ("'al'", 33),
    "events[2].set.models.c.listed": ("no such path", 34),
}


def test_contradictions_of_every_sort_are_told_at_once_each_with_its_path_and_line(
    tmp_path: Path,
) -> None:
    """A quorum above the validators, shares over 100 %, a cycle, strategies that lack a parameter.

    And events for a model and for validators that there are not.
    """
    file = tmp_path / "bad.yaml"
    file.write_text(TEXT)
    with pytest.raises(ScenarioError) as caught:
        load(file)
    found = {fault.path: (fault.found, fault.place) for fault in caught.value.faults}
    assert found == {
        path: (what, f"bad.yaml, line {line}") for path, (what, line) in EXPECTED.items()
    }


def test_with_these_mended_those_that_only_a_sound_scenario_shows_are_told(tmp_path: Path) -> None:
    sound = TEXT
    for bad, good in (
        ("bidders: 3}", "bidders: 3, highest_usd: 0.01}"), ("kind: shaded}", "kind: truthful}"),
        ("quorum: 9, reduced_quorum: 5", "quorum: 5, reduced_quorum: 5"),
        ("plan: {after: [test]}", "plan: {}"), ("20, 20]", "20, 10]"), ("model: c", "model: b"),
        ("[al]", "[all]"), ("models.c.listed: false", "protocol.consensus.quorum: 8"),
    ):  # fmt: skip
        assert bad in sound
        sound = sound.replace(bad, good)
    file = tmp_path / "better.yaml"
    file.write_text(sound)
    with pytest.raises(ScenarioError) as caught:
        load(file)
    (fault,) = caught.value.faults
    assert fault.path == "events[2].set.protocol.consensus.quorum"
    assert "at most the 7 validators" in fault.allowed
