"""A value for an event on every field of the rules that may change, see `tests.event_fields`."""

OF_RULES = """
= mechanism={kind: first-price}
mechanism.reserve_usd 0.2
mechanism.tick_s 20
= mechanism={kind: second-price}
mechanism.reserve_usd 0.2
mechanism.tick_s 20
= mechanism={kind: uniform-price, tick_s: 2}
mechanism.reserve_usd 0.2
mechanism.tick_s 20
= mechanism={kind: double, tick_s: 2}
mechanism.reserve_usd 0.2
mechanism.tick_s 20
= mechanism={kind: reverse-first}
mechanism.reserve_usd 0.001
= mechanism={kind: reverse-second}
mechanism.reserve_usd 0.003
= mechanism={kind: scoring}
mechanism.reserve_usd 0.003
mechanism.payment first-score
= mechanism={kind: pay-per-success}
mechanism.reserve_usd 0.003
= mechanism={kind: execution-contingent}
mechanism.reserve_usd 0.01
= router={kind: leaderboard}
router.shares_percent [50, 50]
= router={kind: leaderboard} ;; models.m.outages={mean_up_h: 0.02, mean_down_min: 0.5}
router.fallbacks 2
= router={kind: quality-floor, floor: 0.65}
router.floor 0.1
= router={kind: willingness-to-pay}
router.value_usd 0.000001
= router={kind: logit}
router.temperature_usd 1
router.value_usd 0.000001
= router={kind: inverse-power}
router.eta 0.1
= router={kind: inverse-power} ;; models.m.outages={mean_up_h: 0.02, mean_down_min: 0.5}
router.fallbacks 2
= router={kind: threshold}
router.at 0.9
= router={kind: single, model: m}
router.model o
= router={kind: weighted, weights: {m: 1, n: 1}}
router.weights.m 50
= router={kind: least-busy}
router.choices 1
= router={kind: weighted-score, max_latency_s: 9}
router.quality 50
router.latency 50
router.cost 50
router.load 50
router.min_quality 0.65
router.max_latency_s 1
= router={kind: score-per-price, tps: 0, ttft: 0, duration: 1, success: 1, stake: 0} ;;\
 models.n.price.usd_per_call=0.0018 ;; models.o.price.usd_per_call=0.0019
router.tps 50
router.ttft 50
router.duration 50
router.success 0.0001
router.stake 50
= router={kind: cascade, order: [m, n], accept: [0.5, 0.5], judge_error: 0.5}
router.order [o, m]
router.accept [0.99, 0.99]
router.judge_error 0
= router={kind: split, strong: o, weak: m}
router.strong_share 0.9
router.error 9
router.strong n
router.weak n
= router={kind: bandit, rule: epsilon-greedy}
router.rule ucb1
router.cheapness 1
router.explore 0.9
= router={kind: market-share, window_h: 1}
router.window_h 0.001
router.prior_usd 9
= router={kind: knn}
router.alpha 0.1
router.explore 0.9
router.neighbours 1
router.memory 2
= router={kind: cluster}
router.alpha 0.1
router.explore 0.9
router.clusters 1
router.prior 1000
= validators={kind: median, count: 3, noise: 0.1}
validators.noise 1
validators.count 1
validators.stakes [9, 1, 1]
= validators={kind: mean, count: 3, noise: 0.1}
validators.noise 1
validators.count 1
validators.stakes [9, 1, 1]
= validators={kind: yuma, count: 3, noise: 0.1}
validators.noise 1
validators.count 1
validators.stakes [9, 1, 1]
validators.kappa 0.9
=
chain.gas_price_gwei 9
chain.eth_usd 9
"""
RAILS = "".join(
    f"= rail={{kind: {kind}}}\nrail.fee_bps 900\nrail.settle_on success\n"
    for kind in "transfer x402-exact escrow-job prepaid batch channel epoch-root".split()
)
RULED = """= protocol={kind: telegraph, epoch_h: 0.2, grace_h: 0.1, tournament_tasks: 20,\
 spot_checks: {every_s: 30, tasks: 20, revoke_below_percent: 30},\
 consensus: {commit_s: 10, reveal_s: 10, quorum: 4, reduced_quorum: 2, failover_s: 5},\
 validators: {west: {kind: honest, count: 3, noise: 0.3, presence: 0.8, work_machina: 0.1},\
 pact: {kind: colluding, count: 1, noise: 0.1, favours: [n], opposes: [m]},\
 copy: {kind: copying, of: west, count: 1}, lazy: {kind: honest, count: 1, presence: 0.2}},\
 registrations: {o: {at_h: 0.1, again_every_h: 0.15}},\
 discipline: {strike_off: 0.4, strikes: 100, audit_percent: 0.01, absence_d: 0.02,\
 unbonding_d: 0.001}, emission: {epochs_before: 20},\
 purchases: {least_usd: 0.05, over_h: 0.1, transaction_interval_s: 60, jitter_s: 5,\
 pool_usd: 100, pool_machina: 100}} ;; router={kind: leaderboard}"""
