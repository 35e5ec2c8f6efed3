"""What of a scenario a chain cannot settle."""

from sim.facts import Fault, ScenarioError
from sim.scenario.schema import Scenario


def check_settleable(scenario: Scenario) -> None:
    """Raises `ScenarioError` for what is only modelled, all of it at once.

    That is every rail but ``batch``, and a mechanism by which models pay agents: a batch settles
    what agents pay models, and nothing else.
    """
    faults = []
    if scenario.rail.kind != "batch":
        hint = "the others are modelled: --chain none"
        faults.append(Fault("rail.kind", scenario.rail.kind, "batch on a chain", hint))
    if scenario.mechanism.kind == "execution-contingent":
        allowed = "a mechanism by which no model pays an agent, on a chain"
        hint = "its bonds are modelled: --chain none"
        faults.append(Fault("mechanism.kind", scenario.mechanism.kind, allowed, hint))
    if faults:
        raise ScenarioError(tuple(faults))
