"""Outages: what takes a model down, as planned or at random, and brings it back."""

from collections.abc import Callable, Generator

from simpy.events import Timeout

from sim.chance import stream
from sim.clock import Clock
from sim.models.endpoint import Endpoint
from sim.scenario.supply import Window
from sim.units import us_from_hours_nearest


def outages(
    clock: Clock,
    endpoint: Endpoint,
    seed: int,
    go_down: Callable[[Endpoint], None],
    come_back: Callable[[Endpoint], None],
) -> None:
    """Starts the processes that take a model down and bring it back; overlaps are one outage."""
    causes = 0

    def down(length_us: int) -> Generator[Timeout, None, None]:
        nonlocal causes
        causes += 1
        if causes == 1:
            go_down(endpoint)
        yield clock.timeout(length_us)
        causes -= 1
        if causes == 0:
            come_back(endpoint)

    def planned(window: Window) -> Generator[Timeout, None, None]:
        start_us, end_us = us_from_hours_nearest(window.from_h), us_from_hours_nearest(window.to_h)
        yield clock.timeout(start_us)
        yield from down(max(1, end_us - start_us))

    def at_random(mean_up_h: float) -> Generator[Timeout, None, None]:
        random = stream(seed, "models", endpoint.id, "outages")
        mean_down_h = endpoint.outages.mean_down_min / 60
        while True:
            up_h, down_h = random.standard_exponential(2).tolist()
            yield clock.timeout(max(1, us_from_hours_nearest(up_h * mean_up_h)))
            yield from down(max(1, us_from_hours_nearest(down_h * mean_down_h)))

    for window in endpoint.outages.windows:
        clock.process(planned(window))
    if endpoint.outages.mean_up_h is not None:
        clock.process(at_random(endpoint.outages.mean_up_h))
