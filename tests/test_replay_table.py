"""Tables of outcomes: what is read, and every fault of a file, counted."""

from pathlib import Path

import numpy as np
import polars as pl
import pytest

from sim.facts import ScenarioError, ToolError
from sim.replay import read_table
from sim.replay.writing import write_table

HEAD = "task_id,model,success"
FULL = """\
task_id,model,success,cost_usd,input_tokens,output_tokens,latency_s,domain
b,y,0.25,0.5,10,1,2,law
b,x,1,0,30,2,2,law
a,y,0,0.25,7,3,1,art
a,x,1,1e-3,7,4,1,art
"""


def written(path: Path, text: str | bytes) -> Path:
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def faults_of(path: Path) -> list[str]:
    with pytest.raises(ScenarioError) as caught:
        read_table(path)
    return [f"{fault.path}: {fault.found}" for fault in caught.value.faults]


def test_tasks_and_models_stand_in_the_order_of_their_names(tmp_path: Path) -> None:
    table = read_table(written(tmp_path / "t.csv", FULL))
    assert (table.tasks, table.models, table.domains) == (("a", "b"), ("x", "y"), ("art", "law"))
    assert table.domain.tolist() == [0, 1]
    assert table.success.tolist() == [[1, 0], [1, 0.25]]
    assert table.cost_usd is not None
    assert table.cost_usd.tolist() == [[0.001, 0.25], [0, 0.5]]
    assert table.prompts.tolist() == [7, 20]
    assert table.known == ("cost_usd", "input_tokens", "output_tokens", "latency_s", "domain")


def test_parquet_and_csv_say_the_same(tmp_path: Path) -> None:
    table = read_table(written(tmp_path / "t.csv", FULL))
    for name in ("other.parquet", "other.csv"):
        write_table(table, tmp_path / name)
        again = read_table(tmp_path / name)
        assert (again.tasks, again.models, again.domains) == (
            table.tasks, table.models, table.domains,
        )  # fmt: skip
        for column in ("success", "cost_usd", "input_tokens", "output_tokens", "latency_s"):
            assert np.array_equal(getattr(again, column), getattr(table, column))


def test_parquet_may_hold_numbers_for_names_and_truth_for_success(tmp_path: Path) -> None:
    frame = pl.DataFrame({"task_id": [1, 2], "model": ["m", "m"], "success": [True, False]})
    frame.write_parquet(tmp_path / "t.parquet")
    table = read_table(tmp_path / "t.parquet")
    assert (table.tasks, table.success.tolist()) == (("1", "2"), [[1.0], [0.0]])


def test_a_column_without_any_value_counts_as_not_there(tmp_path: Path) -> None:
    table = read_table(written(tmp_path / "t.csv", f"{HEAD},cost_usd\na,m,1,\nb,m,0,\n"))
    assert table.cost_usd is None
    assert table.known == ()


def test_a_table_that_cannot_be_written_is_a_tool_error(tmp_path: Path) -> None:
    table = read_table(written(tmp_path / "t.csv", FULL))
    written(tmp_path / "file", "")
    with pytest.raises(ToolError):
        write_table(table, tmp_path / "file" / "t.csv")


@pytest.mark.parametrize(
    ("content", "found"),
    [
        (b"", "an empty file"),
        (b"\x00\x01binary", "a file that is not text"),
        (b"PAR1 and no more", "no table"),
        (b"one line\nand, another, one\n", "no table"),
        (b"task_id,model,success\n", "a header and no rows"),
        (b"\xff\xfe\xfd,1,2\n\xff,a,b\n", "no"),
    ],
)
def test_what_is_no_table_is_said_to_be_none(tmp_path: Path, content: bytes, found: str) -> None:
    assert found in faults_of(written(tmp_path / "t.csv", content))[0]


def test_a_missing_file_has_a_hint(tmp_path: Path) -> None:
    written(tmp_path / "outcomes.csv", FULL)
    with pytest.raises(ScenarioError, match=r"no such file.*did you mean outcomes.csv"):
        read_table(tmp_path / "outcome.csv")
    assert "directory" in faults_of(tmp_path)[0].lower()


def test_missing_columns_are_all_named(tmp_path: Path) -> None:
    found = faults_of(written(tmp_path / "t.csv", "task_id,score\na,1\n"))
    assert found == [
        "score: an unknown column", "model: no such column", "success: no such column",
    ]  # fmt: skip


def test_an_unknown_column_is_a_fault_beside_the_others(tmp_path: Path) -> None:
    path = written(tmp_path / "t.csv", f"{HEAD},latencys\na,m,2,1\n")
    with pytest.raises(ScenarioError, match="did you mean latency_s") as caught:
        read_table(path)
    assert [fault.path for fault in caught.value.faults] == ["latencys", "success"]


@pytest.mark.parametrize(
    ("rows", "found"),
    [
        ("a,m,1,-2\nb,m,1,-1\nc,m,1,3", "cost_usd: 2 of 3 rows negative, first '-2'"),
        ("a,m,1,x\nb,m,1,nan\nc,m,1,inf", "cost_usd: 3 of 3 rows no number, first 'x'"),
        ("a,m,1,\nb,m,1,1\nc,m,1,1", "cost_usd: 1 of 3 rows empty"),
        ("a,m,,1\nb,m,,1\nc,m,1,1", "success: 2 of 3 rows empty"),
        ("a,m,1.5,1\nb,m,1,1", "success: 1 of 2 rows above 1, first '1.5'"),
        ("a,m,-1,1\nb,m,1,1", "success: 1 of 2 rows negative, first '-1'"),
        (",m,1,1\nb,m,1,1", "task_id: 1 of 2 rows empty"),
        ("a,m,1,1e300\nb,m,1,1", "cost_usd: 1 of 2 rows above 1e+12, first '1e300'"),
    ],
)
def test_cells_that_do_not_fit_are_counted(tmp_path: Path, rows: str, found: str) -> None:
    assert faults_of(written(tmp_path / "t.csv", f"{HEAD},cost_usd\n{rows}\n")) == [
        found.replace("'", "")
    ]


def test_missing_and_duplicate_rows_are_counted(tmp_path: Path) -> None:
    rows = "a,x,1\na,x,1\na,x,0\nb,x,1\nb,y,1\nc,y,1\n"
    assert faults_of(written(tmp_path / "t.csv", f"{HEAD}\n{rows}")) == [
        "task_id, model: 2 duplicate rows, as task a, model x: 3 times",
        "task_id, model: 2 of 6 cells missing, first a, y",
    ]


def test_a_task_has_one_domain(tmp_path: Path) -> None:
    rows = "a,x,1,art\na,y,1,law\nb,x,1,art\nb,y,1,art\n"
    assert faults_of(written(tmp_path / "t.csv", f"{HEAD},domain\n{rows}")) == [
        "domain: 1 tasks in more than one"
    ]
