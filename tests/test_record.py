"""The record: its digest and answer hashes, its frames, and what is read back from a directory."""

import hashlib
import json
import struct
from dataclasses import fields, replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from eth_abi.abi import encode
from eth_utils.crypto import keccak
from hypothesis import given, settings
from hypothesis import strategies as st

from sim.facts import ScenarioError, ToolError
from sim.rails import Load
from sim.record import AnswerHasher, Calls, Tasks, digest
from sim.record.archive import JOBS, TABLES, ChainPlace, load, new_directory, save, write_text
from sim.record.asides import asides_of
from sim.record.batches import Landed
from sim.record.frames import Frames, calls_from_frame, hashes_from_frame, tasks_from_frame
from sim.recording import frames_of
from sim.scenario import Scenario
from sim.units import BytesArray
from sim.world import World
from tests.scenarios_for_tests import group, lively, play, ran, record, scenario, task

N = 3


def columns(kind: type[Calls] | type[Tasks], start: int) -> list[np.ndarray]:
    """Made-up columns, every value of which is another."""
    return [np.arange(N) + start + 1000 * at for at in range(len(fields(kind)))]


CALLS, TASKS = Calls(*columns(Calls, 0)), Tasks(*columns(Tasks, 10**6))
HASHES: BytesArray = np.arange(N * 32, dtype=np.uint8).reshape(N, 32)


def test_the_digest_is_sha_256_over_names_and_little_endian_columns() -> None:
    total = hashlib.sha256()
    for table in (CALLS, TASKS):
        for each in fields(table):
            values = getattr(table, each.name).tolist()
            total.update(each.name.encode() + struct.pack(f"<{N}q", *values))
    total.update(HASHES.tobytes())
    assert digest(CALLS, TASKS, HASHES) == total.hexdigest()


@pytest.mark.parametrize("name", Calls.__dataclass_fields__)
def test_the_digest_depends_on_every_column_of_calls(name: str) -> None:
    other = getattr(CALLS, name).copy()
    other[-1] += 1
    assert digest(replace(CALLS, **{name: other}), TASKS, HASHES) != digest(CALLS, TASKS, HASHES)


@pytest.mark.parametrize("name", Tasks.__dataclass_fields__)
def test_the_digest_depends_on_every_column_of_tasks(name: str) -> None:
    other = getattr(TASKS, name).copy()
    other[0] -= 1
    assert digest(CALLS, replace(TASKS, **{name: other}), HASHES) != digest(CALLS, TASKS, HASHES)


def test_the_digest_depends_on_every_answer_hash() -> None:
    for row in range(N):
        other = HASHES.copy()
        other[row, 31] ^= 1
        assert digest(CALLS, TASKS, other) != digest(CALLS, TASKS, HASHES)


def test_the_digest_does_not_depend_on_how_columns_lie_in_memory() -> None:
    rows = list(zip(*(getattr(CALLS, each.name).tolist() for each in fields(Calls)), strict=True))
    assert digest(Calls.from_rows(rows), TASKS, HASHES) == digest(CALLS, TASKS, HASHES)


def test_an_answer_hash_is_the_keccak_of_its_abi_encoding() -> None:
    what = lively(200)
    frames = ran(what)
    checked = 0
    for row in frames.calls.iter_rows(named=True):
        if row["reason"] not in ("none", "wrong", "late"):
            assert row["answer_hash"] == bytes(32)
            continue
        types = "bytes32 uint256 bytes32 uint64 uint64 bytes32 uint64 uint32".split()
        facts = [
            what.scenario_hash(), row["call_id"], keccak(text=row["intent"]),
            row["input_tokens"], row["output_tokens"], keccak(text=row["model"]),
            row["finished_us"], row["score_ppm"],
        ]  # fmt: skip
        assert row["answer_hash"] == keccak(encode(types, facts))
        checked += 1
    assert 0 < checked < len(frames.calls)


def test_answers_are_hashed_up_to_the_largest_numbers() -> None:
    calls = replace(CALLS, intent=np.zeros(N, np.int64), model=np.zeros(N, np.int64))
    calls = replace(calls, finished_us=np.array([2**63 - 1, 256, 2**40 + 5]))
    hasher = AnswerHasher(bytes(range(32)), ("CHAT",), ("m",))
    types = "bytes32 uint256 bytes32 uint64 uint64 bytes32 uint64 uint32".split()
    for row, found in enumerate(hasher.hashes(calls, np.array([1, 1, 1]))):
        numbers = [
            int(getattr(calls, name)[row])
            for name in "call_id input_tokens output_tokens finished_us score_ppm".split()
        ]
        call, given_tokens, made_tokens, finished, score = numbers
        facts = [
            bytes(range(32)), call, keccak(text="CHAT"), given_tokens, made_tokens,
            keccak(text="m"), finished, score,
        ]  # fmt: skip
        assert found.tobytes() == keccak(encode(types, facts))


