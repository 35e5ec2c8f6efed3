"""Validators that do otherwise from a time on: what changes, what stays, and what is refused."""

from collections.abc import Mapping

import polars as pl
import pytest

from sim.record.protocol import ProtocolFrames
from sim.scenario import Scenario
from sim.scenario.phases import phases
from sim.units import PPM
from tests.bad_scenarios import faults_of
from tests.scenarios_for_tests import CHAT, group, model, ran, scenario

Parts = Mapping[str, object]
FREE: Parts = {"strikes": 10**6, "audit_percent": 0}


def jury(*events: Parts, rule: str = "median", **changes: object) -> Scenario:
    """Five steadfast validators and six of ``west``, of 11 seats; two epochs of 12 hours."""
    models = {"bad": model(quality={CHAT: 0.4}), "good": model(quality={CHAT: 0.8})}
    rules: dict[str, object] = {
        "kind": "telegraph",
        "epoch_h": 12,
        "validators": {
            "west": {"kind": "honest", "count": 6, "work_machina": "0.5"},
            "steadfast": {"kind": "honest", "count": 5, "work_machina": "0.5"},
        },
        "consensus": {"seats": 11, "quorum": 6, "reduced_quorum": 4, "reduced_after": 3},
        "spot_checks": {"tasks": 50, "every_s": 600, "revoke_below_percent": 100},
        "discipline": FREE,
    } | changes
    return scenario(
        models, {"g": group(60)}, horizon_h=36, protocol=rules, validators={"kind": rule},
        events=list(events),
    )  # fmt: skip


def defect(at_h: float = 12.001, **how: object) -> Parts:
    return {"at_h": at_h, "kind": "defection", "validators": ["west"], **how}


def scores(frames: ProtocolFrames, model_id: str) -> list[float]:
    """A model's score at the end of each epoch that has ended."""
    mine = frames.epochs.filter(pl.col("model") == model_id).sort("epoch")
    return [ppm / PPM for ppm in mine["score_ppm"]][:-1]


def sums(frames: ProtocolFrames, column: str) -> list[list[int]]:
    """Of ``west``, then of ``steadfast``: a column's sum in each epoch."""
    table = frames.validators.with_columns(g=pl.col("validator").str.split("/").list.first())
    by = table.group_by("g", "epoch").agg(pl.col(column).sum()).sort("epoch")
    return [
        [int(each) for each in by.filter(pl.col("g") == name)[column]]
        for name in ("west", "steadfast")
    ]


@pytest.mark.parametrize(
    ("count", "rule", "taken"),
    [(6, "median", True), (5, "median", False), (6, "yuma", True), (5, "yuma", False)],
)
def test_a_majority_that_starts_to_collude_has_its_way_from_then_on(count, rule, taken):
    groups = {"west": count, "steadfast": 11 - count}
    crowd = {name: {"kind": "honest", "count": n} for name, n in groups.items()}
    frames = ran(jury(defect(favours=["bad"]), rule=rule, validators=crowd)).protocol
    before, after = scores(frames, "bad")
    assert before == pytest.approx(0.4, abs=0.03)
    assert (after > 0.65) is taken
    assert scores(frames, "good")[1] == pytest.approx(0.8, abs=0.03)


def test_until_it_begins_a_defection_changes_nothing():
    plain, changed = (
        ran(what) for what in (jury(), jury(defect(20, favours=["bad"], opposes=["good"])))
    )
    # What the last round before it has judged; every hash of an answer names its scenario.
    early = pl.col("ended_us") < (20 * 3600 - 90) * PPM
    own = ("answer_hash", "settled_id", "batch")
    for one, other in ((plain.calls, changed.calls), (plain.tasks, changed.tasks)):
        both = [
            each.rename({"finished_us": "ended_us"}, strict=False).filter(early)
            for each in (one, other)
        ]
        assert both[0].drop(own, strict=False).equals(both[1].drop(own, strict=False))
        assert len(both[0]) > 1000
    assert scores(plain.protocol, "bad")[0] == scores(changed.protocol, "bad")[0]
    assert plain.digest != changed.digest


def test_a_defection_for_a_time_ends():
    frames = ran(jury(defect(for_h=12, favours=["bad"]))).protocol
    assert scores(frames, "bad") == [pytest.approx(0.4, abs=0.03), pytest.approx(1, abs=0.02)]
    last = frames.epochs.filter((pl.col("model") == "bad") & (pl.col("epoch") == 2))
    assert last["judged"].sum() > 0
    again = phases(jury(defect(for_h=12, favours=["bad"])))
    assert again.all[0].scenario == again.all[2].scenario


