"""Every figure that a decision may rest on, computed once more from the Parquet files."""

import math
from pathlib import Path

import pytest

from sim.runner import Run, run
from sim.scenario import Scenario
from tests import recomputing
from tests.auctions import ON_SUCCESS, bidders, seller
from tests.recomputing import Number
from tests.regretting import regret_micros
from tests.scenarios_for_tests import CHAT, CODE, demand, group, model, scenario, token_model
from tests.workflow_helpers import FLOW, works

FAST = {"first_token_ms": 1000, "tokens_per_s": 1e9, "sigma": 0}
SLOW = {"first_token_ms": 4000, "tokens_per_s": 1e9, "sigma": 0.4}
COST = {"kind": "per_call", "usd_per_call": "0.001"}


def studios() -> Scenario:
    """Workflows, retries, sessions, hosting, lateness, and events of every consequence."""
    models = {
        "open": token_model(quality={CHAT: 0.8, CODE: 0.7}, weights="open", owner="lab", cost=COST,
                            outages={"windows": [{"from_h": 3, "to_h": 3.2}]},
                            capacity={"slots": 2, "queue": 3}, cache_hit_share=0.2, latency=SLOW),
        "sold": model("0.03", quality={CHAT: 0.9, CODE: 0.9}, owner="lab", cost=COST,
                      selling={"kind": "surge", "above": 0.01, "slope": 3, "period_h": 0.1},
                      capacity={"slots": 3, "queue": 9}),
        "rival": model("0.05", quality={CHAT: 0.7, CODE: 0.8}, cost=COST,
                       selling={"kind": "undercut", "by": 0.05, "period_h": 0.5},
                       origin="EU", honesty={"kind": "substitution", "by": "open", "share": 0.3}),
    }  # fmt: skip
    own = {"model": "open", "usd_per_hour": "0.05", "slots": 2, "review_h": 1}
    late: dict[str, object] = {"soft_deadline_s": 4, "value_left": 0.25}
    leave = {"success_below": 0.5, "over_tasks": 5, "away_h": 1}
    groups = {
        "studio": works(FLOW, count=2, lateness=late, retries=2, session={"sticky": True},
                        escalation={"kind": "ladder", "models": ["open", "sold"]},
                        give_up={"after_calls": 15}, deadline_s=30),
        "hosts": group(90, count=2, outside={"self_host": own, "leave": leave}, lateness=late),
        "learns": group(60, count=2, owner="lab", learning={"prior_answers": 3, "explore": 0.1},
                        retries=1, deadline_s=8, intents={CHAT: demand(1, 0.8)}),
    }  # fmt: skip
    said = {"here": {"origin": "EU", "share_tokens": 0.5, "from_h": 4, "to_h": 5}}
    return scenario(models, groups, events=changes(late), router={"kind": "random"}, horizon_h=6,
                    reported=said,
                    rail={"kind": "batch", "size": 50, "interval_s": 30})  # fmt: skip


def changes(late: dict[str, object]) -> list[dict[str, object]]:
    """What happens to the studios: nearly every kind of event."""
    return [
        {"at_h": 1, "set": {"groups.studio.deadline_s": 90, "groups.hosts.deadline_s": 9}},
        {"at_h": 2, "kind": "price", "model": "open", "factor": 4},
        {"at_h": 2.5, "kind": "fee", "fee_bps": 700},
        {"at_h": 2.7, "set": {"chain.gas_price_gwei": 0.03, "chain.eth_usd": 2500}},
        {"at_h": 3, "set": {"groups.learns.max_price_usd": "0.02", "groups.hosts.value_usd": 2}},
        {"at_h": 4, "kind": "brownout", "model": "sold", "for_h": 0.5, "slower": 4},
        {"at_h": 3.5, "set": {"groups.hosts.outside.self_host.usd_per_hour": "0.04"}},
        {
            "at_h": 3.7,
            "set": {
                "groups.hosts.lateness.value_left": 0.5,
                "groups.studio.lateness": None,
                "groups.learns.retries": 3,
                "groups.learns.lateness": late,
            },
        },
        {
            "at_h": 4.2,
            "set": {
                "models.rival.selling": {"kind": "fixed"},
                "groups.studio.intents.CHAT_COMPLETION.workflow.write.clones": 2,
            },
        },
        {"at_h": 4.5, "set": {"models.sold.owner": "fund", "models.open.origin": "EU"}},
        {"at_h": 5, "kind": "deprecation", "model": "rival"},
    ]


