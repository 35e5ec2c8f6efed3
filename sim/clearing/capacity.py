"""Auctions among agents: calls wait at the model the router picked, ranked by bid."""

from collections.abc import Iterator, Mapping, Sequence
from heapq import heapify, heappop, heappush
from typing import ClassVar

from sim.agents import Agent
from sim.clearing.asked import Asked
from sim.clearing.types import Floor, Offer
from sim.facts import Reason, Task
from sim.mechanisms import Ask, Double, FirstPrice, SecondPrice, UniformPrice
from sim.models import Call, Endpoint, Terms
from sim.scenario.schema import Scenario
from sim.strategies import Bidder, Bidding
from sim.units import micros_floor_from_ppm, micros_from_usd_exact, us_from_seconds_nearest

Rule = FirstPrice | SecondPrice | UniformPrice | Double
SPARE = 64


class Ranked:
    """The calls that wait for a model's slots, the highest bid first, of equals the earliest.

    Calls that have given up are no longer in ``in_flight``; they, and calls that are being served,
    are passed over.
    """

    def __init__(self, in_flight: Mapping[int, Call]) -> None:
        self._in_flight = in_flight
        self._heap: list[tuple[int, int, Call]] = []
        self._most = SPARE

    def append(self, call: Call, /) -> None:
        """A call comes to wait."""
        if len(self._heap) >= self._most:
            self._heap = self.live()
            heapify(self._heap)
            self._most = 2 * len(self._heap) + SPARE
        heappush(self._heap, (-call.bid_micros, call.id, call))

    def popleft(self) -> Call:
        """Takes out the call of the highest bid."""
        self._pass_over()
        return heappop(self._heap)[2]

    def top_micros(self) -> int:
        """The highest bid; 0 if nobody waits."""
        self._pass_over()
        return -self._heap[0][0] if self._heap else 0

    def _pass_over(self) -> None:
        heap, in_flight = self._heap, self._in_flight
        while heap and (heap[0][1] not in in_flight or heap[0][2].started_us >= 0):
            heappop(heap)

    def live(self) -> list[tuple[int, int, Call]]:
        """Everybody who waits, in no order, with what they are ranked by."""
        in_flight = self._in_flight
        return [each for each in self._heap if each[1] in in_flight and each[2].started_us < 0]

    def clear(self) -> None:
        """Nobody waits any more."""
        self._heap.clear()

    def __len__(self) -> int:
        self._pass_over()
        return len(self._heap)

    def __iter__(self) -> Iterator[Call]:
        return (call for _, _, call in sorted(self.live()))


def _bidding(scenario: Scenario) -> list[Bidding]:
    """The rule by which each agent bids."""
    return [group.bidding for group in scenario.groups.values() for _ in range(group.count)]


