"""Small scenarios in which some tasks are on-chain jobs, and what the laws say of their records."""

from collections.abc import Mapping, Sequence

from sim.scenario import Scenario
from tests.scenarios_for_tests import CHAT, group, model, scenario

Mappings = Mapping[str, object]
MICROS = 1_000_000
FEE = 20_000
RISING: Mappings = {"tiers": [{"requests": 0, "times": 1}, {"requests": 40, "times": "1.5"}]}
RULES: Mappings = {
    "kind": "telegraph",
    "epoch_h": 1,
    "spot_checks": {"tasks": 0},
    "validators": {"all": {"kind": "honest", "count": 5}},
    "consensus": {"quorum": 3, "reduced_quorum": 3},
    "pricing": RISING,
    "jobs": {"share_percent": 30},
    "emission": {"epochs_before": 20},
    "purchases": {
        "least_usd": 1, "over_h": 1, "transaction_interval_s": 600,
        "pool_usd": 100_000, "pool_machina": 100_000,
    },
}  # fmt: skip


def jobbed(
    *, rules: Mappings | None = None, groups: Mappings | None = None,
    models: Mappings | None = None, events: Sequence[Mappings] = (), **changes: object,
) -> Scenario:  # fmt: skip
    """Two models and one agent of 60 tasks an hour, of which 30 % are jobs, for three hours."""
    supply = models or {"big": model("0.05"), "small": model("0.01", quality={CHAT: 0.5})}
    demand = groups or {"g": group(60, max_price_usd=2, value_usd=3)}
    protocol = {**RULES, **(rules or {})}
    given: Mappings = {"horizon_h": 3.2, "protocol": protocol, "events": list(events)}
    return scenario(supply, demand, **{**given, **changes})


def hiring(
    *, rules: Mappings | None = None, events: Sequence[Mappings] = (), **changes: object
) -> Scenario:
    """Three agents of 40 tasks an hour for two hours; a third are jobs; only success is paid."""
    models = {"big": model("0.05"), "small": model("0.01", quality={CHAT: 0.5})}
    rail: Mappings = {"kind": "batch", "interval_s": 600, "settle_on": "success"}
    groups = {"g": group(40, count=3, max_price_usd=4, value_usd=5, budget_usd=100)}
    given: Mappings = {"horizon_h": 2.2, "chain": {"backend": "anvil"}, "rail": rail, **changes}
    plain: Mappings = {"pricing": {}, "jobs": {"share_percent": 33}}
    return jobbed(models=models, groups=groups, rules={**plain, **(rules or {})}, events=events,
                  **given)  # fmt: skip
