"""Registrations on record: who stands, since when, at which floor, and what has ended."""

from sim.metrics import figures
from sim.rails import port_gas
from sim.record.frames import Frames
from sim.scenario import Scenario
from sim.units import US_PER_HOUR
from tests.scenarios_for_tests import CHAT, CODE, group, model, ran, scenario, token_model

MODELS = {
    "old": model("0.02"),
    "new": model("0.03", listed=False),
    "farmer": model("0.01"),
    "gone": model("0.05"),
    "plain": model("0.01"),
}
EVENTS = (
    {"kind": "price", "at_h": 2, "model": "old", "factor": 3},
    {"kind": "set", "at_h": 3, "set": {"models.new.listed": True}},
    {"kind": "set", "at_h": 5, "set": {"models.gone.listed": False}},
)


def moving(**changes: object) -> Scenario:
    """A floor that rises, a release, one that registers every other hour, and a deprecation."""
    rules = {
        "kind": "telegraph", "epoch_h": 2, "grace_h": 1, "spot_checks": {"tasks": 0},
        "pricing": {}, "registrations": {"farmer": {"at_h": 0, "again_every_h": 2}}, **changes,
    }  # fmt: skip
    return scenario(MODELS, {"g": group(20)}, horizon_h=5.5, protocol=rules, events=[*EVENTS])


def registrations(frames: Frames) -> list[tuple[object, ...]]:
    """The rows, with times in hours."""
    return [
        (number, name, floor, *(None if us is None else us / US_PER_HOUR for us in times))
        for number, name, floor, *times in frames.protocol.registrations.iter_rows()
    ]


def test_every_registration_is_on_record_with_its_floor_and_until_it_ends():
    assert registrations(ran(moving())) == [
        (1, "gone", 50_000, None, 5),
        (2, "old", 20_000, None, 2),
        (3, "plain", 10_000, None, None),
        (4, "farmer", 10_000, 0, 2),
        (5, "old", 60_000, 2, None),
        (6, "farmer", 10_000, 2, 4),
        (7, "new", 30_000, 3, None),
        (8, "farmer", 10_000, 4, None),
    ]


def test_who_has_left_registers_no_more_until_it_is_back_and_then_goes_on():
    events = [
        {"kind": "deprecation", "at_h": 1, "model": "farmer"},
        {"kind": "deprecation", "at_h": 1, "model": "late"},
        {"kind": "set", "at_h": 5, "set": {"models.farmer.listed": True}},
    ]
    rules = {
        "kind": "telegraph", "spot_checks": {"tasks": 0},
        "registrations": {"farmer": {"at_h": 0, "again_every_h": 2}, "late": {"at_h": 3}},
    }  # fmt: skip
    models = {"farmer": model(), "late": model(), "plain": model()}
    found = ran(scenario(models, protocol=rules, events=events, horizon_h=7))
    mine = [row for row in registrations(found) if row[1] != "plain"]
    assert mine == [
        (2, "farmer", 10_000, 0, 1),
        (3, "farmer", 10_000, 5, 6),
        (4, "farmer", 10_000, 6, None),
    ]
    port = port_gas()
    gas = 2 * port.register_miner + port.update_miner + port.deregister_miner
    assert figures(found).protocol.registry_gas == gas


def test_registering_has_its_price_in_gas():
    """Two first registrations, three that replace one, and one that is given up."""
    port, ended = port_gas(), figures(ran(moving()))
    gas = 2 * port.register_miner + 3 * port.update_miner + port.deregister_miner
    found = ended.protocol
    assert (found.registrations, found.registry_gas) == (5, gas)
    # 0.01 gwei at 3,000 dollars: 0.03 micros for a unit of gas.
    assert found.registry_gas_micros == -(-gas * 3 // 100)


def test_gas_is_at_the_price_of_its_time_and_every_intent_takes_more():
    models = {"m": model(quality={CHAT: 0.7, CODE: 0.7})}
    rules = {"kind": "telegraph", "registrations": {"m": {"at_h": 2, "again_every_h": 2}}}
    events = [{"at_h": 3, "set": {"chain.gas_price_gwei": 0.1}}]
    what = scenario(models, protocol=rules, events=events, horizon_h=5)
    first, again = (port_gas().registration(2, replaces=replaces) for replaces in (False, True))
    assert first - port_gas().register_miner == again - port_gas().update_miner > 20_000
    found = figures(ran(what)).protocol
    assert found.registry_gas == first + again
    assert found.registry_gas_micros == -(-(first * 3 + again * 30) // 100)


def test_without_floors_a_price_is_no_registration():
    names = [name for _, name, *_ in registrations(ran(moving(pricing=None)))]
    assert names.count("old") == 1


def test_what_asks_by_the_token_registers_the_least_floor():
    rules = {"kind": "telegraph", "spot_checks": {"tasks": 0}}
    found = ran(scenario({"m": token_model()}, protocol=rules, horizon_h=1))
    assert registrations(found) == [(1, "m", 10_000, None, None)]


def test_the_least_floor_is_the_scenarios_own():
    pricing = {"least_floor_usd": "0.04"}
    rules = {"kind": "telegraph", "spot_checks": {"tasks": 0}, "pricing": pricing}
    found = ran(scenario({"m": model("0.05")}, protocol=rules, horizon_h=1))
    assert registrations(found) == [(1, "m", 50_000, None, None)]


def test_without_a_protocol_nobody_registers():
    assert ran(scenario(horizon_h=1)).protocol.registrations.is_empty()
