"""The report's panels on steps, payments and trust, against records worked out by hand."""

from pathlib import Path

import polars as pl

from sim.report import report
from sim.report.networks import dealings_of, dealings_query
from sim.report.steps import steps_query
from tests.report_helpers import Structure, calls, placed, two_models
from tests.scenarios_for_tests import CHAT, model, scenario
from tests.workflow_helpers import FLOW, works

WORKS = scenario(
    {"m": model(quality={CHAT: 0.9, "CODE_GENERATION": 0.9})},
    {"a": works(FLOW, session={"sticky": True}, retries=1)},
    tasks=40,
)


def test_dealings_are_sums_by_group_and_model_the_biggest_spender_first() -> None:
    rows = [
        {"group": "a", "model": "m", "charge_micros": 5, "success": True},
        {"group": "b", "model": "m", "charge_micros": 70, "reason": "wrong"},
        {"group": "b", "model": "n", "charge_micros": 30, "success": True},
        {"group": "b", "model": "n", "charge_micros": 0, "reason": "outage"},
    ]
    found = dealings_of(dealings_query(calls(("m", "n"), rows)).collect())
    assert found.groups == ("b", "a")
    assert found.of("b", "m") == (70, 1, 0)
    assert found.of("b", "n") == (30, 1, 1)
    assert found.of("a", "n") == (0, 0, 0)
    assert found.spend("b") == 100


def test_steps_count_tasks_calls_and_answers() -> None:
    rows = [
        {"task_id": 0, "step": "plan", "input_tokens": 10, "cached_tokens": 4, "success": True},
        {"task_id": 0, "step": "plan", "input_tokens": 30, "cached_tokens": 6, "reason": "wrong"},
        {"task_id": 1, "step": "plan", "input_tokens": 99, "reason": "outage"},
    ]
    table = calls(("m",), [{"cached_tokens": 0, **row} for row in rows])
    (row,) = steps_query(table).collect().rows(named=True)
    assert (row["tasks"], row["calls"], row["answers"], row["right"]) == (2, 3, 2, 1)
    assert (row["input"], row["cached"]) == (40, 10)


def test_the_page_of_a_workflow_shows_its_steps_and_graphs(tmp_path: Path) -> None:
    page = report([placed(tmp_path / "run", WORKS)])
    Structure(page)
    for words in ("Steps by group", "Who pays whom", "Structure of the graphs", ">test<"):
        assert words in page


def test_a_market_of_plain_tasks_has_graphs_and_no_steps(tmp_path: Path) -> None:
    page = report([placed(tmp_path / "run", two_models())])
    assert "Steps by group" not in page
    assert "Structure of the graphs" in page


def test_a_run_without_a_call_has_neither(tmp_path: Path) -> None:
    dear = {"m": model("9", quality={CHAT: 0.9})}
    run = placed(tmp_path / "run", scenario(dear, tasks=3))
    assert pl.read_parquet(run / "calls.parquet").is_empty()
    page = report([run])
    assert "Steps by group" not in page
    assert "Structure of the graphs" not in page
