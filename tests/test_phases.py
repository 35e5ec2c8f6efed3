"""Phases: which settings are in force when events overlap, and limits as people see them."""

from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from sim.explaining import explain
from sim.runner import run
from sim.scenario.phases import phases
from sim.units import US_PER_HOUR
from tests.scenarios_for_tests import group, model, scenario
from tests.test_events import two

SLOTS = st.tuples(
    st.integers(0, 40), st.none() | st.integers(1, 40), st.sampled_from(["dear", "mean"]),
    st.integers(1, 9),
)  # fmt: skip


@settings(max_examples=60, deadline=None)
@given(st.lists(SLOTS, max_size=7), st.lists(st.integers(0, 95), min_size=1, max_size=12))
def test_a_phase_is_the_last_event_in_force_of_each_setting(
    drawn: list[tuple[int, int | None, str, int]], asked: list[int]
) -> None:
    """Of events on the same setting, the one that began last holds; of equals, the later listed."""
    drawn = [each for at, each in enumerate(drawn) if each[:1] + each[2:3] not in
             [other[:1] + other[2:3] for other in drawn[:at]]]  # fmt: skip
    events = [
        {"at_h": at / 4, "set": {f"models.{name}.capacity.slots": slots}}
        | ({} if lasting is None else {"for_h": lasting / 4})
        for at, lasting, name, slots in drawn
    ]
    every = phases(two(*events))
    for quarter in asked:
        for name in ("dear", "mean"):
            holding = [
                (at, slots)
                for at, lasting, whose, slots in drawn
                if whose == name and at <= quarter and (lasting is None or quarter < at + lasting)
            ]
            now = every.at(quarter * US_PER_HOUR // 4).models[name].capacity.slots
            assert now == (max(holding)[1] if holding else 100)


def test_explain_says_that_a_model_is_at_its_limit(tmp_path: Path) -> None:
    capacity = {"slots": 100, "queue": 0, "calls_per_minute": 1}
    models = {"near": model("0.001", capacity=capacity), "far": model("0.002")}
    what = scenario(models, {"a": group(600)}, tasks=200, router={"kind": "cheapest"})
    ended = run(what, chain="none", out=tmp_path / "run")
    turned = ended.calls.filter(ended.calls["model"] == "far")["call_id"][0]
    near = next(
        each for each in explain(ended.directory, turned).candidates if each.model == "near"
    )
    assert near.refused == "at its limit of calls a minute"
