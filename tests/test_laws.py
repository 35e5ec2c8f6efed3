"""Each law by its name: a good run keeps it, and a record that breaks it is caught by it alone."""

from collections.abc import Callable
from dataclasses import fields, replace

import numpy as np
import polars as pl
import pytest

from sim.facts import Kind
from sim.laws import LAWS, Evidence, Parity, check
from sim.laws import evidence as evidences
from sim.ledger import mints, transfers
from sim.metrics import figures
from sim.record import OwnAnswers, digest
from sim.record.asides import asides_of, own_answers_frame
from sim.record.batches import modelled_gas
from sim.record.frames import (
    Frames,
    Names,
    calls_from_frame,
    hashes_from_frame,
    tasks_from_frame,
    transfers_frame,
)
from sim.world import World
from tests.scenarios_for_tests import lively, record

Tamper = Callable[[Frames], Frames]


def evidence_of(frames: Frames, world: World) -> Evidence:
    told = figures(frames)
    return Evidence.gather(frames, told, told, None, world.ledger)


@pytest.fixture(scope="module")
def world() -> World:
    world = World(lively(400))
    world.run()
    return world


@pytest.fixture(scope="module")
def frames(world: World) -> Frames:
    return record(world)


@pytest.fixture(scope="module")
def cut_off() -> Evidence:
    world = World(lively(400))
    world.clock.after(100 * 10**6, lambda _: world.stop(), None)
    world.run()
    return evidence_of(record(world), world)


def retold(frames: Frames) -> Frames:
    """The frames with the transfers and the digest that their columns now have."""
    calls, hashes = calls_from_frame(frames.calls), hashes_from_frame(frames.calls)
    agents = World(frames.scenario).agents
    minted = mints(np.array([agent.budget_micros for agent in agents]))
    blocks = [minted, transfers(calls, len(agents))]
    gas = modelled_gas(frames.batches, frames.scenario)
    return replace(
        frames,
        transfers=transfers_frame(blocks, gas, Names(frames.scenario)),
        digest=digest(calls, tasks_from_frame(frames.tasks), hashes, *asides_of(frames)),
    )


def calls_with(column: str, value: pl.Expr, where: pl.Expr) -> Tamper:
    """Gives the first call ``where`` another value."""
    chosen = where & (where.cast(pl.Int64).cum_sum() == 1)
    told = pl.when(chosen).then(value).otherwise(pl.col(column)).alias(column)
    return lambda frames: retold(replace(frames, calls=frames.calls.with_columns(told)))


def tasks_with(column: str, value: pl.Expr, where: pl.Expr) -> Tamper:
    """Gives the tasks ``where`` another value."""
    told = pl.when(where).then(value).otherwise(pl.col(column)).alias(column)
    return lambda frames: retold(replace(frames, tasks=frames.tasks.with_columns(told)))


def transfers_with(column: str, value: pl.Expr, where: pl.Expr) -> Tamper:
    """Gives the transfers ``where`` another value."""
    told = pl.when(where).then(value).otherwise(pl.col(column)).alias(column)
    return lambda frames: replace(frames, transfers=frames.transfers.with_columns(told))


def of_kind(kind: Kind, asset: str = "USDC") -> pl.Expr:
    """The transfers of a kind."""
    return (pl.col("kind") == kind.name.lower()) & (pl.col("asset") == asset)


def first_of(where: pl.Expr) -> pl.Expr:
    """The first row for which it holds."""
    return where & (where.cast(pl.Int64).cum_sum() == 1)


def without(where: pl.Expr) -> Tamper:
    """Drops the transfers ``where``."""
    return lambda frames: replace(frames, transfers=frames.transfers.filter(~where))


def twice(where: pl.Expr) -> Tamper:
    """Books the transfers ``where`` once more."""
    return lambda frames: replace(
        frames, transfers=pl.concat([frames.transfers, frames.transfers.filter(where)])
    )


def printed(frames: Frames) -> Frames:
    """Money that the issuer gives the treasury, and calls no mint."""
    treasury, swap = (pl.lit(name) for name in ("treasury", "swap"))
    gift = frames.transfers.head(1).with_columns(
        target=treasury.cast(frames.transfers.schema["target"]),
        kind=swap.cast(frames.transfers.schema["kind"]),
    )
    return replace(frames, transfers=pl.concat([frames.transfers, gift]))


