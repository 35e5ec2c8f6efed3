"""Rails: when the batch rail closes a batch, and what its gas is taken to be."""

import json
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from sim import rails
from sim.rails import RAILS, BatchCloser, BatchRail, Closed

TIMES = st.lists(st.integers(0, 100), max_size=60).map(sorted)


def closed_one_by_one(times: list[int], size: int, interval: int) -> list[Closed]:
    """The rule, call by call: a batch is closed by its last call, or by the next tick."""
    closed: list[Closed] = []
    start = 0
    for place, time in enumerate(times):
        if place > start and time // interval > times[place - 1] // interval:
            tick = (times[place - 1] // interval + 1) * interval
            closed.append(Closed(len(closed), start, place, tick))
            start = place
        if place + 1 - start == size:
            closed.append(Closed(len(closed), start, place + 1, time))
            start = place + 1
    if start < len(times):
        tick = (times[-1] // interval + 1) * interval
        closed.append(Closed(len(closed), start, len(times), tick))
    return closed


@given(TIMES, st.integers(1, 7), st.integers(1, 30), st.lists(st.integers(0, 60), max_size=6))
def test_batches_are_those_of_the_rule_however_the_calls_come_in(
    times: list[int], size: int, interval: int, cuts: list[int]
) -> None:
    closer = BatchCloser(size, interval)
    edges = [0, *sorted(min(cut, len(times)) for cut in cuts), len(times)]
    closed: list[Closed] = []
    for begin, end in pairwise(edges):
        closed += closer.add(np.array(times[begin:end], np.int64))
    closed += closer.finish()
    assert closed == closed_one_by_one(times, size, interval)


@given(TIMES, st.integers(1, 7), st.integers(1, 30))
def test_every_call_is_in_one_batch_that_closes_no_earlier(
    times: list[int], size: int, interval: int
) -> None:
    closer = BatchCloser(size, interval)
    closed = [*closer.add(np.array(times, np.int64)), *closer.finish()]
    places = [place for batch in closed for place in range(batch.start, batch.stop)]
    assert places == list(range(len(times)))
    assert [batch.number for batch in closed] == list(range(len(closed)))
    assert [batch.closed_us for batch in closed] == sorted(batch.closed_us for batch in closed)
    for batch in closed:
        assert 0 < batch.stop - batch.start <= size
        assert 0 <= batch.closed_us - times[batch.stop - 1] <= interval


def test_a_full_batch_closes_with_its_last_call() -> None:
    closer = BatchCloser(2, 100)
    assert closer.add(np.array([5, 7, 9])) == [Closed(0, 0, 2, 7)]
    assert closer.add(np.array([99])) == [Closed(1, 2, 4, 99)]
    assert closer.finish() == []


def test_a_tick_closes_what_came_before_it() -> None:
    closer = BatchCloser(9, 100)
    assert closer.add(np.array([5, 99])) == []
    assert closer.add(np.array([100])) == [Closed(0, 0, 2, 100)]
    assert closer.add(np.array([777])) == [Closed(1, 2, 3, 200)]
    assert closer.finish() == [Closed(2, 3, 4, 800)]


def test_without_calls_nothing_closes() -> None:
    closer = BatchCloser(9, 100)
    assert closer.add(np.array([], np.int64)) == []
    assert closer.finish() == []


def test_the_rail_counts_its_ticks_in_simulated_time() -> None:
    closer = BatchRail(size=7, interval_s=1.5).closer()
    assert (closer.size, closer.interval_us) == (7, 1_500_000)
    assert BatchRail(interval_s=1e-9).closer().interval_us == 1


def test_gas_is_that_of_the_committed_figures(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    figures = {"base": 1, "per_call": 10, "per_call_event": 100, "per_agent": 1_000}
    (tmp_path / "gas.json").write_text(json.dumps({"batch": {**figures, "per_model": 10_000}}))
    monkeypatch.setattr(rails, "__file__", str(tmp_path / "rails.py"))
    rails.batch_gas.cache_clear()
    assert BatchRail.gas(2, 3, 4, events=False) == 43_021
    assert BatchRail.gas(2, 3, 4, events=True) == 43_221
    rails.batch_gas.cache_clear()


@pytest.mark.parametrize(
    "parameters",
    [
        {"size": 0},
        {"size": 1001},
        {"size": 1.5},
        {"interval_s": 0},
        {"fee_bps": 10_001},
        {"fee_bps": -1},
        {"settle_on": "never"},
    ],
)
def test_a_rail_that_cannot_be_is_refused(parameters: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        BatchRail.model_validate(parameters)


def test_the_batch_is_a_rail() -> None:
    assert {"batch": BatchRail} == RAILS
