"""Autoscaling: the process that gives a model more or fewer slots as its load asks for."""

import math
from collections import deque
from collections.abc import Callable, Generator

from simpy.events import Timeout

from sim.clock import Clock
from sim.models.endpoint import Endpoint
from sim.scenario.schema import Scenario
from sim.scenario.supply import Scaling
from sim.units import us_from_seconds_nearest


class Autoscaler:
    """Gives one model more or fewer slots; ``resize`` gives the endpoint its new number.

    So often, the slots wanted are calls served or waiting over the target load, rounded up, between
    the model's own and the most. More are ordered at once, and come after the time they take to
    start; fewer are kept once no look of the calm time wanted more (as Kubernetes' horizontal
    autoscaler does, with its stabilisation window).
    """

    def __init__(
        self, clock: Clock, endpoint: Endpoint, resize: Callable[[Endpoint, int], None]
    ) -> None:
        self.clock, self.endpoint, self._resize = clock, endpoint, resize
        self._rule: Scaling | None = None
        self._ordered = self._rules = 0

    def adopt(self, scenario: Scenario) -> None:
        """Goes by the rule of a phase; what has been ordered comes when it was to come."""
        rule = scenario.models[self.endpoint.id].capacity.scaling
        if rule == self._rule:
            return
        self._rule = rule
        self._rules += 1
        if rule is not None:
            self.clock.process(self._look(rule, self._rules))

    def _arrive(self, count: int) -> None:
        self._ordered -= count
        if self._rule is not None:
            self._resize(self.endpoint, min(self.endpoint.slots + count, self._rule.max_slots))

    def _look(self, rule: Scaling, number: int) -> Generator[Timeout, None, None]:
        endpoint = self.endpoint
        every_us, start_us = (us_from_seconds_nearest(s) for s in (rule.every_s, rule.start_s))
        looks = max(1, round(rule.calm_s / rule.every_s))
        wanted: deque[int] = deque(maxlen=looks)
        while True:
            yield self.clock.timeout(every_us)
            if number != self._rules:
                return
            need = math.ceil(endpoint.occupied / rule.target_load)
            wanted.append(min(max(need, endpoint.least_slots), rule.max_slots))
            missing = wanted[-1] - endpoint.slots - self._ordered
            if missing > 0:
                self._ordered += missing
                self.clock.after(start_us, self._arrive, missing)
            elif not self._ordered and len(wanted) == looks and max(wanted) < endpoint.slots:
                self._resize(endpoint, max(wanted))