def shifted_refund(frames: Frames) -> Frames:
    """A micro of one call's refund goes to its model: all sums stay as they were."""
    refund = frames.transfers.filter(of_kind(Kind.REFUND)).join(
        frames.calls.filter(pl.col("charge_micros") > 0), on="call_id"
    )
    call_id = refund["call_id"][0]
    for kind, more in ((Kind.REFUND, -1), (Kind.RELEASE, 1)):
        where = of_kind(kind) & (pl.col("call_id") == call_id)
        frames = transfers_with("amount", pl.col("amount") + more, where)(frames)
    return frames


def swapped_settlement(frames: Frames) -> Frames:
    """Two calls of a batch in each other's place."""
    by_name = frames.calls.filter(pl.col("settled_id").is_in([0, 9])).sort("settled_id")
    one, other = by_name["call_id"]
    swapped = (
        pl.when(pl.col("call_id") == one)
        .then(9)
        .when(pl.col("call_id") == other)
        .then(0)
        .otherwise(pl.col("settled_id"))
    )
    return replace(frames, calls=frames.calls.with_columns(settled_id=swapped))


def early_close(frames: Frames) -> Frames:
    """A batch that closed before its last call was answered."""
    closed = pl.when(pl.col("batch") == 3).then(pl.col("closed_us") - 60 * 10**6)
    told = closed.otherwise(pl.col("closed_us")).alias("closed_us")
    return replace(frames, batches=frames.batches.with_columns(told))


SETTLED = pl.col("status") == "settled"
CHARGED = SETTLED & (pl.col("fee_micros") > 0)
CHAT = pl.col("group") == "chat"
ANY = pl.col("call_id") >= 0
REFUND, BIGS = of_kind(Kind.REFUND), pl.col("target") == "model:big"
LATER = pl.col("task_id") > 99
BREACHES: list[tuple[str, Tamper]] = [
    ("conservation", printed),
    ("conservation", transfers_with("kind", pl.lit("gas"), of_kind(Kind.MINT, "ETH"))),
    ("no_overdraft", transfers_with("amount", pl.lit(1), first_of(of_kind(Kind.MINT)))),
    ("no_overdraft", transfers_with("amount", pl.lit(1), of_kind(Kind.MINT, "ETH"))),
    ("every_hold_ends_once", without(first_of(of_kind(Kind.REFUND)))),
    ("every_hold_ends_once", twice(first_of(of_kind(Kind.HOLD)))),
    ("every_hold_ends_once", twice(first_of(of_kind(Kind.FEE)))),
    ("every_hold_ends_once", shifted_refund),
    ("every_hold_ends_once", transfers_with("time_us", pl.col("time_us") + 1, first_of(REFUND))),
    ("every_hold_ends_once", transfers_with("target", pl.lit("model:mid"), first_of(BIGS))),
    ("conservation", transfers_with("amount", pl.col("amount") * 2, first_of(of_kind(Kind.MINT)))),
    ("no_more_than_held", calls_with("fee_micros", pl.col("fee_micros") - 1, CHARGED)),
    ("no_more_than_held", calls_with("fee_micros", pl.col("fee_micros") + 1, CHARGED)),
    ("no_more_than_held", calls_with("quote_micros", pl.lit(1_000_001), CHAT)),
    ("order", calls_with("started_us", pl.col("posted_us") - 1, ANY)),
    ("order", calls_with("started_us", pl.col("finished_us") + 1, ANY)),
    ("order", swapped_settlement),
    ("order", early_close),
    ("same_seed_same_record", lambda frames: replace(frames, digest="0" * 64)),
    ("same_seed_same_record", tasks_with("posted_us", pl.col("posted_us") + 1, LATER)),
    ("same_seed_same_record", calls_with("input_tokens", pl.col("input_tokens") + 1, ANY)),
    ("same_seed_same_record", calls_with("difficulty", pl.col("difficulty") + 1, ANY)),
    ("nothing_is_lost", calls_with("success", pl.lit(True), ANY)),
    ("nothing_is_lost", tasks_with("calls", pl.col("calls") + 1, LATER)),
    ("nothing_is_lost", tasks_with("task_id", pl.col("task_id") + 1, LATER)),
    ("nothing_is_lost", calls_with("call_id", pl.lit(3), pl.col("call_id") == 2)),
    ("nothing_is_lost", tasks_with("outcome", pl.lit("open"), LATER)),
    ("theory", lambda frames: replace(frames, call_us=frames.call_us + 1)),
]


def broken(evidence: Evidence) -> list[str]:
    return [name for name, law in check(evidence).items() if not law.ok]


@pytest.mark.parametrize("law", LAWS)
def test_a_good_run_keeps_the_law(law: str, world: World, frames: Frames) -> None:
    verdict = LAWS[law](evidence_of(frames, world))
    assert verdict.ok, verdict


