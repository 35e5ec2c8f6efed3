"""The router family: each member's rule against hand-made pools and in small markets."""

from collections import Counter
from statistics import median

import pytest

from sim.facts import ScenarioError
from sim.models import Pool as RealPool
from sim.routers import MARKET_ROUTERS, ROUTERS
from sim.runner import run
from sim.units import PPM
from sim.world import World
from tests.scenarios_for_tests import (
    CHAT,
    RIGHT,
    WRONG,
    group,
    lively,
    model,
    play,
    ran,
    record,
    scenario,
    task,
    token_model,
)
from tests.test_routers import REQUIRED, Pool, fair, picks, router, tasks

EVEN = [PPM // 2] * 3


def of(kind: str, **parameters: object) -> dict[str, object]:
    return {"kind": kind, **REQUIRED.get(kind, {}), **parameters}


@pytest.mark.parametrize("kind", ROUTERS)
def test_every_router_keeps_the_laws_in_a_lively_run(kind, tmp_path):
    ended = run(lively(120, router=of(kind)), out=tmp_path / "run", chain="none")
    assert ended.ok, ended.failure


@pytest.mark.parametrize("kind", ROUTERS)
def test_no_router_picks_what_is_down_or_full_while_something_fits(kind, monkeypatch):
    world = World(lively(200, router=of(kind)))
    enter, seen = world.market._enter, Counter[str]()

    def watched(call):
        assert call.model.has_room
        assert call.quote_micros <= call.task.limit_micros
        assert call.task.intent in call.model.abilities
        rules = world.scenario.groups[list(world.scenario.groups)[call.agent.group]].requires
        assert rules.met_by(world.scenario.models[call.model.id])
        seen[call.model.id] += 1
        enter(call)

    monkeypatch.setattr(world.market, "_enter", watched)
    world.run()
    rejected = record(world).tasks.filter(reason="no_model")
    assert seen
    assert not rejected.height


@pytest.mark.parametrize("kind", ROUTERS)
@pytest.mark.parametrize("count", [1, 2, 200])
def test_every_router_copes_with_one_model_and_with_many_that_tie(kind, count):
    pool = Pool([PPM // 2] * count, [10] * count)
    assert sum(picks(router(kind), pool, range(count), 20).values()) == 20


@pytest.mark.parametrize("kind", ROUTERS)
def test_every_router_copes_with_what_is_free_and_never_right(kind):
    pool = Pool([0, 0, 0], [0, 0, 10**20], [1, 1, 10**12], [0, 0, 0])
    assert set(picks(router(kind), pool, [0, 2], 50)) <= {0, 2}


def test_every_router_says_what_it_is_for():
    assert set(MARKET_ROUTERS) <= set(ROUTERS)
    assert all(rule.__doc__ for rule in ROUTERS.values())


def test_single_is_one_model_and_the_cheapest_without_it():
    assert picks(router("single", model="mid"), Pool(EVEN, [1, 2, 3]), [0, 1, 2], 9) == {1: 9}
    assert picks(router("single", model="mid"), Pool(EVEN, [4, 2, 3]), [0, 2], 9) == {2: 9}


def test_a_model_that_is_named_must_be_there():
    for chosen in (
        of("single", model="x"), of("weighted", weights={"x": 1}), of("cascade", order=["x"]),
        of("split", weak="x"),
    ):  # fmt: skip
        words = "^router\\..*: found 'x'; allowed: a model of this scenario: m"
        with pytest.raises(ScenarioError, match=words):
            scenario(router=chosen)


def test_weighted_follows_its_weights():
    chosen = router("weighted", weights={"small": 3, "big": 1})
    assert fair(picks(chosen, Pool(EVEN, EVEN), range(3)), {0: 75, 1: 0, 2: 25})
    assert fair(picks(chosen, Pool([1] * 4, [1] * 4), [1, 3]), {1: 50, 3: 50})


def test_inverse_power_is_openrouters_rule():
    percent = {0: 100 * 36 / 49, 1: 100 * 9 / 49, 2: 100 * 4 / 49}
    assert fair(picks(router("inverse-power"), Pool(EVEN, [1, 2, 3]), range(3)), percent)
    even = dict.fromkeys(range(3), 100 / 3)
    assert fair(picks(router("inverse-power", eta=0), Pool(EVEN, [1, 2, 3]), range(3)), even)
    assert fair(picks(router("inverse-power"), Pool(EVEN, [0, 0, 3]), range(3)), {0: 50, 1: 50})


def test_the_cheapest_by_list_price_need_not_be_the_cheapest():
    price = {"kind": "per_token", "input_usd_per_mtok": 1, "output_usd_per_mtok": "1.5"}
    models = {"terse": token_model(), "wordy": token_model(price=price, verbosity=3.0)}
    assert RealPool(scenario(models)).list_prices == [3_000_000, 2_500_000]
    for kind, name in (("cheapest", "terse"), ("cheapest-list", "wordy")):
        assert set(ran(scenario(models, tasks=9, router=of(kind))).calls["model"]) == {name}


def test_fastest_and_least_busy():
    pool = Pool(EVEN, EVEN, [3, 1, 2], [1, 5, 1])
    assert picks(router("fastest"), pool, range(3), 9) == {1: 9}
    assert fair(picks(router("least-busy"), pool, range(3)), {0: 50, 2: 50})


def test_expected_times_are_the_means_of_the_service_time():
    latency = {"first_token_ms": 2000, "tokens_per_s": 50, "sigma": 0.5}
    pool = RealPool(scenario({"m": model(latency=latency, verbosity=2.0)}))
    draws = [task(service=round(z / 100 * PPM)) for z in range(-400, 401)]
    density = [2.718281828 ** (-((z / 100) ** 2) / 2) for z in range(-400, 401)]
    times = [pool.endpoints[0].answer(each, 0).service_us for each in draws]
    mean = sum(d * t for d, t in zip(density, times, strict=True)) / sum(density)
    assert pool.latencies(task(), [0])[0] == pytest.approx(mean, rel=1e-3)


def test_the_weighted_score_depends_on_irrelevant_alternatives():
    chosen = router("weighted-score", quality=1, cost=1, latency=0, load=0)
    pool = Pool([900_000, 500_000, 480_000], [100, 50, 2000])
    first, second = (picks(chosen, pool, models, 1) for models in ([0, 1], [0, 1, 2]))
    assert first == second == {0: 1}
    pool = Pool([900_000, 500_000, 0], [100, 40, 100])
    chosen = router("weighted-score", quality=1, cost=0.9, latency=0, load=0)
    assert picks(chosen, pool, [0, 1], 1) == {0: 1}
    assert picks(chosen, pool, [0, 1, 2], 1) == {1: 1}


def test_the_weighted_score_keeps_to_its_cuts_while_it_can():
    pool = Pool([900_000, 500_000], [9, 1], [3 * PPM, PPM])
    assert picks(router("weighted-score", quality=0), pool, [0, 1], 1) == {1: 1}
    assert picks(router("weighted-score", quality=0, min_quality=0.8), pool, [0, 1], 1) == {0: 1}
    assert picks(router("weighted-score", quality=9, max_latency_s=2), pool, [0, 1], 1) == {1: 1}
    assert picks(router("weighted-score", quality=9, max_latency_s=0.5), pool, [0, 1], 1) == {0: 1}


def test_score_per_price_is_the_rating_over_the_cost():
    pool = Pool([PPM, PPM // 2], [100, 100])
    assert picks(router("score-per-price"), pool, [0, 1], 1) == {0: 1}
    # 1/2 (.24 + .08 + .24 + .12) + .32 q^2 is .66 and .42: the second wins below 42/66 of the cost
    for cost, best in ((64, 0), (63, 1)):
        assert picks(router("score-per-price"), Pool(pool.chat, [100, cost]), [0, 1], 1) == {
            best: 1
        }


def test_threshold_takes_the_strong_one_where_it_alone_is_likely_right():
    pool = Pool([900_000, 700_000], [10, 1])  # .9 * .3 = .27
    assert picks(router("threshold", at=0.27), pool, [0, 1], 1) == {0: 1}
    assert picks(router("threshold", at=0.271), pool, [0, 1], 1) == {1: 1}


@pytest.mark.parametrize("error", [0.0, 0.5, 2.0])
def test_split_sends_its_share_of_the_reference_mix_to_the_strong_model(error):
    models = {"dear": model("0.05", quality={CHAT: 0.9}), "low": model("0.01")}
    calls = ran(scenario(models, {"a": group(600)}, tasks=4_000, router=of("split", error=error)))
    dear = calls.calls.filter(model="dear")
    assert dear.height / 4_000 == pytest.approx(0.2, abs=0.025)
    low = calls.calls.filter(model="low")
    assert median(dear["difficulty"]) > median(low["difficulty"])


def test_a_cascade_goes_up_and_every_attempt_is_paid():
    models = {name: model(usd) for name, usd in (("a", "0.03"), ("b", "0.01"), ("c", "0.02"))}
    hopeless = task(difficulty=WRONG)
    for order, wanted in (((), "bcaa"), (("c", "a"), "caaa")):
        world = play(
            scenario(models, {"a": group(retries=3)}, router=of("cascade", order=order)), [hopeless]
        )
        calls = record(world).calls
        assert "".join(calls["model"]) == wanted
        assert (calls["charge_micros"] == calls["quote_micros"]).all()
    easy = play(scenario(models, {"a": group(retries=3)}, router=of("cascade")), [task()])
    assert list(record(easy).calls["model"]) == ["b"]


def test_a_cascade_stops_where_the_purse_does():
    models = {"a": model("0.01"), "b": model("0.02")}
    poor = {"a": group(retries=3, budget_usd="0.025")}
    calls = record(play(scenario(models, poor, router=of("cascade")), [task(difficulty=WRONG)]))
    assert list(calls.calls["model"]) == ["a", "a"]
    assert calls.tasks["reason"].to_list() == ["no_budget"]


def test_the_oracle_is_the_cheapest_that_is_right_else_the_cheapest():
    pool = Pool(EVEN, [1, 2, 3], right=[False, True, True])
    assert router("oracle").pick(task(intent=0), 0, range(3), pool) == 1
    assert router("oracle").pick(task(intent=0), 1, range(3), pool) == 0
    assert router("oracle").pick(task(intent=0), 0, [0], pool) == 0


def test_what_the_oracle_is_told_is_what_comes():
    pool = RealPool(scenario({"a": model(), "b": model(quality={CHAT: 0.4})}))
    for each in tasks(200):
        for attempt in (0, 1):
            hard = each._replace(intent=task().intent, difficulty=0)
            told = pool.rights(hard, attempt, [1, 0])
            assert told == [pool.endpoints[m].answer(hard, attempt).right for m in (1, 0)]


def test_no_router_beats_the_oracle():
    models = {f"m{n}": model(f"0.0{n + 1}", quality={CHAT: 0.3 + n / 8}) for n in range(5)}
    shares = {}
    for kind in set(ROUTERS) - set(REQUIRED):
        frames = ran(scenario(models, {"a": group(600)}, tasks=300, router=of(kind)))
        shares[kind] = sum(frames.calls["success"])
    assert max(shares, key=shares.__getitem__) == "oracle"


@pytest.mark.parametrize("rule", ["thompson", "ucb1", "epsilon-greedy", "exp3"])
def test_a_bandit_learns_which_model_is_best(rule):
    models = {f"m{n}": model("0.01", quality={CHAT: q}) for n, q in enumerate((0.3, 0.9, 0.5))}
    chosen = of("bandit", rule=rule, cheapness=0)
    calls = ran(scenario(models, {"a": group(60)}, tasks=3_000, router=chosen)).calls
    late = calls.tail(1_000)
    share = sum(late["model"] == "m1") / 1_000
    assert share > (0.6 if rule == "exp3" else 0.8), share


def test_a_bandits_figures_are_the_verdicts():
    world = World(scenario({"a": model(), "b": model()}, tasks=200, router=of("bandit")))
    world.run()
    calls, intent = record(world).calls, world.scenario.intents.index(CHAT)
    for place, name in enumerate(("a", "b")):
        mine = calls.filter(model=name)
        assert world.pool.tried[intent][place] == mine.height
        assert world.pool.won[intent][place] == mine["score_ppm"].sum()


def test_exp3_mixes_in_its_exploration():
    pool = Pool(EVEN, EVEN, taught=[(task(intent=0), 0, PPM)] * 400)
    found = picks(router("bandit", rule="exp3", explore=0.3), pool, range(3))
    assert fair(found, {0: 80, 1: 10, 2: 10}), found


def test_epsilon_greedy_explores_with_its_chance():
    pool = Pool([3, 9, 5], [1, 1, 1])
    chosen = router("bandit", rule="epsilon-greedy", explore=0.3)
    assert fair(picks(chosen, pool, range(3)), {0: 10, 1: 80, 2: 10})


def test_market_share_is_the_share_of_what_was_spent():
    pool = Pool(EVEN, EVEN, spent=[60_000, 20_000, 0])
    percent = {0: 70 / 1.1, 1: 30 / 1.1, 2: 10 / 1.1}
    assert fair(picks(router("market-share"), pool, range(3)), percent)


def test_spending_is_what_was_charged_within_the_window():
    world = World(scenario({"a": model("0.01"), "b": model("0.02")}, tasks=50,
                           router=of("market-share", window_h=0.2)))  # fmt: skip
    world.run()
    intent = world.scenario.intents.index(CHAT)
    calls = record(world).calls
    since = calls["posted_us"][40]
    recent = calls.filter(calls["posted_us"] >= since)
    wanted = [recent.filter(model=name)["charge_micros"].sum() for name in ("a", "b")]
    assert world.pool.spend(intent, [0, 1], since) == wanted


def test_a_task_that_all_get_right_costs_the_oracle_the_least():
    assert RIGHT < 0
    models = {"a": model("0.02"), "b": model("0.01")}
    calls = record(play(scenario(models, router=of("oracle")), [task()])).calls
    assert list(calls["model"]) == ["b"]


def test_the_seeds_of_chance_are_the_tasks_own():
    again = [router("bandit").pick(each, 0, range(3), Pool(EVEN, EVEN)) for each in tasks(50)]
    assert again == [
        router("bandit").pick(each, 0, range(3), Pool(EVEN, EVEN)) for each in tasks(50)
    ]
