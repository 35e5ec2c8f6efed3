"""A value for an event on every field that may change, each in a scenario in which it matters.

A line that begins with ``=`` names what its scenario sets beyond the plain one, apart by ``;;``.
"""

OF_MODELS = """
=
models.m.price {kind: per_token, input_usd_per_mtok: 9, output_usd_per_mtok: 2}
models.m.price.input_usd_per_mtok 9
models.m.price.cached_usd_per_mtok 0.9
models.m.price.output_usd_per_mtok 90
models.n.price.usd_per_call 0.02
models.m.listed false
models.m.quality.CHAT_COMPLETION 0.2
models.m.capacity.slots 9
models.m.capacity.queue 0
models.m.capacity.calls_per_minute 1
models.m.latency.first_token_ms 100
models.m.latency.tokens_per_s 500
models.m.latency.sigma 0.05
models.n.latency.slowdown 9
models.m.verbosity 2
models.m.reasoning_share 0.5
models.m.cache_hit_share 0.9
models.m.wrong_output_factor 4
models.m.output_sigma 0.8
models.m.discrimination 0.4
models.m.breakdowns.mean_busy_s 1
= groups.b.requires={weights: open, origins: [US], owners: [acme], data_policy: retains, tools:\
 [search], context_tokens: 1000} ;; models.n.origin=US ;; models.n.owner=acme
models.m.origin Mars
models.m.owner x
models.m.weights closed
models.m.data_policy trains
models.m.tools []
models.m.context_tokens 1100
= models.m.breakdowns.mean_busy_s=5
models.m.breakdowns.mean_repair_s 0.1
= models.m.cost={kind: per_token, input_usd_per_mtok: 1, cached_usd_per_mtok: 0.1,\
 output_usd_per_mtok: 2}
models.m.cost.input_usd_per_mtok 3
models.m.cost.cached_usd_per_mtok 0.9
models.m.cost.output_usd_per_mtok 3
= models.m.cost={kind: per_call, usd_per_call: 0.001}
models.m.cost.usd_per_call 0.002
= models.m.cost={kind: uniform, low_usd: 0.001, high_usd: 0.002}
models.m.cost.low_usd 0.0001
models.m.cost.high_usd 0.004
= models.m.cost={kind: hardware, hour_usd: 2, power_kw: 1, energy_usd_per_kwh: 0.1,\
 prefill_tokens_per_s: 9000, decode_tokens_per_s: 900, active_share: 0.5}
models.m.cost.accelerators 80
models.m.cost.hour_usd 9
models.m.cost.power_kw 50
models.m.cost.energy_usd_per_kwh 9
models.m.cost.prefill_tokens_per_s 500
models.m.cost.decode_tokens_per_s 50
models.m.cost.active_share 0.1
models.m.cost.cached_share 0.9
= models.m.selling={kind: cost-plus, markup: 1}
models.m.selling.markup 3
= mechanism={kind: reverse-first} ;; models.m.selling={kind: shaded, bidders: 3, highest_usd:\
 0.004}
models.m.selling.bidders 9
models.m.selling.highest_usd 0.008
= models.n.selling={kind: undercut, by: 0.1, period_h: 0.25}
models.n.selling.by 0.5
models.n.selling.period_h 0.02
= models.m.selling={kind: surge, slope: 1, above: 0.1, period_h: 0.05}
models.m.selling.slope 5
models.m.selling.above 0.5
models.m.selling.period_h 0.02
= models.m.selling={kind: logit-best-response, temperature_usd: 0.005, outside_usd: 0, period_h:\
 0.05} ;; models.n.selling={kind: logit-best-response, temperature_usd: 0.005, outside_usd: 0,\
 period_h: 0.05, conduct: collude}
models.m.selling.temperature_usd 0.02
models.m.selling.outside_usd 0.3
models.m.selling.conduct collude
models.m.selling.period_h 0.02
= models.m.selling={kind: power-best-response, eta: 3, period_h: 0.05}
models.m.selling.eta 8
models.m.selling.period_h 0.02
= models.m.honesty={kind: substitution, by: n, share: 0.5}
models.m.honesty.by o
models.m.honesty.share 1
= models.m.honesty={kind: inflation, factor: 1.1}
models.m.honesty.factor 3
= models.m.capacity.scaling={max_slots: 5, target_load: 0.5, every_s: 10, start_s: 20, calm_s: 40}
models.m.capacity.scaling.max_slots 2
models.m.capacity.scaling.target_load 1
models.m.capacity.scaling.every_s 60
models.m.capacity.scaling.start_s 300
models.m.capacity.scaling.calm_s 900
= groups.b.priority=5
models.m.capacity.discipline priority
= models.m.latency.law={kind: uniform}
models.m.latency.law.half_width 0.1
= models.m.latency.law={kind: erlang}
models.m.latency.law.stages 1
= models.m.latency.law={kind: hyperexponential}
models.m.latency.law.cv 9
"""
LONGER = {
    "DAILY": str([1, *[9] * 23]),
    "WEEKLY": str([9, 1, 1, 1, 1, 1, 1]),
    "STEP": "groups.a.intents.CHAT_COMPLETION.workflow",
}
"""What names in capitals stand for in `OF_GROUPS`."""
OF_GROUPS = """
=
groups.a.intents.CHAT_COMPLETION.share 9
groups.a.intents.CHAT_COMPLETION.input_tokens.median 300
groups.a.intents.CHAT_COMPLETION.input_tokens.sigma 1
groups.a.intents.CHAT_COMPLETION.output_tokens.median 30
groups.a.intents.CHAT_COMPLETION.output_tokens.sigma 1
groups.a.intents.CHAT_COMPLETION.difficulty.mean 2
groups.a.intents.CHAT_COMPLETION.difficulty.sigma 0.1
groups.a.budget_per_day_usd 0.1
groups.a.budget_per_task_usd 0.003
groups.a.value_usd 0.3
groups.a.max_price_usd 0.003
groups.a.deadline_s 4
groups.a.retries 0
groups.a.arrival.per_hour 50
groups.a.arrival.pattern.daily DAILY
groups.a.arrival.pattern.weekly WEEKLY
groups.b.requires.weights closed
groups.b.requires.origins [CN]
groups.b.requires.excluded_origins [US]
groups.b.requires.owners [acme]
groups.b.requires.excluded_owners [acme]
groups.b.requires.data_policy forgets
groups.b.requires.context_tokens 60000
groups.b.requires.tools [code]
groups.a.give_up.after_calls 1
= groups.a.arrival={kind: gamma, per_hour: 300, cv: 2}
groups.a.arrival.per_hour 50
groups.a.arrival.cv 5
groups.a.arrival.pattern.daily DAILY
groups.a.arrival.pattern.weekly WEEKLY
= groups.a.arrival={kind: bursts, per_hour: 300, on_s: 60, off_s: 60}
groups.a.arrival.per_hour 50
groups.a.arrival.on_s 10
groups.a.arrival.off_s 300
groups.a.arrival.pattern.daily DAILY
groups.a.arrival.pattern.weekly WEEKLY
= groups.a.arrival={kind: regular, per_hour: 300}
groups.a.arrival.per_hour 50
groups.a.arrival.phase 0.5
groups.a.arrival.pattern.daily DAILY
groups.a.arrival.pattern.weekly WEEKLY
= STEP={plan: {}, write: {after: [plan]}} ;; groups.a.deadline_s=200
STEP.write.after []
STEP.write.intent CODE_GENERATION
STEP.write.clones 3
STEP.write.tool_wait_s {median_s: 5}
STEP.write.repeats 0
STEP.write.revise {back_to: plan, at_most: 2}
= STEP={plan: {}, write: {after: [plan], repeats: 0, input_tokens: {median: 300}, output_tokens:\
 {median: 30}, extra_difficulty: {mean: 1, sigma: 1}, tool_wait_s: {median_s: 3}, revise:\
 {back_to: plan, at_most: 1}}} ;; groups.a.deadline_s=200
STEP.write.input_tokens.median 900
STEP.write.input_tokens.sigma 1
STEP.write.output_tokens.median 90
STEP.write.output_tokens.sigma 1
STEP.write.extra_difficulty.mean 3
STEP.write.extra_difficulty.sigma 0
STEP.write.tool_wait_s.median_s 9
STEP.write.tool_wait_s.sigma 1
STEP.write.revise.back_to write
STEP.write.revise.at_most 5
= models.m.capacity.discipline=priority ;; models.n.capacity.discipline=priority
groups.b.priority 5
= groups.a.values={kind: uniform, low: 0.1, high: 1}
groups.a.values.low 0.5
groups.a.values.high 3
= mechanism={kind: first-price} ;; groups.a.bidding={kind: shaded, bidders: 3}
groups.a.bidding.bidders 99
= mechanism={kind: first-price} ;; groups.a.bidding={kind: budget-paced, spend_usd_per_task: 0.05}
groups.a.bidding.spend_usd_per_task 0.01
groups.a.bidding.step 0.5
= mechanism={kind: first-price} ;; groups.a.bidding={kind: learning}
groups.a.bidding.factors [0.1, 0.2]
groups.a.bidding.explore 0.9
= mechanism={kind: first-price} ;; groups.a.bidding={kind: price-taking}
groups.a.bidding.raise_share 0.9
= groups.a.lateness={soft_deadline_s: 3, value_left: 0.5}
groups.a.lateness.soft_deadline_s 1
groups.a.lateness.value_left 0
= groups.a.escalation={kind: ladder, models: [m, n]}
groups.a.escalation.models [n, o]
= groups.a.escalation={kind: rising-floor, rise: 0.1}
groups.a.escalation.start 0.65
groups.a.escalation.rise 0.9
= groups.a.value_usd=0.004
groups.a.give_up.beyond_value true
= groups.a.session={idle_min: 10}
groups.a.session.sticky true
groups.a.session.reuse 0.1
groups.a.session.cache_min 0.01
groups.a.session.context_max_tokens 100
groups.a.session.idle_min 0.01
= groups.a.learning={}
groups.a.learning.prior_answers 1
groups.a.learning.switching_cost_usd 0.05
groups.a.learning.explore 0.5
= groups.a.outside.self_host={model: m, usd_per_hour: 0.01, slots: 2, review_h: 0.05}
groups.a.outside.self_host.model n
groups.a.outside.self_host.usd_per_hour 50
groups.a.outside.self_host.slots 1
groups.a.outside.self_host.review_h 0.001
= groups.a.outside.leave={success_below: 0.9, over_tasks: 5, away_h: 0.05}
groups.a.outside.leave.success_below 0.3
groups.a.outside.leave.over_tasks 20
groups.a.outside.leave.away_h 0.2
"""
