"""Steps: the plan of agents whose tasks take several answers, or whose rules look beyond a call."""

from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from typing import ClassVar

from sim.agents.agent import Agent, Attempt, Desk, Own
from sim.agents.choosing import Situation
from sim.agents.memory import Memory, Purse, Session
from sim.agents.progress import Progress
from sim.agents.rules import Rules
from sim.facts import Decision, Outcome, Reason, Task
from sim.record import ANSWERED
from sim.units import PPM


class Steps:
    """Keeps the progress of every open task, and what each agent has in mind.

    Args:
        minds: by agent; shared with the plans that go before and come after.
    """

    remembers: ClassVar[bool] = True

    def __init__(self, rules: Rules, minds: dict[int, Memory]) -> None:
        self.rules, self.minds = rules, minds
        self.open: dict[int, Progress] = {}

    def mind(self, agent: Agent) -> Memory:
        """What an agent has in mind."""
        found = self.minds.get(agent.index)
        if found is None:
            found = Memory(Purse() if self.rules.counts_days else None)
            self.minds[agent.index] = found
        return found

    def turn(self, desk: Desk, agents: Iterable[Agent]) -> None:
        """Those that have begun go by these rules outside the market, too, from now on."""
        for agent in agents:
            if agent.index in self.minds:
                self.posts(desk, agent)

    def repeats(self, task: Task) -> int:
        """The same for all."""
        return self.rules.retries

    def posts(self, desk: Desk, agent: Agent) -> bool:
        """Unless it has left; the first time under these rules, its reviews begin."""
        mind = self.mind(agent)
        if mind.outside is not self.rules.outsider:
            self.rules.outsider.settle_in(desk, agent, mind)
        return not mind.away

    def begin(self, desk: Desk, task_id: int, agent: Agent, task: Task) -> None:
        """Starts every part that waits for none."""
        mind = self.mind(agent)
        flow = self.rules.flows[task.intent]
        if flow.whole and not task.context_tokens:
            mind.session = Session()
        session = mind.session if flow.whole else Session()
        progress = Progress(task_id, agent, task, flow, session)
        self.open[task_id] = progress
        progress.pending += 1  # so that it does not end while its parts are being started
        for index in range(len(flow.parts)):
            self._start_if_ready(desk, progress, index)
        progress.pending -= 1
        self._end_if_over(desk, progress)

    # One attempt -----------------------------------------------------------------------------

    def fitting(
        self, desk: Desk, task_id: int, agent: Agent, attempt: int, task: Task, purse_micros: int
    ) -> tuple[Sequence[int], Reason]:
        """What the pool has within the budgets, narrowed to what the agent wants."""
        rules, progress, mind = self.rules, self.open[task_id], self.mind(agent)
        models, reason = desk.pool.fitting(task, agent.group, purse_micros)
        if reason in (Reason.NO_BUDGET, Reason.MAX_PRICE):
            tightest = min([(purse_micros, Reason.NO_BUDGET), *self._budgets(desk, progress)])
            unbound = task._replace(limit_micros=progress.task.limit_micros)
            _, without = desk.pool.fitting(unbound, agent.group, unbound.limit_micros)
            return (), without if without is Reason.MAX_PRICE else tightest[1]
        if reason:
            return (), reason
        if rules.choices:
            changed = partial(desk.note, agent, Decision.SWITCH)
            now = Situation(task, attempt, mind, progress.session, desk.pool, changed)
            for choice in rules.choices:
                models = choice(models, now)
        return models, reason

    def _budgets(self, desk: Desk, progress: Progress) -> Iterator[tuple[int, Reason]]:
        """What is left of the budgets of the task and of the day, where there are such."""
        purse, rules = self.mind(progress.agent).purse, self.rules
        if rules.task_micros is not None:
            yield rules.task_micros - progress.spent_micros, Reason.TASK_BUDGET
        if purse is not None and rules.day_micros is not None:
            # An event may have cut it below what the day has cost already.
            left_micros = rules.day_micros - purse.spent(desk.clock.now)
            yield max(0, left_micros), Reason.DAY_BUDGET

    def _within_budgets(self, desk: Desk, progress: Progress, task: Task) -> Task:
        """What is asked, for no more than what is left of the budgets."""
        for left_micros, _ in self._budgets(desk, progress):
            task = task._replace(limit_micros=min(task.limit_micros, left_micros))
        return task

    def refused(
        self, desk: Desk, task_id: int, agent: Agent, attempt: int, task: Task, reason: Reason
    ) -> None:
        """The end of the task, once nothing of it is under way."""
        progress = self.open[task_id]
        progress.busy[progress.flow.position[task.step]] -= 1
        progress.pending -= 1
        progress.fail(Outcome.FAILED, reason)
        self._end_if_over(desk, progress)

    def made(self, call: Attempt) -> None:
        """Counts it, and its hold against the budgets."""
        progress, purse = self.open[call.task_id], self.mind(call.agent).purse
        progress.calls += 1
        progress.answers += 1
        progress.spent_micros += call.quote_micros
        if purse is not None:
            purse.hold(call.posted_us, call.quote_micros)

    def recall(self, desk: Desk, call: Attempt) -> int:
        """Of what the session repeats, the share that is found in the model's cache."""
        session, keep_us = self.open[call.task_id].session, self.rules.keep_us
        if keep_us is None:
            return 0
        tokens = session.recall(call.model.index, call.task, desk.clock.now, keep_us)
        return tokens * self.rules.reuse_ppm // PPM

    def after(self, desk: Desk, call: Attempt, reason: Reason, charge_micros: int) -> None:
        """Books the charge, learns from what was answered, and goes on."""
        mind, model = self.mind(call.agent), call.model.index
        self._give_back(desk, call, call.quote_micros - charge_micros)
        if reason in ANSWERED:
            mind.beliefs.see(call.task.intent, model, right=reason is Reason.NONE)
        self.rules.outsider.charged(mind, model, charge_micros)
        self._answered(desk, self.open[call.task_id], call.task, reason)

    def _give_back(self, desk: Desk, call: Attempt, back_micros: int) -> None:
        purse = self.mind(call.agent).purse
        self.open[call.task_id].spent_micros -= back_micros
        if purse is not None:
            purse.refund(call.posted_us, desk.clock.now, back_micros)

    def again(self, desk: Desk, call: Attempt) -> Task | None:
        """The same within the budgets, if the task is not given up."""
        progress = self.open[call.task_id]
        if progress.outcome is not None:
            return None
        self._give_back(desk, call, call.quote_micros)
        task = self._within_budgets(desk, progress, call.task)
        self._give_back(desk, call, -call.quote_micros)
        return task

    def lost(self, desk: Desk, call: Attempt) -> None:
        """Neither counts it nor its hold."""
        progress = self.open[call.task_id]
        progress.calls, progress.answers = progress.calls - 1, progress.answers - 1
        self._give_back(desk, call, call.quote_micros)

    def strand(self, desk: Desk, calls: Iterable[Attempt]) -> None:
        """Every task that is open ends so."""
        for task_id, progress in self.open.items():
            agent, made, task = progress.agent, progress.calls, progress.task
            desk.end_task(task_id, agent, made, task, Outcome.OPEN, Reason.INTERRUPTED)
        self.open.clear()

    # The way through the parts ---------------------------------------------------------------

    def _start_if_ready(self, desk: Desk, progress: Progress, index: int) -> None:
        if progress.outcome is not None or not progress.ready(index):
            return
        progress.started[index] = True
        wait_us = progress.flow.wait_us(progress.task, index)
        if wait_us:
            progress.pending += 1
            desk.clock.after(wait_us, self._tools_done, (desk, progress, index))
        else:
            self._ask_all(desk, progress, index)

    def _tools_done(self, what: tuple[Desk, Progress, int]) -> None:
        desk, progress, index = what
        progress.pending -= 1
        if progress.task_id not in self.open:
            return  # the run was interrupted
        if desk.clock.now >= progress.task.deadline_us:
            progress.fail(Outcome.EXPIRED, Reason.TOOLS)
        self._ask_all(desk, progress, index)
        self._end_if_over(desk, progress)

    def _ask_all(self, desk: Desk, progress: Progress, index: int) -> None:
        progress.pending += 1
        for clone in range(progress.flow.parts[index].step.clones):
            self._ask(desk, progress, index, clone)
        progress.pending -= 1

    def _ask(self, desk: Desk, progress: Progress, index: int, clone: int) -> None:
        if progress.outcome is None and self._not_worth_it(desk, progress):
            progress.fail(Outcome.FAILED, Reason.GAVE_UP)
        if progress.outcome is not None:
            return
        attempt, task = progress.next_task(index, clone)
        task = self._within_budgets(desk, progress, task)
        progress.pending += 1
        progress.busy[index] += 1
        mind = self.mind(progress.agent)
        if mind.hosting and mind.host is not None and mind.host.takes(task):
            progress.answers += 1
            own = Own(progress.task_id, progress.agent, attempt, task, desk.clock.now)
            self.rules.outsider.ask(desk, mind, own, partial(self._hosted, desk, progress, task))
        else:
            desk.attempt(progress.task_id, progress.agent, attempt, task)

    def _hosted(self, desk: Desk, progress: Progress, task: Task, reason: Reason) -> None:
        if progress.task_id in self.open:
            self._answered(desk, progress, task, reason)

    def _answered(self, desk: Desk, progress: Progress, task: Task, reason: Reason) -> None:
        index, clone = progress.flow.position[task.step], task.clone
        part = progress.flow.parts[index]
        progress.busy[index] -= 1
        if reason is Reason.NONE:
            progress.left[index] -= 1
            if not progress.left[index]:
                progress.done[index] = True
                for other in part.then:
                    self._start_if_ready(desk, progress, other)
        elif reason is Reason.LATE or desk.clock.now >= progress.task.deadline_us:
            progress.fail(Outcome.EXPIRED, reason)
        elif reason is Reason.BELIEVED:
            progress.fail(Outcome.FAILED, reason)
        elif progress.tries[index][clone] <= part.repeats and not progress.giving[index]:
            self._ask(desk, progress, index, clone)
        elif progress.rounds[index] < part.rounds:
            progress.giving[index] = True
        else:
            progress.fail(Outcome.FAILED, reason)
        if progress.giving[index] and not progress.busy[index]:
            self._go_back(desk, progress, index)
        progress.pending -= 1  # only now, so that what was asked for meanwhile cannot end the task
        self._end_if_over(desk, progress)

    def _go_back(self, desk: Desk, progress: Progress, index: int) -> None:
        part = progress.flow.parts[index]
        progress.giving[index] = False
        progress.rounds[index] += 1
        progress.go_back(part)
        self._start_if_ready(desk, progress, part.back_to)

    def _not_worth_it(self, desk: Desk, progress: Progress) -> bool:
        rules = self.rules
        if rules.give_up_after is not None and progress.asked >= rules.give_up_after:
            return True
        if not rules.beyond_value:
            return False
        task = progress.task
        posted_us = task.posted_us
        worth = rules.worth(
            task.value_micros, desk.clock.now - posted_us, task.deadline_us - posted_us
        )
        return self._cost_to_go(desk, progress, worth) > worth

    def _cost_to_go(self, desk: Desk, progress: Progress, enough_micros: int) -> int:
        """What is left to do is expected to cost; counted up to a little over ``enough``."""
        pool, group = desk.pool, progress.agent.group
        total = 0
        for index, left in enumerate(progress.left):
            for clone in range(left):
                task = progress.peek(index, clone, progress.attempts[index][clone])
                models = pool.serving(group, task.intent)
                costs = pool.expected_costs(task, models)
                scores = pool.scores[task.intent]
                least = min(
                    (cost // max(1, scores[m]) for cost, m in zip(costs, models, strict=True)),
                    default=0,
                )
                total += least
                if total > enough_micros:
                    return total
        return total

    def _end_if_over(self, desk: Desk, progress: Progress) -> None:
        if progress.pending:
            return
        outcome, reason = progress.outcome, progress.reason
        if outcome is None:
            if not progress.all_done:
                return
            outcome = Outcome.SUCCEEDED
        elif outcome is Outcome.FAILED and not progress.answers:
            outcome = Outcome.REJECTED
        self.open.pop(progress.task_id)
        agent, task = progress.agent, progress.task
        desk.end_task(progress.task_id, agent, progress.calls, task, outcome, reason)
        self.rules.outsider.ended(desk, agent, self.mind(agent), outcome, reason)
