"""The world: builds what a scenario names, runs it, and hands the record on, block by block."""

import gc
import signal
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from types import FrameType
from typing import Final

import numpy as np

from sim.agents import Agent, Withdrawing, agents
from sim.clock import Clock
from sim.facts import Batch, Reason, Status, Task, TelexError
from sim.ledger import Ledger, bonds
from sim.market import Market
from sim.models import Supply, pool_of
from sim.protocol import Course
from sim.rails import Closed
from sim.record import (
    ANSWERED,
    UNSETTLED,
    AnswerHasher,
    Calls,
    Handover,
    History,
    Packed,
    PackedColumn,
    Tasks,
)
from sim.routers import LEARNERS
from sim.scenario.phases import phases
from sim.scenario.schema import Scenario
from sim.units import BytesArray, Int64Array, us_from_hours_nearest

BLOCK_ROWS: Final = 4096


@dataclass(frozen=True, slots=True)
class Tick:
    """How far a run is: calls ended, tasks posted, and simulated time."""

    calls: int
    tasks: int
    simulated_us: int


class World:
    """One run of one scenario.

    Args:
        on_batch: takes each batch as the rail closes it; its `TelexError` stops the run.
        on_tick: told after every block.
    """

    def __init__(
        self,
        scenario: Scenario,
        on_batch: Callable[[Batch], None] | None = None,
        on_tick: Callable[[Tick], None] | None = None,
    ) -> None:
        self.scenario, self.on_batch, self.on_tick = scenario, on_batch, on_tick
        self.phases = phases(scenario)
        self.clock = Clock()
        self.agents = agents(scenario)
        self.pool = pool_of(scenario)
        budgets = [agent.budget_micros for agent in self.agents]
        self.ledger = Ledger(budgets, len(scenario.models), bonds(scenario))
        self.market = Market(self.clock, self.pool, self.ledger, self.phases.first)
        self.market.learns = any(p.scenario.router.kind in LEARNERS for p in self.phases)
        self.market.on_ended = self._call_ended
        self.course: Course | None = None
        first, rows = self.phases.first, self.market.calls
        if first.protocol is not None:
            self.course = Course(self.clock, self.pool, first.protocol, first, rows)
            self.market.judge = self.course.judge
            if self.market.learns:
                self.market.learns, self.course.rounds.on_verdict = False, self.pool.learn
            # Rows wait for their scores: only between two rounds are all of them whole.
            self.market.on_ended, self.course.on_judged = self.course.on_judged, self._call_ended
        self.withdrawing = Withdrawing(self.clock, self.ledger, scenario)
        self.rail = scenario.rail.closer()
        self.history = History()
        self._hasher = AnswerHasher(
            scenario.scenario_hash(), scenario.intents, tuple(scenario.models)
        )
        self._handover = Handover()
        self._settled = self._ended = 0
        self._arriving = len(self.agents)
        self._supply = Supply(self.clock, self.pool, self.market)

    def run(self) -> History:
        """Runs to the end, to an interruption (SIGINT, or `stop`), or to a failure of the chain."""
        self.begin()
        for agent in self.agents:
            self._await_next(agent)
        with interruptible(partial(self.stop, by_signal=True)), _without_collector():
            self.clock.run(until=self.market.drained)
            self._finish()
        return self.history

    def begin(self) -> None:
        """Starts what nobody asks for: events, outages, sellers, the protocol's clock."""
        for phase in self.phases.all[1:]:
            self.clock.after(phase.from_us, self._adopt, phase.scenario)
        self._supply.start(self.phases)
        self.withdrawing.start()
        if self.course is not None:
            self.course.start()

    def _adopt(self, scenario: Scenario) -> None:
        """A phase begins, before all else of its microsecond."""
        self.market.adopt(scenario)
        self._supply.adopt(scenario)
        if self.course is not None:
            self.course.adopt(scenario)
        for plan in dict.fromkeys(agent.plan for agent in self.agents):
            plan.turn(self.market, (agent for agent in self.agents if agent.plan is plan))

    def stop(self, *, by_signal: bool = False) -> None:
        """Ends the run at the present instant, or a signal's; calls under way stay in flight.

        Raises `KeyboardInterrupt` on a second signal in a router of the user's that never returns.
        """
        drained = self.market.drained
        if not drained.triggered:
            self.history.interrupted = True
            (self.market.end_soon if by_signal else self.market.end)()
        elif by_signal and self.market.router.kind == "python" and not drained.processed:
            raise KeyboardInterrupt

    # Arrivals --------------------------------------------------------------------------------

    def _await_next(self, agent: Agent) -> None:
        task = next(agent.tasks)
        horizon_h = self.scenario.horizon_h
        if horizon_h is not None and task.posted_us >= us_from_hours_nearest(horizon_h):
            self._arriving -= 1
            if not self._arriving:
                self.market.close()
            return
        self.clock.after(task.posted_us - self.clock.now, self._arrive, (agent, task))

    def _arrive(self, arrival: tuple[Agent, Task]) -> None:
        if self.market.closed:
            return
        agent, task = arrival
        self.market.post(agent, task)
        if self.market.tasks_posted == self.scenario.tasks:
            self.market.close()
        else:
            self._await_next(agent)

    # Blocks ----------------------------------------------------------------------------------

    def _call_ended(self) -> None:
        if len(self.market.calls) >= BLOCK_ROWS:
            self._flush()

    def _flush(self) -> None:
        """Turns the rows so far into columns, moves the money, and hands full batches on."""
        market = self.market
        moved = tuple(self.withdrawing.rows)
        calls, hashes = self._collect()
        self.ledger.post(
            calls, ((call.agent.index, call.quote_micros) for call in market.in_flight.values())
        )
        paid = self._paid(calls)
        if self.on_batch is not None:
            self._handover.add(calls, hashes, paid, moved, self.clock.now)
        self._hand_on(self.rail.add(calls.finished_us[paid]))
        if self.on_tick is not None:
            self.on_tick(Tick(self._ended, market.tasks_posted, self.clock.now))

    def _collect(self) -> tuple[Calls, BytesArray]:
        """Moves the market's rows into the history; returns this block of calls and its hashes."""
        market, history = self.market, self.history
        calls, tasks = Calls.from_rows(market.calls), Tasks.from_rows(market.tasks)
        market.calls.clear()
        market.tasks.clear()
        answered = np.isin(calls.reason, ANSWERED).astype(np.int64)
        hashes = self._hasher.hashes(calls, answered)
        paid = self._paid(calls)
        order = np.full(len(calls), UNSETTLED, np.int64)
        order[paid] = self._settled + np.arange(len(paid))
        self._settled += len(paid)
        self._ended += len(calls)
        history.calls.append(Packed(calls))
        history.hashes.append(hashes)
        history.settled.append(PackedColumn.of(order))
        history.tasks.append(Packed(tasks))
        changes = market.changes
        history.take_asides(
            market.own_answers, market.decisions, changes.prices, changes.slots,
            self.withdrawing.rows, market.asks,
        )  # fmt: skip
        return calls, hashes

    def _paid(self, calls: Calls) -> Int64Array:
        """The rows of the calls that the rail settles: those charged, but for on-chain jobs."""
        charged = calls.status == Status.SETTLED
        jobs = self.course.jobs if self.course is not None else None
        if jobs is not None:
            charged &= ~jobs.among(calls.call_id)
        return np.flatnonzero(charged)

    def _hand_on(self, closed: list[Closed]) -> None:
        self.history.closed += closed
        if self.on_batch is not None:
            self._send(self._handover.batches(closed))

    def _send(self, batches: Iterable[Batch]) -> None:
        for batch in batches:
            if self.on_batch is None:
                return
            try:
                self.on_batch(batch)
            except TelexError as error:
                self.history.failure, self.on_batch = error, None
                self.stop()

    def _finish(self) -> None:
        self._end_course()
        self._flush()
        self._handover.end()
        self._hand_on(self.rail.finish())
        self._send(self._handover.last(len(self.history.closed), self.clock.now))
        if self.market.tasks_ended < self.market.tasks_posted:
            self.ledger.strand(self._strand())
        self._note_time()

    def _end_course(self) -> None:
        """The protocol comes to its end; its jobs are whole then."""
        if self.course is None:
            return
        self.course.finish()
        if self.course.jobs is not None:
            self.history.jobs.append(Packed(self.course.jobs.columns()))

    def unpay(self, places: Iterable[int]) -> None:
        """Records calls, by their places in settlement order, as unpaid at no charge."""
        found = np.array(sorted(places), np.int64)
        if len(found):
            self.ledger.unpay(self.history.unpay(found))

    def abandon(self) -> None:
        """After a broken law: puts what has happened into the history, the breach included."""
        self._end_course()
        self._collect()
        self._strand()
        self._note_time()
        self.history.interrupted = True

    def _note_time(self) -> None:
        self.history.duration_us = self.clock.now
        self.history.call_us = self.market.call_us_until_now()

    def _strand(self) -> Calls:
        """Writes down the calls and tasks that an interruption found under way."""
        market, now = self.market, self.clock.now
        flying = list(market.in_flight.values())
        for call in flying:
            call.answer = None
            market.calls.append(call.row(now, 0, Status.IN_FLIGHT, Reason.INTERRUPTED, 0, 0))
        for plan in dict.fromkeys(agent.plan for agent in self.agents):
            plan.strand(market, [call for call in flying if call.agent.plan is plan])
        return self._collect()[0]


@contextmanager
def _without_collector() -> Iterator[None]:
    """Spares the search for cycles of garbage: a run makes none, and it costs 7 % of the time."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


@contextmanager
def interruptible(stop: Callable[[], None]) -> Iterator[None]:
    """Lets SIGINT call ``stop`` instead of raising; does nothing outside the main thread."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def handle(_: int, __: FrameType | None) -> None:
        stop()

    before = signal.signal(signal.SIGINT, handle)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
