"""Queues: in which order a model takes the calls that wait for a slot."""

from collections import deque
from collections.abc import Iterator
from heapq import heappop, heappush
from operator import attrgetter
from typing import TYPE_CHECKING, Protocol

from sim.scenario.schema import Scenario
from sim.scenario.supply import Capacity

if TYPE_CHECKING:
    from sim.models.endpoint import Call, Endpoint


class Queue(Protocol):
    """Calls that wait; those that have given up are still in it, and are passed over."""

    def append(self, call: "Call", /) -> None:
        """A call comes to wait."""

    def popleft(self) -> "Call":
        """Takes out the call that is next."""
        ...

    def clear(self) -> None:
        """Nobody waits any more."""

    def __len__(self) -> int: ...

    def __iter__(self) -> "Iterator[Call]": ...


class ByPriority:
    """The call whose group has the greatest priority, and of equals the first that came.

    Args:
        priorities: of the groups, by position.
    """

    def __init__(self, priorities: list[int]) -> None:
        self._priorities = priorities
        self._heap: list[tuple[int, int, Call]] = []
        self._came = 0

    def append(self, call: "Call", /) -> None:
        """A call comes to wait."""
        self._came += 1
        heappush(self._heap, (-self._priorities[call.agent.group], self._came, call))

    def popleft(self) -> "Call":
        """Takes out the call that is next."""
        return heappop(self._heap)[2]

    def clear(self) -> None:
        """Nobody waits any more."""
        self._heap.clear()

    def __len__(self) -> int:
        return len(self._heap)

    def __iter__(self) -> "Iterator[Call]":
        return (call for _, _, call in sorted(self._heap))


def requeue(model: "Endpoint", scenario: Scenario) -> None:
    """Gives a model the queue of a later phase, and to it who waits, the first that came first."""
    waiting = sorted(model.queue, key=attrgetter("id"))
    model.queue = queue_of(scenario.models[model.id].capacity, scenario)
    for call in waiting:
        model.queue.append(call)


def queue_of(capacity: Capacity, scenario: Scenario) -> Queue:
    """An empty queue of the discipline that a model's capacity names."""
    if capacity.discipline == "priority":
        return ByPriority([group.priority for group in scenario.groups.values()])
    return deque()
