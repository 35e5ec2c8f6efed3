"""A case: parameters, the known answers that follow from them, and how to observe each in a run."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal, NamedTuple, TypeAlias

from pydantic import Field

from sim.parameters import Parameters

Binding: TypeAlias = Literal["equal", "exact", "at most", "at least"]
Load = Annotated[float, Field(gt=0, le=0.99)]
Tasks = Annotated[int, Field(ge=100, le=10**7)]
Controls: TypeAlias = dict[str, float]
UNNAMED = ("kind", "tasks")


@dataclass(frozen=True)
class Known:
    """A known answer: of which quantity, by which formula, and its value at the case's parameters.

    ``binding``: the mean of the replications is ``equal`` to it within its interval, or ``at most``
    or ``at least`` it; or every replication is ``exact``, to the last unit. What is found may be
    rounded to a ``unit``, as prices are to the micro.
    """

    quantity: str
    formula: str
    truth: float
    binding: Binding = "equal"
    unit: float = 0.0


class Found(NamedTuple):
    """What one replication found.

    Args:
        values: for each known answer, in their order.
        controls: what chance has done to this replication, by name, with known means of zero: by
            them the verdict takes out of the values what is mere chance (control variates).
    """

    values: list[float]
    controls: Controls = {}


class Case(Parameters, ABC):
    """A question with known answers, asked of the same world as any scenario.

    A subclass has a ``kind``, the parameters that its formulas are about and, as a rule, ``tasks``:
    how many are posted in one replication. ``repeats`` is how many of these suffice where a case
    leaves nothing to chance.
    """

    repeats: ClassVar[int | None] = None

    @property
    def title(self) -> str:
        """Its kind and parameters, as ``erlang-c servers=5 load=0.8``."""
        named = {name: part for name, part in self if name not in UNNAMED and part is not None}
        words = (f"{name}={_word(part)}" for name, part in named.items())
        return " ".join((self.name, *words))

    @property
    def name(self) -> str:
        """Its kind."""
        return str(type(self).model_fields["kind"].default)

    def replications(self, reps: int) -> int:
        """How many are run where ``reps`` are asked for."""
        return reps if self.repeats is None else min(reps, self.repeats)

    @abstractmethod
    def known(self) -> list[Known]:
        """The known answers, computed from the parameters."""

    @abstractmethod
    def observe(self, seed: int) -> Found:
        """One replication.

        Raises `LawError` if a run breaks a law.
        """


def _word(part: object) -> str:
    if isinstance(part, tuple):
        return "/".join(_word(each) for each in part)
    return f"{part:g}" if isinstance(part, float) else str(part)