def test_copies_run_no_script_and_report_what_they_copy():
    frames = ran(jury(defect(copies="steadfast"))).protocol
    (west, east), attended = sums(frames, "work_wei"), sums(frames, "attended")
    # The round that ends with an epoch is of the next one.
    assert west[1:] == [6 * 10**18 // 2, 0]
    assert west[0] == attended[0][0] * 10**18 // 2
    assert east == [each * 10**18 // 2 for each in attended[1]]


def test_copies_are_found_out_by_audits_only_once_they_copy():
    frames = ran(jury(defect(copies="steadfast"), discipline={"audit_percent": 5})).protocol
    slashed = sums(frames, "slashed_wei")
    assert slashed[0][0] == 0
    assert slashed[0][1] > 0
    assert sum(slashed[1]) == 0


def test_validators_that_grow_careless_are_struck_only_then():
    strict = {"strike_off": 0.1, "strikes": 10**6, "audit_percent": 0}
    frames = ran(jury(defect(noise=2), discipline=strict)).protocol
    west, steadfast = sums(frames, "strikes")
    assert west[0] == 0
    assert west[1] > 100
    assert steadfast[0] == 0


def test_absence_takes_the_quorum_and_after_three_failures_the_reduced_one_suffices():
    frames = ran(jury(defect(presence=0))).protocol
    rounds = frames.epochs.unique("epoch").sort("epoch")
    failed, reduced = rounds["rounds_failed"].to_list(), rounds["rounds_reduced"].to_list()
    assert (failed[0], reduced[0]) == (0, 0)
    assert failed[1] == pytest.approx(3 * reduced[1], abs=4)
    assert reduced[1] > 50


def test_too_few_for_any_quorum_judge_nothing_until_they_are_back():
    rules = {"seats": 11, "quorum": 6, "reduced_quorum": 6}
    frames = ran(jury(defect(for_h=12, presence=0), consensus=rules)).protocol
    rounds = frames.epochs.unique("epoch").sort("epoch")
    held, failed = rounds["rounds"].to_list(), rounds["rounds_failed"].to_list()
    assert failed[1] == held[1] - 1
    assert (failed[0], failed[2]) == (0, 0)


def test_a_quorum_that_changes_counts_from_the_next_round_on():
    event = {"at_h": 12.001, "set": {"protocol.consensus.quorum": 11, "protocol.discipline": FREE}}
    part = {"west": {"kind": "honest", "count": 6, "presence": 0.5},
            "steadfast": {"kind": "honest", "count": 5}}  # fmt: skip
    frames = ran(jury(event, validators=part)).protocol
    failed = frames.epochs.unique("epoch").sort("epoch")["rounds_failed"].to_list()
    assert failed[0] < 20
    assert failed[1] > 100


def test_spot_checks_may_begin_end_and_begin_again():
    off = {"protocol.spot_checks.tasks": 0}
    event = {"at_h": 12.001, "set": off, "for_h": 12}
    frames = ran(jury(event)).protocol
    checks = frames.epochs.group_by("epoch").agg(pl.col("spot_checks").sum()).sort("epoch")
    assert checks["spot_checks"].to_list() == [71, 1, 71]


def with_events(*events: Parts) -> dict[str, object]:
    return jury().model_dump(mode="json", exclude_none=True) | {"events": list(events)}


def test_every_fault_of_defections_is_found_at_once():
    faults = faults_of(
        with_events(
            defect(validators=["wets"], favours=["bad"]),
            defect(favours=["dab"], opposes=["goood"]),
            defect(copies="nobody"),
            defect(copies="west"),
            defect(favours=["bad"], copies="steadfast"),
            defect(),
            defect(presence=2),
            {"at_h": 1, "set": {"protocol.consensus.quorum": 12}},
            {"at_h": 1, "set": {"protocol.validators.west.count": 7}},
            {"at_h": 1, "set": {"protocol.validators.west.stake_machina": 7000}},
            {"at_h": 1, "set": {"protocol.validators.new": {"kind": "honest", "count": 1}}},
            {"at_h": 1, "set": {"validators.noise": 0.5}},
        )
    )
    found = {fault.path: fault for fault in faults}
    assert set(found) == {
        "events[0].validators", "events[1].favours", "events[1].opposes", "events[2].copies",
        "events[3]", "events[4]", "events[5]", "events[6].presence",
        "events[7].set.protocol.consensus.quorum",
        "events[8].set.protocol.validators.west.count",
        "events[9].set.protocol.validators.west.stake_machina",
        "events[10].set.protocol.validators.new",
        "events[11].set.validators",
    }  # fmt: skip
    assert found["events[0].validators"].hint == "did you mean west?"
    assert "11 validators" in found["events[7].set.protocol.consensus.quorum"].allowed
    assert "presence" in (found["events[8].set.protocol.validators.west.count"].hint or "")


def test_a_defection_needs_a_protocol():
    document = scenario().model_dump(mode="json", exclude_none=True)
    (fault,) = faults_of(document | {"events": [defect(1, favours=["m"])]})
    assert (fault.path, fault.allowed) == ("events[0].validators", "one of: none is named")


def test_without_a_protocol_validators_grow_noisier_and_fewer_at_a_time():
    event = {"at_h": 12, "set": {"validators.noise": 0.3, "validators.count": 1}}
    quiet = {"kind": "median", "count": 5, "noise": 0.01}
    calls = ran(scenario(events=[event], validators=quiet)).calls
    right = calls.filter("success").with_columns(off=PPM - pl.col("score_ppm"))
    early = pl.col("posted_us") < 12 * 3600 * PPM
    assert max(right.filter(early)["off"].to_list()) < 30_000
    assert max(right.filter(~early)["off"].to_list()) > 200_000
