"""Rounds at the level of the rule: what one counts, who is struck, what waits for a quorum."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import count

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim.clock import Clock
from sim.protocol import rounds
from sim.protocol.books import Books
from sim.protocol.discipline import Tribunal
from sim.protocol.jury import Jury, Seat
from sim.protocol.mint import Mint
from sim.protocol.rounds import Answer, Rounds
from sim.protocols import Emission, Telegraph
from sim.record.frames import Frames
from sim.units import PPM, US_PER_DAY
from sim.validators import Median
from tests.bad_scenarios import GOOD, faults_of
from tests.scenarios_for_tests import CHAT, CODE, demand, group, model, ran, scenario

Parts = Mapping[str, object]
MODELS = ["m", "n"]
FREE: Parts = {"strikes": 10**6, "audit_percent": 0}


def bench(
    validators: Mapping[str, Parts], exact: Sequence[bool] = (False, False), **rules: object
) -> tuple[Rounds, Jury, Tribunal]:
    """A jury before which nothing has come yet, and what its rounds go through."""
    crowd = {name: {"kind": "honest", "noise": 0, **group} for name, group in validators.items()}
    protocol = Telegraph.model_validate(
        {"validators": crowd, "consensus": quorum(1), "discipline": FREE, **rules}
    )
    clock, jury = Clock(), Jury(protocol, MODELS)
    tribunal = Tribunal(clock, jury, protocol.discipline, Books())
    held = Rounds(
        clock, protocol.consensus, Median(), [], count(1), jury, tribunal, len(MODELS),
        np.array(exact),
    )  # fmt: skip
    return held, jury, tribunal


def quorum(needed: int) -> Parts:
    return {"quorum": needed, "reduced_quorum": needed}


class Untouched(list[Answer]):
    """Answers that nobody may look at."""

    def __iter__(self) -> Iterator[Answer]:
        raise AssertionError


def test_a_round_without_a_quorum_counts_for_all_that_have_a_seat_and_rewards_nobody():
    there: Parts = {"count": 2, "work_machina": "0.5"}
    crowd = {"there": there, "away": {"count": 3, "presence": 0}}
    held, _, tribunal = bench(crowd, consensus=quorum(3))
    held.examine(0, 0, PPM, 1, 7, checked=False)
    assert held.hold() == []
    assert tribunal.held.tolist() == [1] * 5
    assert tribunal.attended.tolist() == [1, 1, 0, 0, 0]
    assert [wei * 2 for wei in tribunal.work_wei] == [10**18, 10**18, 0, 0, 0]
    assert tribunal.rewarded.tolist() == tribunal.agreed.tolist() == [0] * 5


def test_a_round_without_a_quorum_does_not_look_at_what_waits():
    held, _, _ = bench({"away": {"count": 3, "presence": 0}}, consensus=quorum(2))
    held.examine(0, 0, PPM, 1, 7, checked=False)
    held.waiting = Untouched(held.waiting)
    assert held.hold() == []
    assert (len(held.waiting), held.failed) == (1, 1)


def backlog() -> list[object]:
    """What is found of many answers, of two models and of two intents, by a noisy jury."""
    held, _, tribunal = bench({"rough": {"count": 7, "noise": 0.5}}, consensus=quorum(3))
    for at in range(40):
        share_ppm, tasks = at * PPM // 40, 1 + at % 3
        held.examine(at % 2, at // 2 % 2, share_ppm, tasks, at * 2**50, checked=at % 5 == 0)
    found = held.hold()
    return [found, held.ratings.tolist(), tribunal.rewarded.tolist(), tribunal.strikes.tolist()]


@pytest.mark.parametrize("at_once", [1, 7, 39, 40])
def test_what_has_waited_is_judged_as_one_round_however_many_at_once(monkeypatch, at_once):
    whole = backlog()
    monkeypatch.setattr(rounds, "AT_ONCE", at_once)
    assert backlog() == whole


HALF = PPM // 2


def test_of_a_tier_a_intent_all_find_the_same_and_of_a_tier_b_intent_each_its_own():
    held, _, tribunal = bench({"rough": {"count": 9, "noise": 0.3}}, exact=(True, False))
    for intent in (0, 1):
        held.examine(intent, intent, HALF, 1, 7, checked=False)
    exact, judged = held.hold()
    assert (exact.score_ppm, judged.score_ppm == HALF) == (HALF, False)
    scores = held.ratings[1]
    assert scores[0].tolist() == [HALF] * 9
    assert len(set(scores[1].tolist())) == 9
    assert tribunal.strikes.sum() > 0


def test_nobody_is_struck_for_noise_at_tier_a():
    held, _, tribunal = bench({"rough": {"count": 9, "noise": 3}}, exact=(True, True))
    held.examine(0, 0, HALF, 1, 7, checked=False)
    held.hold()
    assert tribunal.rewarded.tolist() == [1] * 9


def test_at_tier_a_who_lies_is_off_as_ever():
    pact: Parts = {"kind": "colluding", "count": 2, "favours": ["m"]}
    held, _, tribunal = bench({"pact": pact, "fair": {"count": 3}}, exact=(True, True))
    held.examine(0, 0, HALF, 1, 7, checked=False)
    assert [each.score_ppm for each in held.hold()] == [HALF]
    assert tribunal.strikes.tolist() == [1, 1, 0, 0, 0]


@pytest.mark.parametrize(
    ("strike_off", "off_ppm", "struck"),
    [(None, 150_000, 0), (None, 150_001, 1), (0.3, 300_000, 0), (0.3, 300_001, 1)],
)
@pytest.mark.parametrize("side", ["favours", "opposes"])
def test_who_is_further_off_than_the_limit_forfeits_the_reward_and_is_struck(
    strike_off, off_ppm, struck, side
):
    pact: Parts = {"kind": "colluding", "count": 1, side: ["m"]}
    rules = FREE if strike_off is None else {**FREE, "strike_off": strike_off}
    held, _, tribunal = bench({"pact": pact, "fair": {"count": 2}}, discipline=rules)
    truth_ppm = PPM - off_ppm if side == "favours" else off_ppm
    held.examine(0, 0, truth_ppm, 1, 7, checked=False)
    assert [each.score_ppm for each in held.hold()] == [truth_ppm]
    assert tribunal.strikes.tolist() == [struck, 0, 0]
    assert tribunal.rewarded.tolist() == [1 - struck, 1, 1]


@given(st.lists(st.integers(100, 110), min_size=1, max_size=9), st.integers(1, 9))
def test_seats_are_the_top_by_stake_and_of_equals_the_firsts(stakes, seats):
    crowd: dict[str, Parts] = {
        f"v{at}": {"count": 1, "stake_machina": stake} for at, stake in enumerate(stakes)
    }
    _, jury, _ = bench(crowd, consensus={"seats": seats, **quorum(1)})
    better = [
        sum(
            other > stake or (other == stake and before < at) for before, other in enumerate(stakes)
        )
        for at, stake in enumerate(stakes)
    ]
    seated = [at for at, ahead in enumerate(better) if ahead < seats]
    assert jury.seated.tolist() == seated
    assert [seat is Seat.SEATED for seat in jury.seats] == [
        at in seated for at in range(len(better))
    ]


def two_intents(jury: Mapping[str, Parts], **rules: object) -> Frames:
    """A day of chat and code under a noisy judgement, by a jury or by what the scenario says."""
    both = {CHAT: 0.6, CODE: 0.6}
    base = {"consensus": quorum(3), "discipline": FREE}
    protocol = {"kind": "telegraph", "validators": jury, **base, **rules}
    return ran(
        scenario(
            {"m": model(quality=both)},
            {"g": group(30, intents={CHAT: demand(), CODE: demand()})},
            protocol=protocol, validators={"kind": "median", "noise": 0.2},
        )
    )  # fmt: skip


@pytest.mark.parametrize("jury", [{}, {"all": {"kind": "honest", "count": 5, "noise": 0.3}}])
def test_a_calls_score_is_exact_where_its_intent_is_tier_a_and_else_as_it_was(jury):
    plain, tiered = (two_intents(jury, tier_a=tier_a).calls for tier_a in ([], [CHAT]))
    chat, code = (tiered.filter(pl.col("intent") == each) for each in (CHAT, CODE))
    assert (chat["score_ppm"] == chat["success"].cast(pl.Int64) * PPM).all()
    assert not (code["score_ppm"] == code["success"].cast(pl.Int64) * PPM).all()
    assert code["score_ppm"].equals(plain.filter(pl.col("intent") == CODE)["score_ppm"])


def test_without_a_tier_a_a_scenario_is_hashed_as_before_there_were_tiers():
    tiers: list[list[str]] = [[], [CHAT]]
    without, tiered = (
        scenario(protocol={"kind": "telegraph", "tier_a": each}).canonical_json() for each in tiers
    )
    assert b"tier_a" not in without
    assert b"tier_a" in tiered
    assert b"absence_percent" not in without


def test_an_unknown_intent_of_tier_a_is_a_fault_with_the_nearest_name():
    rules = {"kind": "telegraph", "tier_a": ["STOCK_PRICE", "CRYPTO_PRISE"]}
    (fault,) = faults_of(GOOD | {"protocol": rules})
    assert (fault.path, fault.hint) == ("protocol.tier_a", "did you mean CRYPTO_PRICE?")


@pytest.mark.parametrize(
    ("percent", "attended", "removed"),
    [(50, 5, False), (50, 4, True), (80, 2, False), (80, 1, True), (100, 1, False),
     (100, 0, True), (0, 9, True), (0, 10, False)],
)  # fmt: skip
def test_who_misses_more_than_the_share_is_removed_and_who_misses_all_in_any_case(
    percent, attended, removed
):
    rules = {"absence_percent": percent, "absence_d": 1}
    _, jury, tribunal = bench({"all": {"count": 2}}, discipline=rules)
    for at in range(10):
        tribunal.round_failed(jury.seated[: 1 + (at < attended)])
    tribunal.clock.run(until=US_PER_DAY)
    tribunal.end_epoch()
    assert [seat is Seat.REMOVED for seat in jury.seats] == [False, removed]


def test_absentees_who_break_the_quorum_are_removed_and_the_reserve_makes_it_again():
    rules = {
        "kind": "telegraph",
        "spot_checks": {"every_s": 3600, "tasks": 50, "revoke_below_percent": 100},
        "consensus": {"seats": 12, "quorum": 8, "reduced_quorum": 6},
        "validators": {
            "there": {"kind": "honest", "count": 5},
            "gone": {"kind": "honest", "count": 7, "leaves_h": 12},
            "reserve": {"kind": "honest", "count": 8, "stake_machina": 500},
        },
    }
    what = scenario({"m": model()}, {"g": group(2)}, horizon_h=24 * 9, protocol=rules)
    frames = ran(what).protocol
    named = pl.col("validator").str.split("/").list.first()
    last = frames.validators.filter(pl.col("epoch") == pl.col("epoch").max())
    seats = last.group_by(named.alias("group"), "seat").len().sort("group", "seat")
    assert seats.rows() == [
        ("gone", "removed", 7), ("reserve", "seated", 7), ("reserve", "waiting", 1),
        ("there", "seated", 5),
    ]  # fmt: skip
    assert set(frames.validators.filter(named == "gone")["left_us"].drop_nulls()) == {
        7 * US_PER_DAY
    }
    epochs = frames.epochs.unique("epoch").sort("epoch")
    held, failed = epochs["rounds"].to_list(), epochs["rounds_failed"].to_list()
    assert held[1:7] == failed[1:7]
    assert min(held[:9]) > 0
    assert failed[7:] == [0] * len(failed[7:])


def test_what_validators_get_is_shared_among_the_rounds_that_had_a_result():
    _, jury, tribunal = bench({"there": {"count": 4}})
    tribunal.round_held(jury.seated, np.array([True, False, False, False]))
    for _ in range(9):
        tribunal.round_failed(jury.seated[:2])
    assert tribunal.held.tolist() == [10] * 4
    mint = Mint(Emission(), Books(), 0, 0)
    each = 7200 * 6 // 10 * 10**18 // 4
    assert mint.end_epoch(0, jury, tribunal, {}) == [0, each, each, each]
