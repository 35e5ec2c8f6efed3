"""What an event may change in mid-run; and of all else, why a run keeps it from start to end."""

from sim.scenario.tree import Path

OF_MODELS = (
    "price cost quality latency breakdowns verbosity reasoning_share cache_hit_share"
    " wrong_output_factor output_sigma discrimination context_tokens origin weights owner listed"
    " data_policy tools honesty selling capacity"
)
OF_GROUPS = (
    "arrival intents.*.share intents.*.input_tokens intents.*.output_tokens intents.*.difficulty"
    " intents.*.workflow value_usd values max_price_usd deadline_s requires retries"
    " priority budget_per_day_usd budget_per_task_usd lateness escalation give_up session learning"
    " outside bidding"
)
OF_VALIDATORS = "kind of favours opposes noise presence leaves_h work_machina"
OF_PROTOCOL = (
    "epoch_h tournament_tasks grace_h calls_per_minute tier_a spot_checks discipline"
    " consensus.seats consensus.commit_s consensus.reveal_s consensus.failover_s"
    " consensus.quorum consensus.reduced_quorum consensus.reduced_after"
    " pricing.tiers pricing.window_h jobs.share_percent jobs.base_price_usd"
    " emission.first_machina emission.halving_epochs"
    " emission.cap_machina emission.validators_percent emission.authors_percent"
    " purchases.least_usd purchases.over_h purchases.drip_usd purchases.jitter_s"
    " purchases.transaction_interval_s"
)
OF_RULES = (
    "router validators.kind validators.kappa validators.noise validators.count validators.stakes"
    " rail.fee_bps rail.settle_on mechanism.reserve_usd mechanism.tick_s mechanism.payment"
    " chain.gas_price_gwei chain.eth_usd"
)
EACH = (
    ("of a model ", ("models", "*"), OF_MODELS),
    ("of a group ", ("groups", "*"), OF_GROUPS),
    ("of a protocol's group of validators ", ("protocol", "validators", "*"), OF_VALIDATORS),
    ("of a protocol ", ("protocol",), OF_PROTOCOL),
    ("", (), OF_RULES),
)
CHANGEABLE: tuple[Path, ...] = tuple(
    (*whose, *key.split(".")) for _, whose, keys in EACH for key in keys.split()
)
"""What an event may change; all else is the same from the start of a run to its end."""
KEPT = {
    "groups.*.count": "who is there from the start; arrival.per_hour says how much they ask for",
    "groups.*.owner": "whose it is, is who it is",
    "groups.*.withdrawal": "how its agents take money out is so from the start",
    "groups.*.budget_usd": "paid in before the run; budget_per_day_usd may change",
    "groups.*.intents.*": "what its agents ask for from the start; intents.*.share may change",
    "models.*.declared_quality": "where a score starts",
    "models.*.outages": "an event of kind: outage is one more",
    "models.*.sources": "where figures are from changes no run",
    "models.*.estimated": "where figures are from changes no run",
    "models.*": "a model that is to come is in the scenario, with listed: false",
    "protocol.validators.*.count": "who is there from the start; presence may change",
    "protocol.validators.*.stake_machina": "bonded before the run",
    "protocol.validators.*": "who is there from the start; presence may change",
    "protocol.consensus.least_stake_machina": "stakes are bonded before the run",
    "protocol.registrations": "an event of kind: release registers a model at its time",
    "protocol.emission.epochs_before": "what was before the run",
    "protocol.purchases.pool_usd": "what the pool starts with",
    "protocol.purchases.pool_machina": "what the pool starts with",
    "protocol.purchases.pool_fee_ppm": "the pool is made before the run",
    "protocol.pricing.least_floor_usd": "what the port takes is in its contract",
    "protocol.pricing": "quotes are made with a demand multiplier, or without one",
    "protocol.jobs": "tasks can be on-chain jobs, or none can; jobs.share_percent may change",
    "protocol.purchases": "models are paid in the token, or are not",
    "protocol": "its clock starts with the run",
    "mechanism.bond_usd": "posted before the run",
    "mechanism": "what is under way was bid, quoted and held for it, not for another",
    "rail": "its contracts, and what is paid in, are there from the start",
    "rail.size": "one rule says when batches close, so that their delays and gas compare",
    "rail.interval_s": "one rule says when batches close, so that their delays and gas compare",
    "chain": "how a run is settled is so from the start; gas_price_gwei and eth_usd may change",
    "validators.score": "one rule makes scores of all verdicts, so that they mean the same",
    "name": "what the run is called",
    "question": "what the run asks",
    "version": "how the file is written",
    "events": "an event changes no other",
    "models.*.quality": "what it serves from the start; how well may change",
    "item_response": "what difficulty means to all; a model's own discrimination may change",
    "intents": "what can be asked for at all",
    "seed": "all chance of the run comes from it",
    "horizon_h": "how long the run is",
    "tasks": "how long the run is",
    "reported": "what was reported changes no run",
}
"""Why a run keeps what an event may not change, by path; the longest that fits."""


def unchangeable(path: Path) -> bool:
    """Whether a run keeps what is at a path from its start to its end."""
    return not any(_within(path, each) for each in CHANGEABLE)


def changeable_beside(path: Path) -> str:
    """What an event may change of the same part of a scenario."""
    for noun, whose, keys in EACH:
        if whose and _within(path, whose):
            return noun + keys.replace(" ", ", ")
    beside = [key for key in OF_RULES.split() if key.split(".")[0] == path[0]]
    return ", ".join(beside) or f"nothing of {path[0]}; `telex list changes` has what may change"


def why_kept(path: Path) -> str:
    """The reason for which it does; empty where there is none but that it always did."""
    reasons = ((tuple(key.split(".")), why) for key, why in KEPT.items())
    found = [(len(each), why) for each, why in reasons if _within(path, each)]
    return max(found, default=(0, ""))[1]


def _within(path: Path, allowed: Path) -> bool:
    return len(path) >= len(allowed) and all(
        want in ("*", key) for key, want in zip(path, allowed, strict=False)
    )