OF_PROTOCOL = """
RULED
router.grace_percent 60
protocol.epoch_h 0.05
protocol.grace_h 0.01
protocol.tournament_tasks 500
protocol.calls_per_minute 1
protocol.tier_a [CHAT_COMPLETION]
protocol.spot_checks.every_s 300
protocol.spot_checks.tasks 2
protocol.spot_checks.revoke_below_percent 99
protocol.validators.west.noise 3
protocol.validators.west.presence 0.3
protocol.validators.west.leaves_h 0.5
protocol.validators.west.work_machina 1
protocol.validators.pact.noise 3
protocol.validators.pact.presence 0.3
protocol.validators.pact.leaves_h 0.5
protocol.validators.pact.work_machina 1
protocol.validators.pact.favours [o]
protocol.validators.pact.opposes [n]
protocol.validators.copy.presence 0.3
protocol.validators.copy.leaves_h 0.5
protocol.consensus.seats 4
protocol.consensus.commit_s 60
protocol.consensus.reveal_s 60
protocol.consensus.quorum 6
protocol.consensus.reduced_quorum 4
protocol.consensus.reduced_after 40
protocol.consensus.failover_s 90
protocol.discipline.strike_off 0.01
protocol.discipline.strikes 2
protocol.discipline.strikes_within_d 0.0001
protocol.discipline.audit_percent 60
protocol.discipline.absence_d 99
protocol.discipline.absence_percent 99
protocol.discipline.unbonding_d 99
protocol.emission.first_machina 50
protocol.emission.halving_epochs 1
protocol.emission.cap_machina 1
protocol.emission.validators_percent 1
protocol.emission.authors_percent 1
protocol.purchases.least_usd 1
protocol.purchases.over_h 0.4
protocol.purchases.drip_usd 0.001
protocol.purchases.jitter_s 600
protocol.purchases.transaction_interval_s 200
RULED ;; protocol.discipline.audit_percent=0.5 ;; seed=2
protocol.discipline.slash_percent 99
RULED ;; protocol.validators.other={kind: honest, count: 1}
protocol.validators.copy.of other
RULED ;; protocol.pricing={} ;; models.m.price={kind: per_call, usd_per_call: 0.01} ;;\
 models.n.price.usd_per_call=0.01 ;; models.o.price.usd_per_call=0.01
protocol.pricing.window_h 0.01
protocol.pricing.tiers [{requests: 0, times: 1}, {requests: 50, times: 3}]
RULED ;; protocol.pricing={} ;; models.m.price={kind: per_call, usd_per_call: 0.01} ;;\
 models.n.price.usd_per_call=0.01 ;; models.o.price.usd_per_call=0.01 ;;\
 protocol.jobs={share_percent: 20, base_price_usd: 0.02}
protocol.jobs.share_percent 90
protocol.jobs.base_price_usd 0.03
""".replace("RULED", RULED)
