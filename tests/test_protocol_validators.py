"""Validators in rounds: noise, consensus, quorum, strikes, audits, absence, stakes."""

from collections.abc import Mapping

import numpy as np
import polars as pl
import pytest

from sim.facts import Kind
from sim.protocol.discipline import audited
from sim.protocol.noise import mixed, normals
from sim.record.protocol import ProtocolFrames
from sim.runner import run
from sim.scenario import Scenario
from sim.units import PPM, US_PER_DAY
from sim.world import World
from tests.bad_scenarios import GOOD, faults_of
from tests.scenarios_for_tests import CHAT, group, model, ran, record, scenario

Parts = Mapping[str, object]


def honest(count: int = 9, **changes: object) -> Parts:
    return {"kind": "honest", "count": count, **changes}


def judged(
    validators: Mapping[str, Parts], hours: float = 24, rule: str = "median", **changes: object
) -> Scenario:
    """Two models, of which ``good`` solves 80 % and ``bad`` 40 %, before a jury."""
    models = {"bad": model(quality={CHAT: 0.4}), "good": model(quality={CHAT: 0.8})}
    consensus = {"quorum": 5, "reduced_quorum": 3}
    rules: Parts = {
        "kind": "telegraph",
        "epoch_h": 12,
        "validators": validators,
        "consensus": consensus,
        "spot_checks": {"tasks": 50, "every_s": 600, "revoke_below_percent": 100},
        **changes,
    }
    return scenario(
        models, {"g": group(60)}, horizon_h=hours, protocol=rules, validators={"kind": rule}
    )


def after(what: Scenario) -> tuple[World, ProtocolFrames]:
    world = World(what)
    world.run()
    return world, record(world).protocol


def seats(frames: ProtocolFrames) -> dict[str, str]:
    """Each validator's seat at the end."""
    last = frames.validators.filter(pl.col("epoch") == pl.col("epoch").max())
    return dict(last.select("validator", "seat").iter_rows())


def scores(frames: ProtocolFrames) -> dict[str, float]:
    """Each model's score at the end of the first epoch."""
    first = frames.epochs.filter(pl.col("epoch") == 0)
    return {name: ppm / PPM for name, ppm in first.select("model", "score_ppm").iter_rows()}


