"""What goes to the chain beside the calls has one order, however a run's calls came in blocks."""

from dataclasses import fields
from types import SimpleNamespace
from typing import cast

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from sim.auditing.beside import beside
from sim.facts import Errand, Kind, Status
from sim.rails import Closed
from sim.record import Calls, Handover, Withdrawals
from sim.record.archive import ChainPlace
from sim.record.asides import withdrawals_frame
from sim.record.frames import Frames, Names
from tests.auctions import bidders, seller
from tests.scenarios_for_tests import CHAT, demand, scenario

END = 9
SLASHED, STEP, BLOCK = "a call is slashed", "a step of a withdrawal", "a block ends"
MONEY_BACK = {"every_h": 1, "keep_usd": 10}
WHAT = scenario(
    {"m": seller("0.05", 20, quality={CHAT: 0.3}, declared_quality={CHAT: 0.5})},
    {"a": bidders(14, intents={CHAT: demand()}, values={"kind": "fixed"}, withdrawal=MONEY_BACK)},
    mechanism={"kind": "execution-contingent", "bond_usd": 1000},
)
Happened = tuple[int, str, int]
"""When, what, and which: the call's id, or the number of the step."""


@st.composite
def happenings(draw: st.DrawFn) -> list[Happened]:
    """Few instants with much in each; calls end in another order than they were posted in."""
    kinds = draw(st.lists(st.sampled_from([SLASHED, SLASHED, STEP, STEP, BLOCK]), max_size=14))
    times = draw(st.lists(st.integers(1, 3), min_size=len(kinds), max_size=len(kinds)))
    calls = iter(draw(st.permutations(range(kinds.count(SLASHED)))))
    steps = iter(range(len(kinds)))
    which = {SLASHED: calls, STEP: steps, BLOCK: iter([0] * len(kinds))}
    return [(t, kind, next(which[kind])) for t, kind in zip(sorted(times), kinds, strict=True)]


def calls_of(ended: list[Happened]) -> Calls:
    """Calls that ended so, each settled at no charge and slashed by its id and one."""
    columns = {field.name: np.zeros(len(ended), np.int64) for field in fields(Calls)}
    times, ids = (np.array([row[at] for row in ended], np.int64) for at in (0, 2))
    columns["status"] += Status.SETTLED
    return Calls(**columns | {"finished_us": times, "call_id": ids, "slash_micros": ids + 1})


def handed(happened: list[Happened]) -> list[Errand]:
    """The errands that batches bring, each closed as a block of calls ends."""
    handover, found = Handover(), list[Errand]()
    block: list[Happened] = []
    settled = 0
    for now_us, kind, which in [*happened, (END, BLOCK, 0)]:
        block.append((now_us, kind, which))
        if kind is not BLOCK:
            continue
        calls = calls_of([one for one in block if one[1] is SLASHED])
        moved = [(one[0], one[2], 0, 1) for one in block if one[1] is STEP]
        rows = np.arange(len(calls))
        handover.add(calls, np.zeros((len(calls), 32), np.uint8), rows, moved, now_us)
        if now_us == END:
            handover.end()
        block, closed = [], Closed(0, settled, settled + len(calls), now_us)
        settled += len(calls)
        found += [errand for one in handover.batches([closed]) for errand in one.errands]
    return [*found, *(errand for one in handover.last(1, END) for errand in one.errands)]


@given(happenings())
def test_errands_come_once_by_time_then_slashes_then_steps_wherever_blocks_end(
    happened: list[Happened],
) -> None:
    found = handed(happened)
    whole = handed([one for one in happened if one[1] is not BLOCK])
    assert [one._replace(place=0) for one in found] == [one._replace(place=0) for one in whole]
    assert [one.number for one in found] == list(range(len(found)))
    assert [one.place for one in found] == sorted(one.place for one in found)
    instants = [(time_us, kind is STEP, which) for time_us, kind, which in happened
                if kind is not BLOCK]  # fmt: skip
    assert [(one.time_us, one.kind is not Kind.SLASH) for one in found] == [
        (time_us, late) for time_us, late, _ in sorted(instants)
    ]


@given(happenings())
def test_an_audit_looks_for_the_errands_that_were_sent_and_for_no_others(
    happened: list[Happened],
) -> None:
    """However many of them an interruption let through."""
    found = handed(happened)
    calls = calls_of(sorted((o for o in happened if o[1] is SLASHED), key=lambda one: one[2]))
    steps: list[tuple[int, ...]] = [
        (time_us, which, 0, 1) for time_us, kind, which in happened if kind is STEP
    ]
    frame = withdrawals_frame(Withdrawals.from_rows(steps), Names(WHAT))
    frames = cast("Frames", SimpleNamespace(scenario=WHAT, withdrawals=frame))
    for sent in range(len(found) + 1):
        place = ChainPlace(backend="anvil", first_call=0, first_block=1, last_block=1, head="",
                           calls=0, halted=True, errands=sent)  # fmt: skip
        bonded, withdrawn = beside(frames, calls, place)
        assert bonded is not None
        assert withdrawn is not None
        slashes = {one.micros - 1 for one in found[:sent] if one.kind is Kind.SLASH}
        assert set(bonded.call_id.tolist()) == slashes
        rest = [one.agent for one in found[:sent] if one.kind is not Kind.SLASH]
        assert withdrawn.agent.tolist() == rest
