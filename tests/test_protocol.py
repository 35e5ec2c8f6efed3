"""Telegraph's clock: epochs, grace, registrations, spot checks and revocation."""

from collections.abc import Mapping
from itertools import pairwise

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim.facts import Task
from sim.models import Pool as RealPool
from sim.parameters import Parameters
from sim.protocol.board import Board, Standing
from sim.protocol.reference import FINE, right_answers
from sim.protocols import Telegraph
from sim.rails import BatchRail
from sim.routers import Leaderboard
from sim.scenario import Scenario
from sim.scenario.library import FOLDERS
from sim.scenario.reading import read_file
from sim.scenario.tree import plain
from sim.units import PPM, US_PER_HOUR
from sim.world import World
from tests.bad_scenarios import GOOD, faults_of
from tests.scenarios_for_tests import CHAT, group, model, ran, record, scenario, task
from tests.test_routers import Pool, tasks

N = 20_000


def protocol(**changes: object) -> Mapping[str, object]:
    return {"kind": "telegraph", "spot_checks": {"tasks": 0}, **changes}


def market(count: int = 3, per_hour: float = 60, **changes: object) -> Scenario:
    """``count`` equal models a, b, ... and one agent."""
    models = {chr(ord("a") + at): model() for at in range(count)}
    return scenario(models, {"g": group(per_hour)}, **changes)


def calls_of(world: World, name: str) -> list[int]:
    """When each call of a model was posted."""
    calls = record(world).calls
    times: list[int] = calls.filter(calls["model"] == name)["posted_us"].to_list()
    return times


def shares(pool: Pool, router: Leaderboard, models: list[int]) -> dict[int, float]:
    found = [router.pick(each, 0, models, pool) for each in tasks(N)]
    return {model: found.count(model) / N for model in models}


def test_the_preset_says_every_rule_of_the_protocol_and_of_its_escrow():
    tree, _ = read_file(FOLDERS["presets"] / "telegraph-genesis.yaml")
    rules = plain(tree)
    assert isinstance(rules, dict)
    said, rail = rules["protocol"], rules["rail"]
    assert isinstance(said, dict)
    assert isinstance(rail, dict)
    assert set(BatchRail.model_fields) == set(rail)
    assert set(Telegraph.model_fields) - set(said) == {"registrations", "jobs"}
    for name, part in Telegraph.model_validate(said):
        if isinstance(part, Parameters):
            named = said[name]
            assert isinstance(named, dict)
            assert set(type(part).model_fields) == set(named)


