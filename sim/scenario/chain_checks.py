"""What of a scenario a chain cannot settle."""

from sim.facts import Fault, ScenarioError
from sim.rails import ACCOUNT_RAILS
from sim.scenario.phases import phases
from sim.scenario.schema import Scenario


def check_settleable(scenario: Scenario) -> None:
    """Raises `ScenarioError` for what is only modelled.

    That is slashes where agents have no account that one can be paid into, and a fee that changes.
    """
    faults = []
    rail = scenario.rail.kind
    if scenario.mechanism.kind == "execution-contingent" and rail not in ACCOUNT_RAILS:
        allowed = f"{', '.join(ACCOUNT_RAILS)} under execution-contingent, on a chain"
        hint = f"a slash is paid into an agent's account, and {rail} keeps none: --chain none"
        faults.append(Fault("rail.kind", rail, allowed, hint))
    if scenario.protocol is not None and scenario.protocol.jobs is not None:
        hint = "on-chain jobs are modelled, not yet made on a chain: --chain none"
        faults.append(Fault("protocol.jobs", "on-chain jobs", "none, on a chain", hint))
    every = phases(scenario)
    if any(phase.scenario.rail.fee_bps != every.first.rail.fee_bps for phase in every):
        hint = "a contract keeps its fee: --chain none"
        faults.append(Fault("events", "a fee that changes", "one fee on a chain", hint))
    if faults:
        raise ScenarioError(tuple(faults))