def same(one: Frames, other: Frames) -> bool:
    """Whether two records are equal to the last value."""
    tables = (*TABLES, JOBS)
    return all(
        getattr(one, name).equals(getattr(other, name))
        and getattr(one, name).schema == getattr(other, name).schema
        for name in tables
    ) and all(
        getattr(one, each.name) == getattr(other, each.name)
        for each in fields(Frames)
        if each.name not in tables
    )


PLACE = ChainPlace(
    backend="anvil",
    first_call=5,
    first_block=1,
    last_block=9,
    head="0x00",
    calls=7,
    halted=False,
)


@pytest.mark.parametrize("place", [None, PLACE])
@pytest.mark.parametrize("what", [lively(100), scenario(horizon_h=1e-6)])
def test_a_record_is_read_as_it_was_saved(
    tmp_path: Path, what: Scenario, place: ChainPlace | None
) -> None:
    frames = ran(what)
    save(tmp_path, frames, place)
    again = load(tmp_path)
    assert same(again.frames, frames)
    assert again.manifest.chain == place
    assert again.manifest.scenario == what
    assert again.manifest.scenario_hash == frames.scenario.scenario_hash().hex()
    assert again.manifest.versions["numpy"] == np.__version__


def test_columns_come_back_from_their_frames(tmp_path: Path) -> None:
    save(tmp_path, ran(lively(100)), None)
    frames = load(tmp_path).frames
    hashes = hashes_from_frame(frames.calls)
    again = digest(
        calls_from_frame(frames.calls), tasks_from_frame(frames.tasks), hashes, *asides_of(frames)
    )
    assert again == frames.digest


def test_a_directory_that_is_not_whole_is_refused(tmp_path: Path) -> None:
    frames = ran(lively(20))
    for name, content, found in (
        ("manifest.json", None, "no record"),
        ("manifest.json", b"{", "a record whose manifest.json is damaged"),
        ("manifest.json", b"{}", "a record of another version"),
        ("tasks.parquet", b"PAR1", "a record whose tasks.parquet is damaged"),
        ("tasks.parquet", None, "a record without tasks.parquet"),
    ):
        save(tmp_path, frames, None)
        if content is None:
            (tmp_path / name).unlink()
        else:
            (tmp_path / name).write_bytes(content)
        with pytest.raises(ScenarioError, match=f"found {found}; allowed: the directory of a run"):
            load(tmp_path)


def test_an_output_directory_in_use_is_left_alone(tmp_path: Path) -> None:
    what = scenario()
    assert new_directory(tmp_path / "new" / "deep", what).is_dir()
    (tmp_path / "note").touch()
    with pytest.raises(ToolError, match="not empty"):
        new_directory(tmp_path, what)
    with pytest.raises(ToolError, match="cannot make"):
        new_directory(tmp_path / "note" / "below", what)


def test_runs_are_numbered_by_name_and_seed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    names = [str(new_directory(None, scenario(seed=seed))) for seed in (7, 7, 8)]
    assert names == ["runs/test-7-1", "runs/test-7-2", "runs/test-8-1"]


def test_a_summary_that_cannot_be_written_is_a_tool_error(tmp_path: Path) -> None:
    write_text(tmp_path, {"summary.json": json.dumps({"a": 1})})
    assert json.loads((tmp_path / "summary.json").read_text()) == {"a": 1}
    with pytest.raises(ToolError, match=r"cannot write summary\.json"):
        write_text(tmp_path / "none", {"summary.json": "{}"})
    with pytest.raises(ToolError, match="cannot write the record"):
        save(tmp_path / "none", ran(lively(1)), None)