def test_those_in_grace_share_five_per_cent_equally_and_the_rest_is_divided_by_rank():
    pool = Pool([PPM, PPM // 2, PPM // 4, PPM, PPM], [10] * 5)
    pool.newcomers[0] = frozenset({3, 4})
    found = shares(pool, Leaderboard(), [0, 1, 2, 3, 4])
    assert found == pytest.approx({0: 0.665, 1: 0.19, 2: 0.095, 3: 0.025, 4: 0.025}, abs=0.01)


@pytest.mark.parametrize("offered", [[3, 4], [0, 1]])
def test_who_is_alone_on_offer_gets_all(offered):
    pool = Pool([PPM] * 5, [10] * 5)
    pool.newcomers[0] = frozenset({3, 4})
    assert sum(shares(pool, Leaderboard(), offered).values()) == pytest.approx(1)


def test_without_newcomers_a_leaderboard_draws_as_ever():
    pool, late = Pool([3, 2, 1], [10] * 3), Pool([3, 2, 1, 9], [10] * 4)
    late.newcomers[0] = frozenset({3})
    router, never = Leaderboard(), Leaderboard(grace_percent=0)
    for each in tasks(500):
        assert router.pick(each, 0, [0, 1, 2], pool) == never.pick(each, 0, [0, 1, 2, 3], late)


@given(st.integers(1, 60), st.integers(0, PPM), st.integers(0, 2**64 - 1))
def test_right_answers_are_between_none_and_all(n, chance, draw):
    assert 0 <= right_answers(n, chance, draw) <= n
    assert right_answers(n, 0, draw) == 0
    assert right_answers(n, PPM, draw) == n


def test_right_answers_are_binomial():
    n, chance, draws = 40, 300_000, 4000
    found = [right_answers(n, chance, (2 * at + 1) * 2**63 // draws) for at in range(draws)]
    mean = sum(found) / draws
    assert mean == pytest.approx(12, abs=0.02)
    assert sum((each - mean) ** 2 for each in found) / draws == pytest.approx(8.4, rel=0.02)
    assert draws < FINE


def test_a_model_gets_no_task_until_it_registers_and_five_per_cent_in_grace():
    late = protocol(registrations={"c": {"at_h": 6}}, grace_h=100)
    world = World(market(horizon_h=24, per_hour=400, protocol=late))
    world.run()
    posted = calls_of(world, "c")
    assert min(posted) >= 6 * US_PER_HOUR
    assert len(posted) == pytest.approx(0.05 * 18 * 400, rel=0.2)


def test_after_grace_the_score_since_the_registration_ranks_a_model():
    models = {
        "old": model(quality={CHAT: 0.6}),
        "poor": model(quality={CHAT: 0.5}),
        "star": model(quality={CHAT: 0.95}, declared_quality={CHAT: 0.1}),
    }
    rules = protocol(registrations={"star": {"at_h": 0}}, grace_h=48, epoch_h=12)
    world = World(scenario(models, {"g": group(200)}, horizon_h=96, protocol=rules))
    world.run()
    posted = calls_of(world, "star")
    after = [time for time in posted if time > 48 * US_PER_HOUR]
    assert len(after) == pytest.approx(0.7 * 48 * 200, rel=0.05)


def test_registering_again_keeps_a_model_in_grace():
    again = protocol(registrations={"c": {"at_h": 0, "again_every_h": 10}}, grace_h=10.0)
    world = World(market(horizon_h=95, protocol=again))
    world.run()
    assert world.course is not None
    assert world.course.board.standing[world.scenario.intents.index(CHAT), 2] is Standing.GRACE


def standings(world: World, model: int, hours: list[float]) -> list[Standing]:
    """Where a model stands with chat at these times of a run."""
    found: list[Standing] = []
    pair = world.scenario.intents.index(CHAT), model

    def look(_: None) -> None:
        assert world.course is not None
        found.append(world.course.board.standing[pair])

    for hour in hours:
        world.clock.after(round(hour * US_PER_HOUR), look, None)
    world.run()
    return found


def test_who_registers_again_in_grace_is_in_grace_from_then_on_and_not_out_when_the_first_ends():
    again = protocol(registrations={"c": {"at_h": 0, "again_every_h": 6}}, grace_h=10.0)
    seen = standings(World(market(horizon_h=20, protocol=again)), 2, [5, 9, 11, 15, 17, 19])
    assert seen == [Standing.GRACE] * 6
    cut = {"kind": "set", "at_h": 6, "set": {"models.c.price.usd_per_call": "0.02"}}
    once = protocol(registrations={"c": {"at_h": 0}}, grace_h=10.0, pricing={})
    world = World(market(horizon_h=20, protocol=once, events=[cut]))
    assert [each.name for each in standings(world, 2, [9.9, 10.1, 15.9, 16.1])] == [
        "GRACE", "GRACE", "GRACE", "RANKED",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("declared", "found", "revoked"),
    [(500_000, 399_999, True), (500_000, 400_000, False), (100_000, 79_999, True),
     (100_000, 80_000, False), (900_000, 719_999, True), (900_000, 720_000, False)],
)  # fmt: skip
def test_a_revocation_is_for_a_score_a_fifth_below_the_tables_and_not_a_fifth_of_all_there_is(
    declared, found, revoked
):
    quality = {CHAT: declared / PPM}
    rules = protocol(spot_checks={"revoke_below_percent": 20, "tasks": 0})
    world = World(scenario({"m": model(quality=quality)}, horizon_h=1, protocol=rules))
    assert world.course is not None
    course, intent = world.course, world.scenario.intents.index(CHAT)
    course.rounds.examine(intent, 0, found, 1, 7, checked=True)
    assert standings(world, 0, [0.1])[0] is (Standing.REVOKED if revoked else Standing.RANKED)


def overrated(below: float) -> World:
    """A model that claims 90 % and solves 60 %, beside one that solves 50 %."""
    models = {
        "fraud": model(quality={CHAT: 0.6}, declared_quality={CHAT: 0.9}),
        "plain": model(quality={CHAT: 0.5}),
    }
    checks = {"every_s": 60, "tasks": 200, "revoke_below_percent": below}
    rules = protocol(spot_checks=checks)
    return World(scenario(models, {"g": group(200)}, horizon_h=36, protocol=rules))


def test_a_spot_check_far_below_the_table_revokes_routing_until_the_epoch_ends():
    world = overrated(20)
    world.run()
    posted = calls_of(world, "fraud")
    gaps = [(later - earlier, earlier) for earlier, later in pairwise(posted)]
    longest, since = max(gaps)
    assert since < US_PER_HOUR
    assert since + longest == pytest.approx(24 * US_PER_HOUR, rel=0.01)
    scores = world.pool.scores[world.scenario.intents.index(CHAT)]
    assert scores[0] == pytest.approx(600_000, abs=15_000)


def test_a_check_within_the_threshold_revokes_nothing():
    world = overrated(60)
    world.run()
    assert len([t for t in calls_of(world, "fraud") if t < 24 * US_PER_HOUR]) > 24 * 200 / 2


def test_scores_stand_still_within_an_epoch():
    rules = protocol(epoch_h=100)
    world = World(market(horizon_h=24, protocol=rules))
    before = [list(row) for row in world.pool.scores]
    world.run()
    assert world.pool.scores == before


def test_a_protocol_shifts_nobodys_tasks():
    plain, ruled = World(market(horizon_h=24)), World(market(horizon_h=24, protocol=protocol()))
    columns = ("task_id", "agent", "posted_us", "intent")
    plain.run()
    ruled.run()
    assert record(plain).tasks.select(columns).equals(record(ruled).tasks.select(columns))


def test_equals_share_the_best_place():
    pool = RealPool(market(3))
    board = Board(pool, frozenset())
    intent = board.pairs[0][0]
    pool.scores[intent] = [5, 9, 5]
    assert [board.rank(intent, each) for each in range(3)] == [2, 1, 2]
    board.revoke(intent, 1)
    assert [board.rank(intent, each) for each in range(3)] == [1, None, 1]


def test_a_model_is_barred_and_open_again():
    pool = RealPool(market(2))
    each: Task = task()
    intent = each.intent
    assert pool.fitting(each, 0, 10**9)[0] == [0, 1]
    pool.bar(intent, 0, True)
    assert pool.fitting(each, 0, 10**9)[0] == [1]
    pool.bar(intent, 0, False)
    assert pool.fitting(each, 0, 10**9)[0] == [0, 1]


def test_a_registration_of_an_unknown_model_is_a_fault_with_the_nearest_name():
    rules = protocol(registrations={"hose": {"at_h": 1}})
    (fault,) = faults_of(GOOD | {"protocol": rules})
    assert (fault.path, fault.hint) == ("protocol.registrations.hose", "did you mean house?")


def test_a_model_that_an_event_lists_begins_in_grace_and_one_that_is_withdrawn_leaves():
    models = {"old": model(), "new": model(listed=False), "gone": model()}
    events = [
        {"kind": "set", "at_h": 10, "set": {"models.new.listed": True}},
        {"kind": "set", "at_h": 12, "set": {"models.gone.listed": False}},
    ]
    world = World(
        scenario(models, {"g": group(200)}, horizon_h=20, protocol=protocol(), events=events)
    )
    world.run()
    assert world.course is not None
    intent = world.scenario.intents.index(CHAT)
    standing = {name: world.course.board.standing[intent, at]
                for at, name in enumerate(world.scenario.models)}  # fmt: skip
    assert standing == {
        "old": Standing.RANKED, "new": Standing.GRACE, "gone": Standing.ABSENT,
    }  # fmt: skip
    assert min(calls_of(world, "new")) >= 10 * US_PER_HOUR


def test_a_spot_check_examines_who_answers_in_a_models_name():
    models = {
        "front": model(quality={CHAT: 0.9}, honesty={"kind": "substitution", "by": "back"}),
        "back": model(quality={CHAT: 0.5}),
        "fair": model(quality={CHAT: 0.7}),
    }
    checks = {"every_s": 300, "tasks": 400, "revoke_below_percent": 20}
    rules = protocol(spot_checks=checks)
    frames = ran(scenario(models, {"g": group(60)}, horizon_h=20, protocol=rules))
    revoked = frames.protocol.epochs.filter(pl.col("revoked_us").is_not_null())
    assert revoked["model"].to_list() == ["front"]
