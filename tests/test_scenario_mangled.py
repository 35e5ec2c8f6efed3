"""Whatever is put in: a scenario comes out, or a `ScenarioError`, never another exception."""

import contextlib
import copy

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim.facts import Fault, ScenarioError
from sim.scenario import from_mapping
from tests.bad_scenarios import GOOD

KEYS = st.one_of(
    st.sampled_from(
        ["kind", "models", "extends", "price", "house", "quality", "count", "intents", "tasks",
         "windows", "stakes", "pattern", "per_call", "gamma", "CHAT_COMPLETION", "[key]", "a.b", ""]
    ),
    st.text(max_size=5),
)  # fmt: skip
VALUES = st.recursive(
    st.one_of(
        st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=8),
        st.decimals(), st.binary(max_size=3),
        st.sampled_from(["per_token", "gamma", "house", "catalog/glm-5", "presets/telegraph",
                         10**400, -(10**40), 1e308, "poisson", "null"]),
    ),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3),
    max_leaves=6,
)  # fmt: skip


def paths_in(part: object, path: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    children = part.items() if isinstance(part, dict) else ()
    return [path] * bool(path) + [each for k, v in children for each in paths_in(v, (*path, k))]


PATHS = sorted(paths_in(GOOD), key=str)


@given(st.lists(st.tuples(st.sampled_from(PATHS), KEYS | st.none(), VALUES), max_size=4))
def test_a_mangled_scenario_is_a_scenario_or_a_scenario_error(changes):
    mangled = copy.deepcopy(GOOD)
    for path, key, value in changes:
        part: object = mangled
        for step in path[:-1]:
            part = part.get(step) if isinstance(part, dict) else None
        if isinstance(part, dict):
            target = part.get(path[-1]) if key is not None else part
            if isinstance(target, dict):
                target[path[-1] if key is None else key] = copy.deepcopy(value)
    with contextlib.suppress(ScenarioError):
        assert len(from_mapping(mangled).scenario_hash()) == 32


@given(st.lists(st.text(max_size=30) | st.builds("{}={}".format, KEYS, KEYS), max_size=3))
def test_any_override_gives_a_scenario_or_a_scenario_error(overrides):
    with contextlib.suppress(ScenarioError):
        from_mapping(GOOD, overrides)


@given(st.text(alphabet=st.sampled_from("abc:[]{}&*!|>'\"%@`#-?, \n\t0123.~<="), max_size=60))
def test_any_text_is_a_scenario_error(text):
    with pytest.raises(ScenarioError):
        from_text(text)


def from_text(text: str) -> None:
    from sim.scenario.reading import UnreadableError, read_text

    try:
        tree, faults = read_text(text, "a.yaml")
    except UnreadableError as error:
        raise ScenarioError((error.fault,)) from error
    raise ScenarioError((*faults, Fault("", str(tree), "")))