class CapacityAuction:
    """Bids for a model's slots, cleared as a slot falls free, or every tick."""

    unserved: ClassVar = Reason.LOST_BID

    def __init__(self, rule: Rule, scenario: Scenario, floor: Floor) -> None:
        self.floor, self.pool = floor, floor.pool
        self._take(rule)
        self.pays_bid = isinstance(rule, FirstPrice)
        self._bidding = _bidding(scenario)
        self.bidders = [bidding.bidder() for bidding in self._bidding]
        self._before: dict[int, Bidder] = {}
        self.asked = Asked(floor)
        self.going = [0] * len(self.pool.endpoints)
        self._tick_set = False
        for model in self.pool.endpoints:
            model.queue = Ranked(floor.in_flight)

    def _take(self, rule: Rule) -> None:
        self.reserve_micros = micros_from_usd_exact(rule.reserve_usd)
        self.tick_us = us_from_seconds_nearest(rule.tick_s) if rule.tick_s else 0

    def adopt(self, scenario: Scenario) -> None:
        """Other reserves and ticks; agents that bid by another rule begin it anew.

        What a call under way has bid is still told to the bidder that bid it.
        """
        if isinstance(scenario.mechanism, Rule):
            self._take(scenario.mechanism)
        self.asked.adopt()
        after = _bidding(scenario)
        changed = {at for at, rule in enumerate(after) if rule != self._bidding[at]}
        for call in self.floor.in_flight.values():
            if call.agent.index in changed:
                self._before.setdefault(call.id, self.bidders[call.agent.index])
        for at in changed:
            self.bidders[at] = after[at].bidder()
        self._bidding = after
        if any(len(model.queue) for model in self.pool.endpoints):
            self._set_tick()

    def offer(
        self, agent: Agent, task: Task, attempt: int, models: Sequence[int],
        behind: int | None = None,
    ) -> Offer | Reason:  # fmt: skip
        """A bid at the router's pick, or at its next one while the reserve is above the bid."""
        bidder, router, pool = self.bidders[agent.index], self.floor.router, self.pool
        purse_micros = min(task.limit_micros, self.floor.ledger.free[agent.index])
        left: Sequence[int] = models if behind is None else (behind,)
        while left:
            model = pool.endpoints[router.pick(task, attempt, left, pool)]
            ask_micros = self._ask_micros(task, model)
            worth_micros = min(purse_micros, self.worth_micros(task, model))
            going_micros = max(ask_micros, self.going[model.index])
            bid_micros = bidder.bid(task, attempt, worth_micros, going_micros)
            if bid_micros >= ask_micros:
                return model, bid_micros, bid_micros, ask_micros, None
            bidder.ended(task, attempt, 0, 0)
            left = [other for other in left if other != model.index]
        return Reason.RESERVE

    def asks(self, task: Task, models: Sequence[int]) -> list[Ask]:
        """The reserve at each model, with the validators' score."""
        ends, scores = self.pool.endpoints, self.pool.scores[task.intent]
        return [Ask(model, self._ask_micros(task, ends[model]), scores[model]) for model in models]

    def _ask_micros(self, task: Task, model: Endpoint) -> int:
        return max(self.reserve_micros, model.ask_micros(task))

    def worth_micros(self, task: Task, model: Endpoint) -> int:
        """What a call is worth, given that it is paid: any answer, or only a right one."""
        if not self.floor.pay_any:
            return task.value_micros
        score_ppm = self.pool.scores[task.intent][model.index]
        return micros_floor_from_ppm(task.value_micros * score_ppm)

    def enter(self, call: Call) -> bool:
        """Served at once if slots are sold as they fall free, and one is."""
        self.asked.note(call)
        if self.tick_us:
            self._set_tick()
            return False
        if len(call.model.serving) < call.model.slots:
            self._sell(call, 0)
            return True
        return False

    def slot_freed(self, model: Endpoint) -> None:
        """Sells it, unless slots are sold by the tick."""
        if not self.tick_us:
            self._clear(model)

    def ended(self, call: Call, charge_micros: int, success: bool) -> None:
        """The bidder learns what it paid and gained."""
        gain_micros = (call.task.value_micros if success else 0) - charge_micros
        bidder: Bidder = self.bidders[call.agent.index]
        if self._before:
            bidder = self._before.pop(call.id, bidder)
        bidder.ended(call.task, call.attempt, charge_micros, gain_micros)

    def _set_tick(self) -> None:
        if self.tick_us and not self._tick_set:
            self._tick_set = True
            now = self.floor.clock.now
            self.floor.clock.after(self.tick_us - now % self.tick_us, self._tick, None)

    def _tick(self, _: None) -> None:
        self._tick_set = False
        for model in self.pool.endpoints:
            self._clear(model)
            if len(model.queue):
                self._set_tick()

    def _clear(self, model: Endpoint) -> None:
        """The free slots to the highest bids, at the best bid that gets none."""
        queue = model.queue
        assert isinstance(queue, Ranked)
        free, winners = model.slots - len(model.serving), list[Call]()
        while len(winners) < free and queue:
            winners.append(queue.popleft())
        losing_micros = queue.top_micros()
        for call in winners:
            self._sell(call, losing_micros)

    def _sell(self, call: Call, losing_micros: int) -> None:
        price_micros = call.bid_micros if self.pays_bid else max(losing_micros, call.ask_micros)
        call.terms = Terms(price_micros, price_micros if self.floor.pay_any else None)
        self.going[call.model.index] = price_micros
        self.floor.serve(call)
