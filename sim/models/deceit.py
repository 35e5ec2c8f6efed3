"""Deceit: what dishonest models do to their answers, so that the record can show it."""

from typing import Protocol

from sim.chance import below, key, mix
from sim.facts import Task
from sim.models.answer import Answer
from sim.scenario.honesty import Honest, Honesty, Inflation
from sim.units import PPM, ppm_nearest


class Answerer(Protocol):
    """A model that can be asked in another's name."""

    def answer(self, task: Task, attempt: int, warm_tokens: int = 0) -> Answer:
        """Its answer to a task at an attempt."""
        ...

    def reference_ppm(self, intent: int) -> int:
        """The share of the reference mix that it solves, in ppm."""
        ...


class Inflated:
    """Bills more output tokens than were made."""

    def __init__(self, rule: Inflation) -> None:
        self.factor_ppm = ppm_nearest(rule.factor)

    def told(self, answer: Answer, task: Task, attempt: int) -> Answer:
        """The answer as it is billed."""
        del task, attempt
        return answer._replace(output_tokens=-(-answer.produced_tokens * self.factor_ppm // PPM))


class Substituted:
    """Has a share of the calls answered by ``other``, which is set once the pool is there."""

    other: Answerer

    def __init__(self, model_id: str, share: float) -> None:
        self.key, self.share_ppm = key(f"model/{model_id}/substitution"), ppm_nearest(share)

    def told(self, answer: Answer, task: Task, attempt: int) -> Answer:
        """The answer, or the other's in its place, billed with this one's cache."""
        if below(mix(task.draw, self.key, attempt), PPM) >= self.share_ppm:
            return answer
        return self.other.answer(task, attempt)._replace(cached_tokens=answer.cached_tokens)

    def reference_ppm(self, intent: int, own_ppm: int) -> int:
        """The share of the reference mix that is solved in the model's name, in ppm."""
        other_ppm = self.other.reference_ppm(intent)
        return (own_ppm * (PPM - self.share_ppm) + other_ppm * self.share_ppm) // PPM


def deceit_of(model_id: str, honesty: Honesty) -> Inflated | Substituted | None:
    """What a model does to its answers; None if it is honest."""
    if isinstance(honesty, Honest):
        return None
    if isinstance(honesty, Inflation):
        return Inflated(honesty)
    return Substituted(model_id, honesty.share)