def test_noise_is_standard_normal_and_each_validators_own():
    draws = np.arange(20_000, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    noise = normals(mixed(draws, np.array([11, 12], np.uint64)))
    assert noise.mean(axis=0) == pytest.approx([0, 0], abs=0.03)
    assert noise.std(axis=0) == pytest.approx([1, 1], abs=0.02)
    assert abs((noise[:, 0] * noise[:, 1]).mean()) < 0.03
    assert (np.abs(noise) < 1.96).mean() == pytest.approx(0.95, abs=0.01)


@pytest.mark.parametrize("rule", ["median", "mean", "yuma"])
def test_an_honest_jury_finds_what_models_can(rule):
    _, frames = after(judged({"all": honest()}, rule=rule))
    assert scores(frames) == pytest.approx({"good": 0.8, "bad": 0.4}, abs=0.02)


def test_a_calls_score_is_the_result_of_its_round():
    what = judged({"all": honest(noise=0)})
    calls = ran(what).calls
    assert set(calls.filter("success")["score_ppm"]) == {PPM}
    assert set(calls.filter(~pl.col("success"))["score_ppm"]) == {0}


def colluding(count: int) -> dict[str, Parts]:
    """Nine validators, ``count`` of which praise the bad model."""
    pact = {"kind": "colluding", "count": count, "favours": ["bad"]}
    return {"cartel": pact, "honest": honest(9 - count)}


NO_DISCIPLINE = {"strikes": 10**6, "audit_percent": 0}


def test_a_median_ignores_less_than_half_of_the_stake_and_a_mean_does_not():
    found = {
        rule: scores(after(judged(colluding(4), rule=rule, discipline=NO_DISCIPLINE))[1])["bad"]
        for rule in ("median", "mean", "yuma")
    }
    assert found["median"] == pytest.approx(0.4, abs=0.03)
    assert found["yuma"] == pytest.approx(0.4, abs=0.03)
    assert found["mean"] == pytest.approx((5 * 0.4 + 4) / 9, abs=0.03)


def test_more_than_half_of_the_stake_has_its_way():
    _, frames = after(judged(colluding(5), discipline=NO_DISCIPLINE))
    assert scores(frames)["bad"] > 0.97


def test_five_strikes_eject_and_the_next_by_stake_takes_the_seat():
    validators = colluding(3) | {"reserve": honest(2, stake_machina=500)}
    _, frames = after(judged(validators, consensus={"seats": 9, "quorum": 5, "reduced_quorum": 3},
                             discipline={"audit_percent": 0}))  # fmt: skip
    found = seats(frames)
    assert {found[f"cartel/{at}"] for at in range(3)} == {"ejected"}
    assert {found[f"reserve/{at}"] for at in range(2)} == {"seated"}
    struck = frames.validators.filter(pl.col("validator") == "cartel/0")
    assert struck["strikes"].sum() == 5
    assert struck["slashed_wei"].sum() == 0


def test_a_wide_noise_costs_honest_validators_their_seats():
    crowd = {"rough": honest(4, noise=0.2), "fine": honest(5, noise=0.01)}
    found = seats(after(judged(crowd))[1])
    assert {found[f"rough/{at}"] for at in range(4)} == {"ejected"}
    assert {found[f"fine/{at}"] for at in range(5)} == {"seated"}


def copying(count: int = 2) -> dict[str, Parts]:
    return {"work": honest(7), "copy": {"kind": "copying", "count": count, "of": "work"}}


def test_who_copies_scores_as_its_model_and_only_an_audit_finds_it():
    _, frames = after(judged(copying(), discipline={"audit_percent": 0}))
    ratings = {
        (row["validator"], row["model"]): row["score_ppm"]
        for row in frames.ratings.iter_rows(named=True)
    }
    assert ratings["copy/1", "good"] == ratings["work/0", "good"] != ratings["work/1", "good"]
    assert set(seats(frames).values()) == {"seated"}


def test_an_audited_fabrication_costs_a_fifth_of_the_stake_and_the_seat():
    world, frames = after(judged(copying(), discipline={"audit_percent": 100}))
    found = seats(frames)
    assert (found["copy/0"], found["work/0"]) == ("banned", "seated")
    slashed = frames.validators.group_by("validator").agg(pl.col("slashed_wei").sum())
    lost = dict(slashed.iter_rows())
    assert (lost["copy/0"], lost["work/0"]) == (200 * 10**18, 0)
    assert world.course is not None
    slashes = [move for move in world.course.books.moves if move.kind is Kind.SLASH]
    assert [(m.source, m.target, m.amount) for m in slashes] == [
        ("bonds", "treasury", 200 * 10**18)
    ] * 2


@pytest.mark.parametrize(("percent", "rounds"), [(1, 69), (5, 14), (20, 3), (50, 1)])
def test_k_fabrications_survive_audits_with_one_less_p_to_the_k(percent, rounds):
    keys = np.arange(20_000, dtype=np.uint64) * np.uint64(0xD1342543DE82EF95)
    draws = np.random.default_rng(7).integers(0, 2**63, rounds).tolist()
    caught = np.any([audited(draw, keys, percent) for draw in draws], axis=0)
    expected = (1 - percent / 100) ** rounds
    assert 1 - caught.mean() == pytest.approx(expected, abs=4 * (0.25 / len(keys)) ** 0.5)


def rounds_of(frames: ProtocolFrames) -> tuple[int, int, int]:
    firsts = frames.epochs.unique("epoch")
    columns = ("rounds", "rounds_failed", "rounds_reduced")
    held, failed, reduced = (int(firsts[name].sum()) for name in columns)
    return held, failed, reduced


def test_without_a_quorum_rounds_fail_until_the_reduced_one_suffices_and_is_flagged():
    rules = {"quorum": 9, "reduced_quorum": 5}
    crowd = {"there": honest(5), "away": honest(4, presence=0)}
    _, frames = after(judged(crowd, hours=20, consensus=rules))
    held, failed, reduced = rounds_of(frames)
    assert failed == pytest.approx(held * 3 / 4, abs=3)
    assert reduced == held - failed


def test_answers_that_no_quorum_judges_wait_and_are_judged_when_the_run_ends():
    rules = {"quorum": 9, "reduced_quorum": 9}
    crowd = {"there": honest(5, noise=0), "away": honest(4, presence=0)}
    world = World(judged(crowd, hours=20, consensus=rules))
    world.run()
    frames = record(world)
    held, failed, _ = rounds_of(frames.protocol)
    assert held == failed
    assert (frames.calls["score_ppm"] == frames.calls["success"].cast(pl.Int64) * PPM).all()


def test_a_round_without_its_leader_takes_longer():
    crowd = {"there": honest(5), "away": honest(4, presence=0)}
    often = {"every_s": 20, "tasks": 1, "revoke_below_percent": 100}
    everyone, some = (
        rounds_of(after(judged(each, hours=20, spot_checks=often))[1])[0]
        for each in ({"all": honest()}, crowd)
    )
    # Four of nine leaders are away: 90 s become 90 + 4/9 x 90 s on average.
    assert some == pytest.approx(everyone / (1 + 4 / 9), rel=0.06)


def test_absentees_are_removed_without_a_slash_and_have_their_stake_back_after_unbonding():
    discipline = {"absence_d": 2, "unbonding_d": 1}
    crowd = {"there": honest(7), "gone": honest(2, leaves_h=6), "rare": honest(2, presence=0.3)}
    world, frames = after(judged(crowd, hours=96, discipline=discipline))
    found = seats(frames)
    assert {found[name] for name in ("gone/0", "gone/1", "rare/0", "rare/1")} == {"removed"}
    assert {found[f"there/{at}"] for at in range(7)} == {"seated"}
    left = frames.validators.filter(pl.col("validator") == "gone/0")["left_us"].drop_nulls()
    assert left[0] == 2 * US_PER_DAY
    assert world.course is not None
    back = [move for move in world.course.books.moves if move.kind is Kind.REFUND]
    assert {(m.target, m.amount) for m in back} == {
        (f"validator:{name}", 1000 * 10**18) for name in ("gone/0", "gone/1", "rare/0", "rare/1")
    }
    assert {m.time_us for m in back} == {3 * US_PER_DAY}


def test_a_copy_of_everything_is_in_the_run_directory_and_reads_back(tmp_path):
    ended = run(judged({"all": honest()}), out=tmp_path / "run", chain="none")
    assert ended.ok
    for name in ("epochs", "validators", "ratings"):
        assert pl.read_parquet(tmp_path / "run" / f"{name}.parquet").height


def test_the_same_seed_makes_the_same_protocol():
    first, second = (after(judged(colluding(3)))[1] for _ in range(2))
    assert first.epochs.equals(second.epochs)
    assert first.validators.equals(second.validators)
    assert first.ratings.equals(second.ratings)


def test_another_validator_shifts_nobodys_noise():
    few, more = (
        after(judged({"a": honest(5), **extra}))[1].ratings.filter(pl.col("validator") == "a/3")
        for extra in ({}, {"b": honest(3)})
    )
    # The same reports, though the results, and so the routing of a later epoch, may differ.
    assert few["score_ppm"].to_list() == pytest.approx(more["score_ppm"].to_list(), abs=3000)


def test_contradictions_of_a_protocol_are_reported_all_at_once():
    rules = {
        "kind": "telegraph",
        "validators": {
            "few": honest(5, stake_machina=99),
            "copy": {"kind": "copying", "count": 1, "of": "fwe"},
            "pact": {"kind": "colluding", "count": 1, "favours": ["hose"], "opposes": ["who"]},
        },
        "consensus": {"quorum": 43, "reduced_quorum": 44},
        "registrations": {"hose": {"at_h": 1}},
    }
    faults = {fault.path: fault for fault in faults_of(GOOD | {"protocol": rules})}
    assert set(faults) == {
        "protocol.validators.few.stake_machina",
        "protocol.validators.copy.of",
        "protocol.validators.pact.favours",
        "protocol.validators.pact.opposes",
        "protocol.consensus.quorum",
        "protocol.consensus.reduced_quorum",
        "protocol.registrations.hose",
    }
    assert (
        faults["protocol.consensus.quorum"].allowed == "at most the 7 validators that have a seat"
    )
    assert faults["protocol.validators.copy.of"].hint == "did you mean few?"
