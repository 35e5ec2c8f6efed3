"""The protocol's scenarios answer as their first comments expect, in intervals over seeds."""

import polars as pl
import pytest

from sim.experiment.jobs import seed_of
from sim.experiment.statistics import Interval, interval
from sim.record.frames import Frames
from sim.scenario import load
from sim.units import US_PER_HOUR
from tests.claims import SCENARIOS, Replications, above, below, within
from tests.scenarios_for_tests import ran

CHAT = "CHAT_COMPLETION"


def test_cold_start_newcomer_grace_gives_five_per_cent_and_a_bandit_most():
    grace = Replications("cold-start-newcomer")
    bandit = Replications("cold-start-newcomer", {"router": {"kind": "bandit"}})
    share, week = "models.newcomer.share_calls", 7 / 8
    assert grace.interval(share).mean == pytest.approx(0.05 * week, abs=0.006)
    assert above(bandit.interval(share), 0.6)
    assert above(bandit.less(grace, "success_rate"), 0.1)


def test_cold_start_newcomer_grace_bounds_what_a_bad_newcomer_costs():
    poor = {f"models.newcomer.quality.{CHAT}": 0.2}
    with_it = Replications("cold-start-newcomer", poor)
    without = Replications("cold-start-newcomer", poor | {"router.grace_percent": 0})
    lost = without.less(with_it, "success_rate")
    # 5 % of seven days in eight, times 58 % solved instead of 20 %.
    assert above(lost, 0)
    assert below(lost, 0.025)


def test_grace_farming_earns_four_times_as_much_as_one_registration():
    farm = Replications("grace-farming")
    once = Replications("grace-farming", {"protocol.registrations.farmer.again_every_h": None})
    assert farm.interval("models.farmer.share_calls").mean == pytest.approx(0.05, abs=0.007)
    ratios = [
        a / b
        for a, b in zip(
            farm.values("models.farmer.revenue_micros"),
            once.values("models.farmer.revenue_micros"),
            strict=True,
        )
    ]
    assert min(ratios) > 3
    assert max(ratios) < 5
    costs, revenues = "protocol.registry_gas_micros", "models.farmer.revenue_micros"
    assert 0 < max(farm.values(costs)) < 0.02 * min(farm.values(revenues))
    assert below(farm.less(once, "success_rate"), 0)


def test_cold_start_newcomer_takes_seven_tenths_as_soon_as_its_grace_has_ended():
    after = Replications("cold-start-newcomer", {"horizon_h": 240}, warm_up_h=24 + 168)
    assert within(after.interval("models.newcomer.share_calls"), 0.68, 0.72)


def fraud(audit_percent: float, stake: int, reps: int) -> Replications:
    stakes = {
        f"protocol.validators.{group}.stake_machina": stake for group in ("working", "copying")
    }
    return Replications(
        "quality-fraud", {"protocol.discipline.audit_percent": audit_percent, **stakes}, reps
    )


@pytest.mark.parametrize(
    ("audit_percent", "stake", "reps", "pays"),
    [
        (0.03, 1000, 8, True), (0.08, 1000, 6, False),
        (0.1, 100, 6, True), (0.3, 100, 6, False),
    ],
)  # fmt: skip
def test_quality_fraud_pays_while_audit_rate_times_slash_and_rewards_is_less_than_it_saves(
    audit_percent, stake, reps, pays
):
    saved, slash, forgone = 0.1, 0.2 * stake, 50
    assert (audit_percent / 100 * (slash + forgone) < saved) is pays
    found = fraud(audit_percent, stake, reps)
    gain = found.between("judges.copying.net_machina_mean", "judges.working.net_machina_mean")
    assert above(gain, 0) if pays else below(gain, 0)


@pytest.mark.parametrize("rule", ["median", "yuma"])
def test_validator_collusion_moves_neither_median_nor_yuma(rule):
    found = Replications("validator-collusion", {"validators.kind": rule})
    assert found.interval("models.friend.share_calls").mean == pytest.approx(0.1, abs=0.01)


def test_validator_collusion_has_its_way_with_a_mean():
    found = Replications("validator-collusion", {"validators.kind": "mean"})
    assert above(found.interval("models.friend.share_calls"), 0.55)


def test_validator_collusion_ends_with_strikes_under_a_median():
    found = Replications("validator-collusion", {"protocol.discipline.strikes": 5}, reps=2)
    assert set(found.values("judges.cartel.ejected")) == {9}
    assert set(found.values("judges.honest.ejected")) == {0}


FLAT = {"protocol.pricing.tiers": [{"requests": 0, "times": 1}]}


def test_multiplier_spiral_holds_demand_at_the_edge_of_the_tier():
    steps, flat = Replications("multiplier-spiral"), Replications("multiplier-spiral", FLAT)
    assert above(steps.interval("tasks.rejected"), 0.33 * 5 * 1392)
    assert set(flat.values("tasks.rejected")) == {0}
    served = [calls / 5 for calls in steps.values("calls.settled")]
    assert all(950 < each < 1150 for each in served)
    assert below(steps.less(flat, "spend_micros"), 0)