def tender() -> Scenario:
    """Models that pay for their failures, and ask by their cost."""
    models = {
        f"m{n}": seller("0.4", 3, quality={CHAT: 0.4 + n / 10},
                        cost={"kind": "uniform", "high_usd": "0.3"},
                        selling={"kind": "cost-plus", "markup": 0.2})
        for n in range(4)
    }  # fmt: skip
    people = bidders(2, arrival={"kind": "poisson", "per_hour": 600}, deadline_s=3, retries=1,
                     intents={CHAT: demand()})  # fmt: skip
    return scenario(models, {"a": people}, mechanism={"kind": "execution-contingent"}, tasks=800,
                    events=[{"at_h": 0.3, "kind": "fee", "fee_bps": 1000}])  # fmt: skip


def slots() -> Scenario:
    """Bids that wait and lose, values that are drawn, only successes paid for."""
    models = {
        "m": seller("0.05", 1, quality={CHAT: 0.8}, latency=FAST, owner="one", cost=COST),
        "n": seller("0.02", 1, quality={CHAT: 0.6}, latency=FAST, owner="one"),
    }
    people = bidders(9, arrival={"kind": "poisson", "per_hour": 900}, deadline_s=3, retries=1,
                     intents={CHAT: demand()})  # fmt: skip
    alike = {"at_h": 0.1, "set": {"groups.a.values": "{kind: fixed}"}}
    return scenario(models, {"a": people}, mechanism={"kind": "second-price"}, rail=ON_SUCCESS,
                    tasks=2000, events=[alike])  # fmt: skip


def floors() -> Scenario:
    """Telegraph's demand multiplier, and calls that no model has room for."""
    tiers = [{"requests": 0, "times": 1}, {"requests": 90, "times": "1.5"}]
    rules = {"kind": "telegraph", "spot_checks": {"tasks": 0}, "pricing": {"tiers": tiers}}
    few = {"slots": 1, "queue": 0}
    models = {"dear": model("0.03", quality={CHAT: 0.9}, capacity=few), "fair": model("0.01")}
    return scenario(models, {"g": group(600, requires={"origins": []}, max_price_usd="0.04")},
                    protocol=rules, horizon_h=2, router={"kind": "weighted-score"})  # fmt: skip


SCENARIOS = {"studios": studios, "tender": tender, "slots": slots, "floors": floors}


@pytest.fixture(scope="module", params=SCENARIOS)
def ended(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Run:
    out: Path = tmp_path_factory.mktemp(request.param) / "run"
    return run(SCENARIOS[request.param](), out=out, chain="none")


def shown(run: Run, path: str) -> Number:
    """A figure of the summary, by its path."""
    value: object = run.summary.model_dump()
    for key in path.split("."):
        assert isinstance(value, dict)
        value = value[key]
    assert value is None or isinstance(value, (int, float))
    return value


def test_every_figure_is_what_the_parquet_files_say(ended: Run) -> None:
    assert ended.ok, ended.failure
    record = recomputing.read(ended.directory)
    parts = (recomputing.of_groups, recomputing.of_models, recomputing.of_market,
             recomputing.of_time, recomputing.of_counts)  # fmt: skip
    wanted = {path: value for part in parts for path, value in part(record)}
    found = {path: shown(ended, path) for path in wanted}
    wrong = {
        path: (found[path], value) for path, value in wanted.items() if not same(found[path], value)
    }
    assert not wrong
    assert len(wanted) > 70


def same(one: Number, other: Number) -> bool:
    """Equal, to the last micro; shares to what a float can tell."""
    if isinstance(one, float) and isinstance(other, (int, float)):
        return math.isclose(one, other, rel_tol=1e-9, abs_tol=1e-12)
    return one == other


def test_regret_is_what_the_best_model_on_offer_would_have_been_worth_more(ended: Run) -> None:
    record = recomputing.read(ended.directory)
    found = ended.summary.market.regret_micros
    assert found == pytest.approx(regret_micros(record), abs=2 * record.calls.height)
    assert found > 20 * record.calls.height
