"""What a run holds in memory: packed columns, which give back every value, and are used up."""

from dataclasses import fields
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim.laws import Evidence, check
from sim.metrics import figures
from sim.record import Columns, Packed, PackedColumn, Slots
from sim.record.archive import load, save
from sim.record.frames import calls_from_frame
from sim.record.packed import order_by, used_up
from sim.units import Int64Array
from sim.world import World
from tests.scenarios_for_tests import lively, ran, record

INT64 = st.integers(-(2**63), 2**63 - 1)
PLAIN_BYTES = 8


def column(values: list[int]) -> Int64Array:
    return np.array(values, np.int64)


def slots(*times: int) -> Slots:
    return Slots(column(list(times)), column([at * 300 for at in times]), column([7] * len(times)))


@given(st.lists(st.lists(INT64, max_size=5), max_size=5))
def test_packed_columns_give_back_every_value(blocks: list[list[int]]) -> None:
    packed = [PackedColumn.of(column(values)) for values in blocks]
    joined = PackedColumn.joined(packed)
    assert joined.dtype == np.int64
    assert joined.tolist() == [value for values in blocks for value in values]


@pytest.mark.parametrize("least", [-(2**63), -5, 0, 2**40])
@pytest.mark.parametrize(("span", "each"), [(0, 1), (255, 1), (256, 2), (65_536, 4), (2**32, 8)])
def test_a_value_takes_the_bytes_of_its_distance_from_the_least(
    least: int, span: int, each: int
) -> None:
    assert PackedColumn.of(column([least, least + span])).nbytes == 2 * each


def test_a_packed_table_counts_the_bytes_of_all_columns() -> None:
    assert Packed(slots(1, 2, 3)).nbytes == 3 * (1 + 2 + 1)


def test_a_packed_table_comes_back_as_it_was() -> None:
    back = Packed(slots(4, 2, 9)).unpacked()
    for each in fields(Slots):
        assert getattr(back, each.name).tolist() == getattr(slots(4, 2, 9), each.name).tolist()


def test_blocks_are_joined_in_the_order_of_a_column_and_used_up() -> None:
    blocks = [Packed(slots(5, 1)), Packed(slots(3)), Packed(slots())]
    held = list(blocks)
    rows = used_up(Slots, blocks, order_by("time_us", blocks))
    assert rows.time_us.tolist() == [1, 3, 5]
    assert rows.model.tolist() == [300, 900, 1500]
    assert not blocks
    assert [block.nbytes for block in held] == [0, 0, 0]


def test_blocks_without_an_order_come_one_after_the_other() -> None:
    assert used_up(Slots, [Packed(slots(5, 1)), Packed(slots(3))]).time_us.tolist() == [5, 1, 3]


@pytest.mark.parametrize(("kind", "packed", "plain"), [("calls", 72, 232), ("tasks", 27, 72)])
def test_a_run_holds_a_third_of_the_bytes_of_plain_columns(
    kind: str, packed: int, plain: int
) -> None:
    blocks = getattr(World(lively(2_000)).run(), kind)
    (table,) = (block.unpacked() for block in blocks)
    assert PLAIN_BYTES * len(fields(table)) == plain
    assert blocks[0].nbytes <= packed * len(table)


def test_a_run_counts_the_bytes_of_calls_tasks_hashes_and_places() -> None:
    history = World(lively(200)).run()
    (calls,), (tasks,), (settled,) = history.calls, history.tasks, history.settled
    hashes = 32 * len(calls.unpacked())
    assert history.nbytes == calls.nbytes + tasks.nbytes + settled.nbytes + hashes


def test_a_run_that_is_made_a_record_of_is_held_once() -> None:
    history = World(lively(300)).run()
    calls, tasks = list(history.calls), list(history.tasks)
    assert len(Columns(history).calls) > 300
    assert sum(block.nbytes for block in calls) + sum(block.nbytes for block in tasks) == 0
    assert history.nbytes == 0
    assert [history.calls, history.tasks, history.hashes, history.settled] == [[]] * 4


def test_the_columns_of_a_record_that_is_read_lie_in_one_piece(tmp_path: Path) -> None:
    save(tmp_path, ran(lively(100)), None)
    calls = pl.read_parquet(tmp_path / "calls.parquet")
    calls.write_parquet(tmp_path / "calls.parquet", row_group_size=16)
    found = load(tmp_path).frames.calls
    assert found.equals(calls)
    assert found.n_chunks("all") == [1] * found.width
    one, other = calls_from_frame(found), calls_from_frame(found)
    assert np.shares_memory(one.quote_micros, other.quote_micros)


def test_no_figure_and_no_law_takes_rows_out_of_the_calls_with_all_their_columns(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    world = World(lively(300))
    world.run()
    frames, widths, taken = record(world), [], pl.DataFrame.filter

    def noted(frame: pl.DataFrame, *where: pl.Expr) -> pl.DataFrame:
        widths.append(frame.width)
        return taken(frame, *where)

    monkeypatch.setattr(pl.DataFrame, "filter", noted)
    told = figures(frames)
    check(Evidence.gather(frames, told, told, None, world.ledger))
    assert 0 < max(widths) < frames.calls.width
