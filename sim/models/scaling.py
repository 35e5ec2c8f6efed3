"""Autoscaling: the process that gives a model more or fewer slots as its load asks for."""

import math
from collections import deque
from collections.abc import Callable, Generator

from simpy.events import Timeout

from sim.clock import Clock
from sim.models.endpoint import Endpoint
from sim.scenario.supply import Scaling
from sim.units import us_from_seconds_nearest


def autoscale(
    clock: Clock, endpoint: Endpoint, rule: Scaling, resize: Callable[[Endpoint, int], None]
) -> None:
    """Starts the process; ``resize`` gives the endpoint its new number of slots.

    So often, the slots wanted are calls served or waiting over the target load, rounded up, between
    the model's own and the most. More are ordered at once, and come after the time they take to
    start; fewer are kept once no look of the calm time wanted more (as Kubernetes' horizontal
    autoscaler does, with its stabilisation window).
    """
    every_us, start_us = (us_from_seconds_nearest(s) for s in (rule.every_s, rule.start_s))
    looks = max(1, round(rule.calm_s / rule.every_s))
    wanted: deque[int] = deque(maxlen=looks)
    ordered = 0

    def arrive(count: int) -> None:
        nonlocal ordered
        ordered -= count
        resize(endpoint, min(endpoint.slots + count, rule.max_slots))

    def look() -> Generator[Timeout, None, None]:
        nonlocal ordered
        while True:
            yield clock.timeout(every_us)
            need = math.ceil(endpoint.occupied / rule.target_load)
            wanted.append(min(max(need, endpoint.least_slots), rule.max_slots))
            missing = wanted[-1] - endpoint.slots - ordered
            if missing > 0:
                ordered += missing
                clock.after(start_us, arrive, missing)
            elif not ordered and len(wanted) == looks and max(wanted) < endpoint.slots:
                resize(endpoint, max(wanted))

    clock.process(look())