@settings(max_examples=25)
@given(st.integers(0, 2**32), st.integers(0, 150))
def test_an_interrupted_run_keeps_every_sum(seed: int, stop_s: int) -> None:
    world = World(lively(400, seed))
    world.clock.after(stop_s * 10**6, lambda _: world.stop(), None)
    world.run()
    frames = record(world)
    assert frames.interrupted
    assert frames.duration_us == stop_s * 10**6
    assert frames.tasks["task_id"].to_list() == list(range(world.market.tasks_posted))
    assert frames.calls["call_id"].to_list() == list(range(world.market.calls_made))
    assert frames.tasks["calls"].sum() == len(frames.calls)
    flying = frames.calls.filter(pl.col("status") == "in_flight")
    still_open = frames.tasks.filter(pl.col("outcome") == "open")
    assert sorted(flying["task_id"]) == still_open["task_id"].to_list()
    assert set(flying["reason"]) <= {"interrupted"}
    assert (flying["finished_us"] == frames.duration_us).all()
    assert set(flying["answer_hash"]) <= {bytes(32)}
    assert flying["charge_micros"].sum() == flying["output_tokens"].sum() == 0
    assert (frames.calls["finished_us"] - frames.calls["posted_us"]).sum() == frames.call_us


def test_an_interruption_cuts_calls_off_as_they_stand() -> None:
    frames = record(play(scenario(), [task(1), task(1.4)], stop_s=2.1))
    assert frames.calls["status"].to_list() == ["settled", "in_flight"]
    assert frames.tasks["ended_us"].to_list() == [2_000_000, 2_100_000]
    assert frames.calls["started_us"].to_list() == [1_000_000, 1_400_000]


def test_frames_name_what_columns_code() -> None:
    groups = {"one": group(), "two": group(count=2)}
    frames = record(play(scenario(groups=groups), [task(3)], [task(2)], [task(1, draw=5)]))
    assert frames.calls["agent"].to_list() == ["two/1", "two/0", "one/0"]
    assert frames.calls["group"].to_list() == ["two", "two", "one"]
    assert frames.tasks["group"].to_list() == ["two", "two", "one"]
    minted = frames.transfers.filter(pl.col("kind") == "mint")
    names = ["agent:one/0", "agent:two/0", "agent:two/1", "router"]
    assert minted["target"].to_list() == names
    assert minted["call_id"].null_count() == len(minted)
    assert minted["asset"].to_list() == ["USDC"] * 3 + ["ETH"]


def test_settled_calls_have_a_batch_and_others_none() -> None:
    world = World(lively(300))
    world.run()
    place = Landed(("0xaa", "0xbb"), ("0x01", "0x02"), 12, 345)
    frames = frames_of(world, 1000, {1: place})
    settled = frames.calls.filter(pl.col("status") == "settled").sort("settled_id")
    others = frames.calls.filter(pl.col("status") != "settled")
    assert settled["settled_id"].to_list() == list(range(1000, 1000 + len(settled)))
    assert others["batch"].null_count() == others["settled_id"].null_count() == len(others) > 0
    sums = settled.group_by("batch").agg(
        calls=pl.len().cast(pl.Int64), charge_micros=pl.col("charge_micros").sum(),
        fee_micros=pl.col("fee_micros").sum(), first_settled_id=pl.col("settled_id").min(),
        agents=pl.col("agent").n_unique().cast(pl.Int64),
        models=pl.col("model").n_unique().cast(pl.Int64),
    )  # fmt: skip
    assert frames.batches.select(sums.columns).equals(sums.sort("batch"))
    landed = frames.batches.row(1, named=True)
    assert (landed["transactions"], landed["roots"]) == (["0xaa", "0xbb"], ["0x01", "0x02"])
    assert (landed["block"], landed["gas_used"]) == (12, 345)
    assert frames.batches.row(0, named=True)["block"] is None


def test_gas_is_paid_by_the_router_as_modelled() -> None:
    what = lively(100, chain={"backend": "none", "gas_price_gwei": 0.25})
    frames = ran(what)
    ether = frames.transfers.filter(pl.col("asset") == "ETH")
    gas = [
        what.rail.gas(Load(row["calls"], row["agents"], row["models"], 0, 0), events=True)
        for row in frames.batches.iter_rows(named=True)
    ]
    assert frames.batches["gas_modelled"].to_list() == gas
    paid = ether.filter(pl.col("kind") == "gas")
    assert [int(amount) for amount in paid["amount"]] == [each * 250_000_000 for each in gas]
    assert paid["time_us"].to_list() == frames.batches["closed_us"].to_list()
    assert set(paid["source"]) == {"router"}
    assert int(ether["amount"][0]) == sum(gas) * 250_000_000


def test_a_run_without_arrivals_is_an_empty_record() -> None:
    frames = ran(scenario(horizon_h=1e-6))
    assert len(frames.tasks) == len(frames.calls) == len(frames.batches) == 0
    assert frames.duration_us == frames.call_us == 0
