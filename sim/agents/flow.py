"""Flows: a demand's workflow as positions, and every part of a task derived from its own draw."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sim.agents.demand import TOKENS_MAX
from sim.chance import key, mix, normal
from sim.facts import Task
from sim.graphs import workflows
from sim.scenario.conduct import Session
from sim.scenario.demand import Demand, Size, Step, Wait
from sim.scenario.schema import Group, Scenario
from sim.units import PPM, US_PER_S

INPUT, OUTPUT, HARDNESS, SERVICE, WAIT = (
    key(f"step/{purpose}") for purpose in ("input", "output", "difficulty", "service", "wait")
)
LOG_TOKENS_MAX = math.log(TOKENS_MAX)
WAIT_MAX_US = 10**15


@dataclass(frozen=True, slots=True)
class Part:
    """One step of a flow; other parts by their position in it.

    Args:
        code: the step's position in the record's names. intent: None for the task's own.
        before, then: the parts it waits for, and those that wait for it. ancestors: all before it.
        back: the parts between which and itself are done again, itself too, at most ``rounds``
            times. repeats: how often an answer is asked for again.
    """

    step: Step
    code: int
    key: int
    intent: int | None
    before: tuple[int, ...]
    then: tuple[int, ...]
    ancestors: tuple[int, ...]
    repeats: int
    back: tuple[int, ...] = ()
    back_to: int = 0
    rounds: int = 0


class Flow:
    """What a task of one demand takes: its parts, each after those it waits for.

    Without a workflow there is one part, and its task is the task itself.
    """

    def __init__(self, parts: tuple[Part, ...], session: Session | None, *, whole: bool) -> None:
        self.parts, self.whole = parts, whole
        self.context_max = session.context_max_tokens if session else 0
        self.answers = sum(part.step.clones for part in parts)
        self.position = {part.code: index for index, part in enumerate(parts)}

    def task_of(self, task: Task, index: int, clone: int, attempt: int, context: int) -> Task:
        """What is asked at an attempt: a pure function of the task's own draws.

        Args:
            context: the part's own, of `context_of`; each failed answer adds a reference's length.
        """
        if self.whole:
            return task
        part = self.parts[index]
        fresh, output = self._sizes(task, part, clone)
        if context or attempt:
            context = min(self.context_max, context + attempt * output)
        draw = mix(task.draw, part.key, clone)
        harder = part.step.extra_difficulty
        spread = harder.sigma * normal(mix(draw, HARDNESS, 0)) if harder.sigma else 0.0
        return Task(
            task.posted_us,
            task.deadline_us,
            task.intent if part.intent is None else part.intent,
            fresh + context,
            output,
            task.difficulty + round((harder.mean + spread) * PPM),
            draw,
            round(normal(mix(draw, SERVICE, 0)) * PPM),
            task.judgement_ppm,
            task.value_micros // self.answers,
            task.limit_micros,
            part.code,
            clone,
            context,
        )

    def context_of(self, task: Task, index: int) -> int:
        """The tokens said before a part starts: its ancestors' prompts and reference answers.

        Of clones, which share a prompt, the prompt of the first and the answers of all.
        """
        if not self.context_max:
            return 0
        total = 0
        for ancestor in self.parts[index].ancestors:
            part = self.parts[ancestor]
            sizes = [self._sizes(task, part, clone) for clone in range(part.step.clones)]
            total += sizes[0][0] + sum(output for _, output in sizes)
        return min(self.context_max, total)

    def wait_us(self, task: Task, index: int) -> int:
        """How long tools run before a part starts."""
        part = self.parts[index]
        wait = part.step.tool_wait_s
        return _wait_us(wait, mix(mix(task.draw, part.key, 0), WAIT, 0)) if wait else 0

    def _sizes(self, task: Task, part: Part, clone: int) -> tuple[int, int]:
        draw = mix(task.draw, part.key, clone)
        return (
            _tokens(part.step.input_tokens, draw, INPUT) or task.input_tokens,
            _tokens(part.step.output_tokens, draw, OUTPUT) or task.output_tokens,
        )


def _tokens(size: Size | None, draw: int, purpose: int) -> int:
    """A lognormal size, at least 1; 0 where there is none."""
    if size is None:
        return 0
    variate = size.sigma * normal(mix(draw, purpose, 0)) if size.sigma else 0.0
    return max(1, round(math.exp(min(math.log(size.median) + variate, LOG_TOKENS_MAX))))


def _wait_us(wait: Wait, bits: int) -> int:
    variate = wait.sigma * normal(bits) if wait.sigma else 0.0
    return min(WAIT_MAX_US, round(wait.median_s * math.exp(variate) * US_PER_S))


def flows_of(scenario: Scenario, group: Group, step_names: Sequence[str]) -> dict[int, Flow]:
    """The flow of each of a group's intents, by the intent's position.

    Args:
        step_names: the record's, of all phases.
    """
    intents = {name: index for index, name in enumerate(scenario.intents)}
    codes = {name: index for index, name in enumerate(step_names)}
    return {
        intents[name]: _flow(demand, group.retries, group.session, codes, intents)
        for name, demand in group.intents.items()
    }


def flow_terms(group: Group) -> tuple[object, ...]:
    """What of a group its flows follow from: where two are equal, so are the flows."""
    flows = {name: demand.workflow for name, demand in group.intents.items()}
    return group.retries, group.session, flows


def _flow(
    demand: Demand, retries: int, session: Session | None, codes: Mapping[str, int],
    intents: Mapping[str, int],
) -> Flow:  # fmt: skip
    """The flow of a demand.

    Args:
        codes: the record's names of steps. intents: the scenario's. Both by position.
    """
    steps = demand.workflow
    if not steps:
        return Flow((Part(Step(), 0, 0, None, (), (), (), retries),), session, whole=True)
    after = {name: step.after for name, step in steps.items()}
    order = workflows.in_order(after)
    place = {name: index for index, name in enumerate(order)}

    def part(name: str) -> Part:
        step, revise = steps[name], steps[name].revise
        back = workflows.between(after, revise.back_to, name) if revise else ()
        return Part(
            step=step,
            code=codes[name],
            key=key(f"step/{name}"),
            intent=None if step.intent is None else intents[step.intent],
            before=tuple(sorted(place[other] for other in step.after)),
            then=tuple(sorted(place[other] for other in order if name in steps[other].after)),
            ancestors=tuple(sorted(place[other] for other in workflows.before(after, name))),
            repeats=retries if step.repeats is None else step.repeats,
            back=tuple(sorted(place[other] for other in back)),
            back_to=place[revise.back_to] if revise else 0,
            rounds=revise.at_most if revise else 0,
        )

    return Flow(tuple(part(name) for name in order), session, whole=False)
