"""Known answers of price competition, asked of models that set their prices in the same world."""

import pytest

from sim.scenario import Scenario
from sim.strategies.competition import logit_monopoly_margin
from sim.units import MICROS_PER_USD, PPM
from sim.world import World
from tests.auctions import bidders, seller
from tests.scenarios_for_tests import Mappings, scenario
from tests.test_routers import Pool, fair, picks, router

FREE = {"kind": "batch", "fee_bps": 0}
COST = {"kind": "per_call", "usd_per_call": "1"}


def market(
    count: int,
    selling: Mappings,
    router: Mappings,
    max_usd: object = 100,
    tasks: int = 400,
    **changes: object,
) -> Scenario:
    """So many alike models of cost 1 that list 3 dollars at first, and another price each second.

    A right answer is worth 2 dollars.
    """
    rule = {"period_h": 1 / 3600, **selling}
    models = {f"m{n:02}": seller(3, 1000, cost=COST, selling=rule) for n in range(count)}
    people = bidders(4, values={"kind": "fixed"}, value_usd=2, max_price_usd=max_usd)
    return scenario(models, {"a": people}, router=router, rail=FREE, tasks=tasks, **changes)


def settled(what: Scenario) -> list[float]:
    """The prices, in dollars, at which the models arrive."""
    world = World(what)
    world.run()
    return [each.tariff.per_call / MICROS_PER_USD for each in world.pool.endpoints]


@pytest.mark.parametrize(("eta", "n"), [(2, 3), (2, 5), (2, 20), (3, 2), (3, 3), (3, 5), (3, 20)])
def test_inverse_power_routing_as_a_market_settles_at_e_over_e_minus_1(eta, n):
    power = {"kind": "power-best-response", "eta": eta}
    found = settled(market(n, power, {"kind": "inverse-power", "eta": eta}))
    e = eta * (1 - 1 / n)
    assert found == pytest.approx([e / (e - 1)] * n, rel=1e-4)


def test_two_models_under_inverse_power_of_2_ask_all_that_agents_may_pay():
    power = {"kind": "power-best-response", "eta": 2}
    found = settled(market(2, power, {"kind": "inverse-power"}, max_usd=50, tasks=1000))
    assert found == pytest.approx([50, 50], rel=0.02)


@pytest.mark.parametrize("n", [2, 3, 5])
@pytest.mark.parametrize("tau", [0.25, 0.5])
def test_logit_demand_settles_at_a_markup_of_tau_n_over_n_minus_1(tau, n):
    logit = {"kind": "logit-best-response", "temperature_usd": tau}
    found = settled(market(n, logit, {"kind": "logit", "temperature_usd": tau}))
    assert found == pytest.approx([1 + tau * n / (n - 1)] * n, abs=2e-4)


@pytest.mark.parametrize(("conduct", "price"), [("compete", 1.47293), ("collude", 1.92498)])
def test_calvanos_baseline_settles_at_nash_and_colludes_at_monopoly(conduct, price):
    logit = {
        "kind": "logit-best-response", "temperature_usd": 0.25, "outside_usd": 0,
        "conduct": conduct,
    }  # fmt: skip
    found = settled(market(2, logit, {"kind": "logit", "temperature_usd": 0.25}))
    assert found == pytest.approx([price, price], abs=1e-5)


def test_undercutting_for_the_cheapest_place_ends_at_cost():
    undercut = {"kind": "undercut", "by": 0.05}
    found = settled(market(3, undercut, {"kind": "cheapest"}))
    assert found == pytest.approx([1, 1, 1], abs=1e-6)


def test_prices_follow_when_an_event_changes_the_cost_or_the_list_price():
    power = {"kind": "power-best-response", "eta": 2}
    dearer = [
        {"at_h": 0.02, "set": {f"models.m{n:02}.cost.usd_per_call": 2 for n in range(3)}},
        {"at_h": 0.021, "set": {"models.m00.price.usd_per_call": 50}},
    ]
    found = settled(market(3, power, {"kind": "inverse-power"}, tasks=800, events=dearer))
    assert found == pytest.approx([8, 8, 8], rel=1e-4)


def test_a_surge_is_upon_the_list_price_of_the_phase():
    surge = {"kind": "surge", "slope": 1, "above": 0}
    raised = [{"at_h": 0.02, "set": {"models.m00.price.usd_per_call": 5}}]
    what = market(2, surge, {"kind": "cheapest"}, tasks=800, events=raised)
    world = World(what)
    world.run()
    busy = [each.occupied / each.slots for each in world.pool.endpoints]
    assert settled(what) == pytest.approx([5 * (1 + busy[0]), 3 * (1 + busy[1])], abs=0.05)


def test_a_monopoly_without_an_outside_has_no_margin_to_stop_at():
    assert logit_monopoly_margin([1.0], [], 0.25) == float("inf")


def test_a_fee_is_part_of_what_a_sale_costs():
    logit = {"kind": "logit-best-response", "temperature_usd": 0.25}
    what = market(2, logit, {"kind": "logit", "temperature_usd": 0.25})
    taxed = what.model_copy(update={"rail": what.rail.model_copy(update={"fee_bps": 5000})})
    assert settled(taxed) == pytest.approx([2.5, 2.5], abs=2e-4)


@pytest.mark.parametrize(
    ("tau", "shares"),
    [(0.5, (66.52, 24.47, 9.00)), (1, (50.6480, 30.7196, 18.6324)), (2, (41.92, 32.65, 25.43))],
)
def test_logit_is_mcfaddens_rule(tau, shares):
    chosen, halves = router("logit", temperature_usd=tau), PPM * PPM // 2
    by_cost = Pool([0, 0, 0], [0, halves, 2 * halves])
    assert fair(picks(chosen, by_cost, range(3)), dict(enumerate(shares)))
    worth = router("logit", temperature_usd=tau, value_usd=1)
    by_quality = Pool([PPM, PPM // 2, 0], [0, 0, 0])
    assert fair(picks(worth, by_quality, range(3)), dict(enumerate(shares)))
