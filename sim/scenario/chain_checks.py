"""What of a scenario a chain cannot settle."""

from sim.facts import Fault, ScenarioError
from sim.scenario.phases import phases
from sim.scenario.schema import Scenario


def check_settleable(scenario: Scenario) -> None:
    """Raises `ScenarioError` for what is only modelled: models that pay agents, a fee that changes.

    A rail settles what agents pay models, and nothing else. It takes one fee for all.
    """
    faults = []
    if scenario.mechanism.kind == "execution-contingent":
        allowed = "a mechanism by which no model pays an agent, on a chain"
        hint = "its bonds are modelled: --chain none"
        faults.append(Fault("mechanism.kind", scenario.mechanism.kind, allowed, hint))
    every = phases(scenario)
    if any(phase.scenario.rail.fee_bps != every.first.rail.fee_bps for phase in every):
        hint = "a contract keeps its fee: --chain none"
        faults.append(Fault("events", "a fee that changes", "one fee on a chain", hint))
    if faults:
        raise ScenarioError(tuple(faults))