def jobs_by_run(found: Replications, metric: str, base: str, times: float = 1) -> Interval:
    """A figure over another, run by run."""
    pairs = zip(found.values(metric), found.values(base), strict=True)
    return interval([times * one / other for one, other in pairs])


def test_onchain_jobs_are_a_tenth_of_the_tasks_and_two_thirds_of_the_spend():
    found = Replications("onchain-jobs")
    assert within(jobs_by_run(found, "jobs.created", "calls.made"), 0.05, 0.1)
    assert within(jobs_by_run(found, "jobs.gross_micros", "spend_micros"), 0.6, 0.75)
    rail, per_job = found.values("rail.gas"), jobs_by_run(found, "jobs.gas", "jobs.terminal")
    settled = zip(found.values("calls.settled"), found.values("jobs.terminal"), strict=True)
    per_call = [gas / (calls - jobs) for gas, (calls, jobs) in zip(rail, settled, strict=True)]
    assert above(interval([per_job.mean / each for each in per_call]), 50)
    # Half a round of 90 s, and an answer of about five.
    assert within(found.interval("jobs.wait_us_mean"), 40e6, 60e6)


def test_onchain_jobs_are_not_for_agents_that_allow_less_than_their_price():
    dear = Replications("onchain-jobs")
    cheap = dear.but({"protocol.jobs.base_price_usd": 0.5})
    refused = jobs_by_run(dear, "tasks.rejected", "groups.people.posted")
    assert refused.mean == pytest.approx(0.1, abs=0.02)
    assert set(cheap.values("tasks.rejected")) == {0}


def test_onchain_jobs_pay_every_model_alike_whatever_its_floor():
    jobs = ran(load(SCENARIOS / "onchain-jobs.yaml")).jobs
    prices = jobs.group_by("model").agg(pl.col("gross_micros").unique().sort())
    both = [10**6, 1_500_000]
    assert dict(prices.iter_rows()) == {"strong": both, "thrifty": both}


def revoking(percent: float) -> Replications:
    return Replications(
        "revocation-threshold", {"protocol.spot_checks.revoke_below_percent": percent}
    )


def test_revocation_threshold_of_twenty_per_cent_beats_a_tighter_and_a_wider_one():
    tight, right, wide = (revoking(percent) for percent in (5, 20, 70))
    assert above(right.less(tight, "success_rate"), 0.1)
    assert above(right.less(wide, "success_rate"), 0.1)
    # The boaster every day; of the honest three, one on 4 days in 100 (binomial, 69 checks each).
    assert set(right.values("protocol.revocations")) <= {1, 2}
    assert set(wide.values("protocol.revocations")) == {0}
    assert below(right.interval("models.boaster.share_calls"), 0.05)


def defected(rule: str) -> list[Frames]:
    """Records under four seeds."""
    plain = load(SCENARIOS / "validator-defection.yaml", {"validators.kind": rule})
    return [ran(plain.model_copy(update={"seed": seed_of(plain.seed, rep)})) for rep in range(4)]


@pytest.mark.parametrize(("rule", "step"), [("mean", 1), ("yuma", 2), ("median", 3)])
def test_validator_defection_takes_seven_for_a_mean_ten_for_yuma_eleven_for_a_median(rule, step):
    shares = []
    for frames in defected(rule):
        epochs = frames.calls.group_by(epoch=pl.col("posted_us") // (6 * US_PER_HOUR))
        found = epochs.agg(share=(pl.col("model") == "friend").mean()).sort("epoch")
        shares.append(found["share"].to_list())
    by_epoch = [interval(values) for values in zip(*shares, strict=True)]
    assert all(below(share, 0.2) for share in by_epoch[: 2 * step + 1])
    assert all(above(share, 0.6) for share in by_epoch[2 * step + 1 :])


@pytest.mark.parametrize(("rule", "least", "most"), [("median", 0.4, 0.6), ("mean", 0.85, 1.02)])
def test_validator_defection_brings_rewards_only_under_a_median(rule, least, most):
    """What the steadfast earn a head, over what the defectors do, once there are eleven."""
    ratios = []
    for frames in defected(rule):
        last = frames.protocol.validators.filter(pl.col("epoch") == 6)
        honest = pl.col("validator").str.starts_with("steadfast")
        reward = pl.col("reward_wei").cast(pl.Float64)
        heads = (last.filter(who).select(reward.mean()).item() for who in (honest, ~honest))
        ratios.append(next(heads) / next(heads))
    assert above(interval(ratios), least)
    assert below(interval(ratios), most)


def test_validator_defection_in_small_steps_ends_with_strikes_and_too_few_for_a_round():
    found = Replications("validator-defection", {"protocol.discipline.strikes": 5}, reps=2)
    assert set(found.values("judges.first.ejected")) == {7}
    assert set(found.values("judges.second.ejected")) == {3}
    assert set(found.values("judges.steadfast.ejected")) == {0}
    assert found.interval("models.friend.share_calls").mean == pytest.approx(0.1, abs=0.02)
    assert all(each > 500 for each in found.values("protocol.rounds_failed"))
