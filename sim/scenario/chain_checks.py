"""What of a scenario a chain cannot settle, and of a protocol its contracts cannot show."""

from collections.abc import Iterator
from typing import Final

from sim.facts import Fault, ScenarioError
from sim.intents import INTENTS
from sim.protocols import Emission, Protocol
from sim.protocols.pricing import TIERS
from sim.rails import ACCOUNT_RAILS
from sim.scenario.phases import phases
from sim.scenario.schema import Scenario
from sim.units import MICROS_PER_USD, micros_from_usd_exact

LEDGER_RAILS: Final = ("batch", "prepaid")
PORT_LEAST_FLOOR_MICROS: Final = 10_000
"""`LEAST_PRICE` of the port's MinerRegistry."""
PORT_FEE_BPS: Final = 200
"""`FEE_BPS` of the port."""
PORT_BASE_PRICE_MICROS: Final = MICROS_PER_USD
"""`getJobBasePrice` of the port's Pricing, whose tiers are `TIERS`."""
POOL_FEE_PPM: Final = 3_000
NO_CHAIN: Final = "--chain none"


def check_settleable(scenario: Scenario) -> None:
    """Raises `ScenarioError` for what is only modelled.

    That is slashes where agents have no account that one can be paid into, a fee that changes, and
    on-chain jobs by other rules than the port has, or where it is not deployed.
    """
    faults = []
    rail = scenario.rail.kind
    if scenario.mechanism.kind == "execution-contingent" and rail not in ACCOUNT_RAILS:
        allowed = f"{', '.join(ACCOUNT_RAILS)} under execution-contingent, on a chain"
        hint = f"a slash is paid into an agent's account, and {rail} keeps none: {NO_CHAIN}"
        faults.append(Fault("rail.kind", rail, allowed, hint))
    every = phases(scenario)
    if any(phase.scenario.rail.fee_bps != every.first.rail.fee_bps for phase in every):
        hint = f"a contract keeps its fee: {NO_CHAIN}"
        faults.append(Fault("events", "a fee that changes", "one fee on a chain", hint))
    if scenario.protocol is not None and scenario.protocol.jobs is not None:
        faults += [*unperformable(scenario), *_job_faults(scenario)]
    if faults:
        raise ScenarioError(tuple(faults))


def unperformable(scenario: Scenario) -> Iterator[Fault]:
    """Why a protocol's acts cannot be transactions; nothing, if they can.

    It must buy MACHINA, by the contract's schedule: halving, cap and parts are fixed there, as are
    the length of its epochs, the fee of the pool that is deployed and the least floor that the port
    takes, whatever events say; and models must be paid in a CallLedger.
    """
    protocol = scenario.protocol
    if protocol is None:
        yield Fault("protocol", "none", "one that buys MACHINA")
        return
    if protocol.purchases is None:
        yield _fault("protocol.purchases", "none", "purchases in the pool that is deployed")
    yield from _off_pool(scenario, protocol)
    yield from _off_schedule(scenario, protocol)
    if not is_registrable(scenario):
        found = f"{least_floor_micros(protocol)} micros"
        allowed = f"at least {PORT_LEAST_FLOOR_MICROS} micros, the port's least"
        yield _fault("protocol.pricing.least_floor_usd", found, allowed)


def _off_pool(scenario: Scenario, protocol: Protocol) -> Iterator[Fault]:
    """Why no model can buy in the pool that is deployed with what it has earned."""
    rail = scenario.rail.kind
    if protocol.purchases is not None and protocol.purchases.pool_fee_ppm != POOL_FEE_PPM:
        found = str(protocol.purchases.pool_fee_ppm)
        yield _fault("protocol.purchases.pool_fee_ppm", found, f"{POOL_FEE_PPM}, the pool's")
    if rail not in LEDGER_RAILS:
        yield _fault("rail.kind", rail, f"{', '.join(LEDGER_RAILS)}, which pay into a CallLedger")


def _off_schedule(scenario: Scenario, protocol: Protocol) -> Iterator[Fault]:
    """Why MACHINA's contract would make other sums, or at other times."""
    ruling = [phase.scenario.protocol for phase in phases(scenario)]
    plain = Emission(epochs_before=protocol.emission.epochs_before)
    if not all(each and each.emission == plain for each in ruling):
        yield _fault("protocol.emission", "another schedule", "MACHINA's own, throughout")
    if not all(each and each.epoch_h == protocol.epoch_h for each in ruling):
        yield _fault("protocol.epoch_h", "epochs that change", "MACHINA's own, of one length")


def is_registrable(scenario: Scenario) -> bool:
    """Whether there is a protocol with no floor that the port does not take."""
    protocol = scenario.protocol
    return protocol is not None and least_floor_micros(protocol) >= PORT_LEAST_FLOOR_MICROS


def is_mintable(scenario: Scenario) -> bool:
    """Whether a protocol's MACHINA can be on the chain: by the contract's schedule, all of it.

    What models buy is part of that: without purchases nothing is asked of rail and pool.
    """
    protocol = scenario.protocol
    if protocol is None or any(_off_schedule(scenario, protocol)):
        return False
    return protocol.purchases is None or not any(_off_pool(scenario, protocol))


def least_floor_micros(protocol: Protocol) -> int:
    """The least floor by a protocol's rules; the port's, where no floor makes a price."""
    if protocol.pricing is None:
        return PORT_LEAST_FLOOR_MICROS
    return micros_from_usd_exact(protocol.pricing.least_floor_usd)


def _job_faults(scenario: Scenario) -> Iterator[Fault]:
    """Where the port would charge other sums for jobs than the scenario does."""
    if scenario.rail.fee_bps != PORT_FEE_BPS:
        yield _fault("rail.fee_bps", str(scenario.rail.fee_bps), f"{PORT_FEE_BPS}, the port's fee")
    ruling = [protocol for phase in phases(scenario) if (protocol := phase.scenario.protocol)]
    bases = {micros_from_usd_exact(each.jobs.base_price_usd) for each in ruling if each.jobs}
    if bases - {PORT_BASE_PRICE_MICROS}:
        found = ", ".join(f"{micros / MICROS_PER_USD:g}" for micros in sorted(bases))
        yield _fault("protocol.jobs.base_price_usd", found, "1, the port's base price")
    if any(each.pricing.tiers != TIERS for each in ruling if each.pricing):
        yield _fault("protocol.pricing.tiers", "other tiers", "the port's own, by default")
    for name, model in scenario.models.items():
        if not any(intent in INTENTS for intent in model.quality):
            allowed = "one of the intents by which the port knows miners"
            yield _fault(f"models.{name}.quality", ", ".join(model.quality), allowed)


def _fault(path: str, found: str, allowed: str) -> Fault:
    return Fault(path, found, f"{allowed}, for on-chain jobs on a chain", NO_CHAIN)
