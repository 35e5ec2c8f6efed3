"""The book of on-chain jobs: what it keeps while a run goes on, and jobs that buy nothing."""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import polars as pl

from sim.protocol.jobs import JobBook
from sim.units import US_PER_HOUR
from sim.world import World
from tests.jobs_for_tests import jobbed
from tests.judging import broken_laws, run_of
from tests.scenarios_for_tests import model, record

FIRST = pl.int_range(pl.len()) == 0


def book_of(world: World) -> JobBook:
    assert world.course is not None
    assert world.course.jobs is not None
    return world.course.jobs


def interrupted() -> World:
    """A run of jobs alone that was interrupted while it waited for an answer."""
    slow = model("0.05", latency={"first_token_ms": 50_000, "tokens_per_s": 1e9})
    world = World(jobbed(models={"m": slow}, rules={"jobs": {"share_percent": 100}}))
    world.clock.after(US_PER_HOUR, lambda _: world.stop(), None)
    world.run()
    return world


def test_the_book_keeps_the_calls_of_those_jobs_alone_that_have_not_ended():
    world = interrupted()
    found = record(world).jobs
    funded = found.filter(state="funded")["call_id"].to_list()
    assert 0 < len(funded) < len(found)
    assert list(book_of(world).open) == funded


def test_the_jobs_among_some_calls_are_looked_up_and_not_walked_through():
    class Unwalked(dict[int, object]):
        def __iter__(self) -> Iterator[int]:
            raise AssertionError("walked through")

    book = book_of(interrupted())
    first, *_ = book.open
    walked = Unwalked(vars(book)["_rows"])
    vars(book)["_rows"] = walked
    assert book.among(np.array([first, 10**6], np.int64)).tolist() == [True, False]


def test_where_the_fee_takes_all_a_job_ends_and_buys_nothing():
    world, found = run_of(jobbed(rail={"kind": "batch", "fee_bps": 10_000}))
    assert set(found.jobs["state"]) == {"terminal"}
    for column in ("swap", "machina_wei"):
        assert found.jobs[column].null_count() == len(found.jobs) > 0
    assert broken_laws(world, found) == []


def test_machina_for_a_job_that_bought_none_breaks_a_law():
    world, frames = run_of(jobbed(rail={"kind": "batch", "fee_bps": 10_000}))
    wei = pl.when(FIRST).then(1).cast(frames.jobs["machina_wei"].dtype).alias("machina_wei")
    told = replace(frames, jobs=frames.jobs.with_columns(wei))
    assert "nothing_is_lost" in broken_laws(world, told)


def test_dollars_too_few_for_a_wei_are_a_swap_that_brings_none():
    tiny = {"pool_usd": 10**7, "pool_machina": "0.000000000000000001"}
    world, found = run_of(jobbed(rules={"purchases": tiny}))
    assert set(found.jobs["machina_wei"]) == {0}
    assert found.jobs["swap"].null_count() == 0
    assert broken_laws(world, found) == []
