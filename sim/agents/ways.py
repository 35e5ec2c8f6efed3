"""Ways: the flow that each task takes, by its group, its intent and when it was posted."""

import numpy as np

from sim.agents.flow import Flow, flow_terms, flows_of
from sim.scenario.phases import phases
from sim.scenario.schema import Scenario
from sim.units import Int64Array


class Ways:
    """The flows of a scenario, numbered; groups whose phases are alike have one for all of them."""

    def __init__(self, scenario: Scenario) -> None:
        self._every = phases(scenario)
        self.flows: list[Flow] = []
        shape = (len(self._every), len(scenario.groups), len(scenario.intents))
        self._numbers = np.full(shape, -1, np.int64)
        for group, group_id in enumerate(scenario.groups):
            before = None
            for number, phase in enumerate(self._every):
                now = phase.scenario.groups[group_id]
                if before is not None and flow_terms(now) == flow_terms(before):
                    self._numbers[number, group] = self._numbers[number - 1, group]
                    continue
                for intent, flow in flows_of(scenario, now, self._every.step_names).items():
                    self._numbers[number, group, intent] = len(self.flows)
                    self.flows.append(flow)
                before = now

    def of(self, posted_us: Int64Array, group: Int64Array, intent: Int64Array) -> Int64Array:
        """The number of the flow of each task."""
        found: Int64Array = self._numbers[self._every.of(posted_us), group, intent]
        return found

    def answers(self, numbers: Int64Array) -> Int64Array:
        """How many answers each of these flows asks for; 1 where there is none."""
        found: Int64Array = np.array([*(flow.answers for flow in self.flows), 1], np.int64)[numbers]
        return found