@pytest.mark.parametrize("law", LAWS)
def test_an_interrupted_run_keeps_the_law(law: str, cut_off: Evidence) -> None:
    assert figures(cut_off.frames).calls.in_flight > 0
    verdict = LAWS[law](cut_off)
    assert verdict.ok, verdict


@pytest.mark.parametrize(("law", "tamper"), BREACHES)
def test_a_breach_is_caught_by_its_law_alone(
    law: str, tamper: Tamper, world: World, frames: Frames
) -> None:
    found = broken(evidence_of(tamper(frames), world))
    assert [name for name in found if name != "conservation" or law == name] == [law]


def test_the_laws_ask_for_the_answers_of_a_block_of_tasks_at_a_time(
    world: World, frames: Frames, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = [answers for _, answers in evidence_of(frames, world).answers()]
    monkeypatch.setattr(evidences, "BLOCK_TASKS", 7)
    blocks = list(evidence_of(frames, world).answers())
    assert len(whole) == 1
    assert len(blocks) == -(-len(frames.tasks) // 7)
    for block, answers in blocks:
        assert set(answers["task_id"]) <= set(block)
        assert len(block) == 7
    assert pl.concat([answers for _, answers in blocks]).equals(whole[0])


@pytest.mark.parametrize(("law", "tamper"), BREACHES)
def test_a_breach_is_the_same_whatever_the_size_of_a_block(
    law: str, tamper: Tamper, world: World, frames: Frames, monkeypatch: pytest.MonkeyPatch
) -> None:
    tampered = tamper(frames)
    whole = LAWS[law](evidence_of(tampered, world))
    monkeypatch.setattr(evidences, "BLOCK_TASKS", 7)
    assert LAWS[law](evidence_of(tampered, world)) == whole


def test_an_own_answer_to_a_task_that_nobody_posted_is_counted(
    world: World, frames: Frames
) -> None:
    strange = {each.name: np.zeros(1, np.int64) for each in fields(OwnAnswers)}
    strange["task_id"] += 10**15
    told = own_answers_frame(OwnAnswers(**strange), Names(frames.scenario))
    verdict = LAWS["nothing_is_lost"](evidence_of(replace(frames, own_answers=told), world))
    assert "gaps 1," in verdict.found


def test_conservation_names_the_asset(world: World, frames: Frames) -> None:
    verdict = LAWS["conservation"](evidence_of(BREACHES[1][1](frames), world))
    assert "ETH 0 minted" in verdict.found
    assert "ETH 0 minted" not in verdict.needed


def test_no_overdraft_looks_at_every_instant_and_not_only_at_the_end(
    world: World, frames: Frames
) -> None:
    purse = 1_000 * 10**6
    for quote, needed in ((purse // 2, []), (purse + 1, ["no_overdraft"])):
        lent = calls_with("quote_micros", pl.lit(quote), CHAT)(frames)
        assert broken(evidence_of(lent, world)) == [*needed, "no_more_than_held"]
        assert lent.calls["charge_micros"].equals(frames.calls["charge_micros"])


def test_every_hold_ends_once_looks_at_the_ledgers_escrow_too(frames: Frames) -> None:
    other = World(lively(1))
    other.run()
    other.ledger.balances[1] += 1
    assert broken(evidence_of(frames, other)) == ["every_hold_ends_once"]


def test_parity_fails_on_any_difference_with_the_chain(world: World, frames: Frames) -> None:
    same = dict.fromkeys(Parity.__dataclass_fields__, 0)
    good = replace(evidence_of(frames, world), parity=Parity(**same))
    assert broken(good) == []
    for name in same:
        apart = replace(good, parity=Parity(**{**same, name: 1}))
        assert broken(apart) == ["parity"], name


def test_the_report_is_a_fold_only_if_it_is_the_same_again(world: World, frames: Frames) -> None:
    good = evidence_of(frames, world)
    told = figures(frames)
    other = told.model_copy(update={"spend_micros": told.spend_micros + 1})
    assert broken(replace(good, figures_before=other)) == ["report_is_a_fold"]
    for half in (replace(good, figures=None), replace(good, figures_before=None)):
        assert broken(half) == ["report_is_a_fold"]
    law = check(replace(good, figures=None, figures_before=None))["report_is_a_fold"]
    assert (law.ok, "the record was not saved" in law.found) == (True, True)


def test_an_open_call_is_lost_in_a_run_that_was_not_interrupted(cut_off: Evidence) -> None:
    denied = replace(cut_off.frames, interrupted=False)
    verdicts = check(replace(cut_off, frames=denied))
    lost = [name for name, law in verdicts.items() if not law.ok]
    assert lost == ["every_hold_ends_once", "nothing_is_lost"]
