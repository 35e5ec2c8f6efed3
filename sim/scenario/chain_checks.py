"""What of a scenario a chain cannot settle."""

from sim.facts import Fault, ScenarioError
from sim.scenario.schema import Scenario


def check_settleable(scenario: Scenario) -> None:
    """Raises `ScenarioError` for what is only modelled: a mechanism by which models pay agents.

    A rail settles what agents pay models, and nothing else.
    """
    if scenario.mechanism.kind == "execution-contingent":
        allowed = "a mechanism by which no model pays an agent, on a chain"
        hint = "its bonds are modelled: --chain none"
        raise ScenarioError((Fault("mechanism.kind", scenario.mechanism.kind, allowed, hint),))
