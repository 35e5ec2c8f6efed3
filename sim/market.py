"""The market: the life of a call, from the task an agent posts to the facts it ends in."""

from collections.abc import Callable
from contextlib import suppress

from sim.agents import Agent, Own
from sim.clearing import Clearing, clearing_of, fallback_of
from sim.clock import Clock
from sim.facts import Decision, Outcome, Reason, Status, Task
from sim.ledger import Ledger
from sim.models import Answer, Call, Changes, Endpoint, Pool
from sim.rails import Rail
from sim.routers import LEARNERS, Router, judge_of
from sim.scenario.schema import Scenario
from sim.units import NEVER_US
from sim.validators import verdict_ppm


class Market:
    """Agents' tasks, the pool, the router and the ledger on one clock.

    Rows of ended calls and tasks gather in ``calls`` and ``tasks`` (and what agents do beside the
    market in ``own_answers`` and ``decisions``, what changes of models in ``changes``, and what
    they ask in ``asks``) until the world takes them; ``judge`` gives the verdict on an answer;
    ``in_flight`` holds the calls under way, ``lost`` how many of a task's another took over.
    ``drained`` happens when no task is to come (`close`) and none is open. ``on_ended`` is told
    whenever a call has ended and its money is settled.
    """

    def __init__(self, clock: Clock, pool: Pool, ledger: Ledger, scenario: Scenario) -> None:
        self.clock, self.pool, self.ledger = clock, pool, ledger
        self.router: Router = scenario.router
        self.rail: Rail = scenario.rail
        self.fallback, self.lost = fallback_of(scenario), dict[int, int]()
        self.pay_any = self.rail.settle_on == "delivered"
        self.in_flight: dict[int, Call] = {}
        self.asks: list[tuple[int, ...]] = []
        self.clearing: Clearing = clearing_of(scenario, self)
        self.calls: list[tuple[int, ...]] = []
        self.tasks: list[tuple[int, ...]] = []
        self.own_answers: list[tuple[int, ...]] = []
        self.decisions: list[tuple[int, ...]] = []
        self.tasks_posted = self.tasks_ended = self.calls_made = 0
        self.closed = False
        self.drained = clock.event()
        self.on_ended: Callable[[], None] = lambda: None
        self.judge: Callable[[Call, bool], int] = self._judge
        self.learns = self.router.kind in LEARNERS
        self.doubts = judge_of(self.router)
        self._call_us = self._counted_us = 0
        self.changes = Changes(clock, pool.endpoints, lambda: self.calls_made)
        pool.on_changed = self.changes.note

    def post(self, agent: Agent, task: Task) -> None:
        """An agent posts a Task, unless it has left the market."""
        if not agent.plan.posts(self, agent):
            return
        self.tasks_posted += 1
        agent.plan.begin(self, self.tasks_posted - 1, agent, task)

    def attempt(self, task_id: int, agent: Agent, attempt: int, task: Task) -> None:
        """Models quote; mechanism and router pick a Quote; the market holds it and makes a Call."""
        plan, purse_micros = agent.plan, self.ledger.free[agent.index]
        models, refusal = plan.fitting(self, task_id, agent, attempt, task, purse_micros)
        offer = refusal or self.clearing.offer(agent, task, attempt, models)
        if isinstance(offer, Reason):
            plan.refused(self, task_id, agent, attempt, task, offer)
            return
        self._make(Call(self.calls_made, task_id, agent, attempt, task, self.clock.now, *offer))

    def _make(self, call: Call) -> None:
        self.ledger.hold(call.agent.index, call.quote_micros)
        call.agent.plan.made(call)
        self._enter(call)
        if not self.clearing.enter(call):
            self._wait(call)

    def serve(self, call: Call) -> None:
        """The model serves an Answer."""
        call.started_us = self.clock.now
        plan = call.agent.plan
        warm_tokens = plan.recall(self, call) if plan.remembers else 0
        call.answer = call.model.answer(call.task, call.attempt, warm_tokens)
        call.model.serving[call.id] = call
        self.clock.after(call.answer.service_us, self.deliver, call)

    def deliver(self, call: Call) -> None:
        """The validators give a Verdict; the hold becomes a charge and a refund."""
        answer, model, task = call.answer, call.model, call.task
        if answer is None:
            return  # an outage has taken it
        late = self.clock.now > task.deadline_us
        success = answer.right and not late
        reason = Reason.LATE if late else Reason.NONE if success else Reason.WRONG
        score_ppm = self.judge(call, answer.right)
        if self.learns:
            self.pool.learn(task, model.index, score_ppm)
        if self.doubts is not None and not late and call.attempt < call.agent.plan.repeats(task):
            reason = self.doubts.judged(task, call.attempt, reason)
            success = reason is Reason.NONE
        charge_micros = self._charge(call, answer, success)
        status = Status.REFUNDED if charge_micros is None else Status.SETTLED
        self._leave(call)
        self._end_call(call, status, reason, charge_micros or 0, score_ppm)
        self.clearing.slot_freed(model)
        call.agent.plan.after(self, call, reason, charge_micros or 0)

    def _judge(self, call: Call, right: bool) -> int:
        """The verdict in ppm, which goes into the model's score at once."""
        score_ppm = verdict_ppm(right, call.task.judgement_ppm)
        self.pool.observe(call.task.intent, call.model.index, score_ppm)
        return score_ppm

    def _charge(self, call: Call, answer: Answer, success: bool) -> int | None:
        """What an answer is charged; None if it is not."""
        if call.terms is not None:
            charge_micros = call.terms.right_micros if success else call.terms.wrong_micros
            call.slash_micros = 0 if success else call.terms.owed_micros
            call.model.charged(call.task, charge_micros or 0)
            return charge_micros
        if not success and not self.pay_any:
            return None
        charged_micros = call.model.charge_micros(call.task, answer, call.tariff)
        return min(charged_micros, call.quote_micros) if call.model.may_overrun else charged_micros

    def move(self, call: Call, model: Endpoint) -> None:
        """A call that waits goes to another model, whose price holds from then on."""
        self._vacate(call.model)
        call.model, call.tariff = model, model.tariff
        self._occupy(model)

    # Waiting, giving up, failing -------------------------------------------------------------

    def _wait(self, call: Call) -> None:
        call.model.queue.append(call)
        if call.task.deadline_us < NEVER_US:
            self.clock.after(max(0, call.task.deadline_us - self.clock.now), self._give_up, call)

    def _give_up(self, call: Call) -> None:
        if call.id in self.in_flight and call.started_us < 0:
            self._refund(call, self.clearing.unserved)

    def go_down(self, model: Endpoint) -> None:
        """An outage begins: every call there, served or waiting, ends unanswered and refunded."""
        model.up = False
        self.pool.room_changed(model)
        lost = [
            *model.serving.values(),
            *(call for call in model.queue if call.id in self.in_flight),
        ]
        model.queue.clear()
        for call in lost:
            self._refund(call, Reason.OUTAGE)

    def come_back(self, model: Endpoint) -> None:
        """An outage ends."""
        model.up = True
        self.pool.room_changed(model)

    def _refund(self, call: Call, reason: Reason) -> None:
        call.answer = None
        self._leave(call)
        self._end_call(call, Status.REFUNDED, reason, 0, 0)
        if reason is not Reason.OUTAGE or not self._fall_back(call):
            call.agent.plan.after(self, call, reason, 0)

    def _fall_back(self, lost: Call) -> bool:
        """Whether the router has another model take over a lost call, at the same attempt."""
        router, agent, attempt, plan = self.fallback, lost.agent, lost.attempt, lost.agent.plan
        if router is None or lost.place >= router.fallbacks:
            return False
        task, purse_micros = plan.again(self, lost), self.ledger.free[agent.index]
        if task is None or self.clock.now >= task.deadline_us:
            return False
        models, refusal = plan.fitting(self, lost.task_id, agent, attempt, task, purse_micros)
        behind = None if refusal else router.behind(task, attempt, models, self.pool)
        offer = refusal or self.clearing.offer(agent, task, attempt, models, behind)
        if isinstance(offer, Reason):
            return False
        plan.lost(self, lost)
        self.lost[lost.task_id] = self.lost.get(lost.task_id, 0) + 1
        call = Call(self.calls_made, lost.task_id, agent, attempt, task, self.clock.now, *offer)
        call.place = lost.place + 1
        self._make(call)
        return True

    def adopt(self, scenario: Scenario) -> None:
        """Goes on by other parameters: models, requirements, router, fee and what is paid for."""
        if scenario.router != self.router:
            self.pool.notes.clear()
        self.pool.adopt(scenario)
        self.router, self.rail = scenario.router, scenario.rail
        self.fallback = fallback_of(scenario)
        self.doubts = judge_of(self.router)
        self.pay_any = self.rail.settle_on == "delivered"
        self.clearing.adopt(scenario)
        for model in self.pool.endpoints:
            self.clearing.slot_freed(model)

    # The facts -------------------------------------------------------------------------------

    def _enter(self, call: Call) -> None:
        self._count()
        self.calls_made += 1
        self.in_flight[call.id] = call
        self._occupy(call.model)
        if call.model.limit is not None:
            call.model.limit.took(self.clock, call.model, self.pool)

    def resize(self, model: Endpoint, slots: int) -> None:
        """A model has other slots; who waits may be served at once."""
        model.resize(slots)
        self.changes.note(model)
        self.pool.room_changed(model)
        self.clearing.slot_freed(model)

    def _leave(self, call: Call) -> None:
        self._count()
        del self.in_flight[call.id]
        call.model.serving.pop(call.id, None)
        self._vacate(call.model)

    def _occupy(self, model: Endpoint) -> None:
        model.occupied += 1
        if model.occupied == model.room:
            self.pool.room_changed(model)

    def _vacate(self, model: Endpoint) -> None:
        model.occupied -= 1
        if model.occupied == model.room - 1:
            self.pool.room_changed(model)

    def _count(self) -> None:
        now = self.clock.now
        self._call_us += len(self.in_flight) * (now - self._counted_us)
        self._counted_us = now

    def _end_call(
        self, call: Call, status: Status, reason: Reason, charge_micros: int, score_ppm: int
    ) -> None:
        self.ledger.end_hold(call.agent.index, call.quote_micros, charge_micros, call.slash_micros)
        self.clearing.ended(call, charge_micros, reason is Reason.NONE)
        now, fee_bps = self.clock.now, self.rail.fee_bps
        self.calls.append(call.row(now, fee_bps, status, reason, charge_micros, score_ppm))
        self.on_ended()

    def host_answered(self, own: Own, model: int, output_tokens: int, reason: Reason) -> None:
        """An answer of an agent's own machines as a row of `sim.record.OwnAnswers`."""
        task, now = own.task, self.clock.now
        self.own_answers.append((
            own.task_id, own.agent.index, model, task.intent, task.step, task.clone, own.attempt,
            own.started_us, now, task.input_tokens, output_tokens, reason,
        ))  # fmt: skip

    def note(self, agent: Agent, decision: Decision, model: int) -> None:
        """What an agent decided as a row of `sim.record.Decisions`; -1 is no model."""
        self.decisions.append((self.clock.now, agent.index, decision, model))

    def end_task(
        self, task_id: int, agent: Agent, calls: int, task: Task, outcome: Outcome, reason: Reason
    ) -> None:
        """Ends a task after so many calls, and those that others have stood in for."""
        if self.lost:
            calls += self.lost.pop(task_id, 0)
        self.tasks.append((
            task_id, agent.index, task.intent, task.posted_us, self.clock.now, calls, outcome,
            reason, task.value_micros,
        ))  # fmt: skip
        self.tasks_ended += 1
        if self.closed:
            self._check_drained()

    def close(self) -> None:
        """No task is to come any more."""
        self.closed = True
        self._check_drained()

    def _check_drained(self) -> None:
        if self.tasks_ended == self.tasks_posted:
            self.end()

    def end(self) -> None:
        """Lets ``drained`` happen now, if it has not."""
        with suppress(RuntimeError):
            self.drained.succeed()

    def end_soon(self) -> None:
        """Lets ``drained`` happen with what comes next; may be called by a signal at any instant.

        A signal may come between two lines of the loop, when the clock still shows the time before
        the event that is about to happen: never before that event, or time would turn back.
        """
        if not self.drained.triggered:
            self.clock.succeed_next(self.drained)

    def call_us_until_now(self) -> int:
        """The integral of the number of calls in flight over time, so far."""
        self._count()
        return self._call_us
