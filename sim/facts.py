"""The nouns of the sentence as small immutable facts, and the one tree of errors."""

from dataclasses import dataclass
from enum import IntEnum
from typing import NamedTuple

from sim.units import BytesArray, Int64Array


class TelexError(Exception):
    """Everything Telex raises on purpose.

    ``TelexError``
      ``ScenarioError``  bad input: every fault of it at once (exit 2)
      ``ToolError``      a missing tool, an occupied port, a path that cannot be used (exit 2)
      ``ChainError``     a node that refuses, is out of reach, or died (exit 2; 1 in mid-run)
      ``LawError``       a broken law: its name, what was found, what was needed (exit 1)
    """


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault of an input: where (``path``), what was ``found``, what is ``allowed``, a ``hint``.

    ``place`` is the file and line it was written on, where there is one.
    """

    path: str
    found: str
    allowed: str
    hint: str = ""
    place: str = ""

    def __str__(self) -> str:
        tail = f" ({self.hint})" if self.hint else ""
        place = f" [{self.place}]" if self.place else ""
        return f"{self.path}: found {self.found}; allowed: {self.allowed}{tail}{place}"


class ScenarioError(TelexError):
    """Bad input, with all its faults."""

    def __init__(self, faults: tuple[Fault, ...]) -> None:
        self.faults = faults
        super().__init__("\n".join(str(fault) for fault in faults))


class ToolError(TelexError):
    """Something outside the scenario that the run needs is missing or in the way."""


class ChainError(TelexError):
    """The node refused, could not be reached, or answered what it must not."""


class LawError(TelexError):
    """A law is broken: ``law`` names it, ``found`` and ``needed`` are the two sides."""

    def __init__(self, law: str, found: str, needed: str) -> None:
        self.law, self.found, self.needed = law, found, needed
        super().__init__(f"law {law}: found {found}, needed {needed}")


class Status(IntEnum):
    """How a call ended."""

    IN_FLIGHT = 0
    SETTLED = 1
    REFUNDED = 2
    UNPAID = 3


class Outcome(IntEnum):
    """How a task ended."""

    OPEN = 0
    SUCCEEDED = 1
    FAILED = 2
    REJECTED = 3
    EXPIRED = 4


class Reason(IntEnum):
    """Why a call or a task did not end in a success.

    ``BELIEVED`` is a wrong answer that the router's judge took for right, so that there is no other
    attempt; ``DOUBTED`` a right one that it turned away. By the deadline, a ``DEADLINE`` had found
    no free slot, the bid of a ``LOST_BID`` had won none, and the ``TOOLS`` of a task still ran.
    """

    NONE = 0
    WRONG = 1
    LATE = 2
    OUTAGE = 3
    DEADLINE = 4
    NO_MODEL = 5
    MAX_PRICE = 6
    NO_CAPACITY = 7
    NO_BUDGET = 8
    INTERRUPTED = 9
    RESERVE = 10
    DAY_BUDGET = 11
    TASK_BUDGET = 12
    GAVE_UP = 13
    BELIEVED = 14
    DOUBTED = 15
    LOST_BID = 16
    TOOLS = 17


class JobState(IntEnum):
    """Where an on-chain job stands, as the port has it."""

    FUNDED = 0
    TERMINAL = 1
    CANCELLED = 2


class Decision(IntEnum):
    """What an agent decides beside its tasks."""

    SWITCH = 0
    SELF_HOST = 1
    STOP_HOSTING = 2
    LEAVE = 3
    RETURN = 4


class Kind(IntEnum):
    """The kinds of transfer."""

    MINT = 0
    HOLD = 1
    RELEASE = 2
    REFUND = 3
    FEE = 4
    GAS = 5
    SLASH = 6
    SWAP = 7
    WITHDRAWAL = 8


class Task(NamedTuple):
    """What an agent posts, with all its chance already drawn (law 6).

    Args:
        posted_us, deadline_us: when it was posted, and after which an answer is worth nothing.
        intent: position in the scenario's list of intents.
        input_tokens, output_tokens: size of the prompt and of a reference answer to it.
        difficulty: in standard deviations of the reference mix, times 10**6.
        draw: 64 uniform bits from which `sim.chance.mix` makes what is decided per call.
        service: standard normal noise of the service time, times 10**6.
        judgement_ppm: the validators' error on this task, after their median.
        value_micros: worth of a right answer in time. limit_micros: the most a call may cost.
        step, clone: which part of its agent's workflow this is; 0 and 0 for a task as a whole.
        context_tokens: of the prompt, what the session has already said.
    """

    posted_us: int
    deadline_us: int
    intent: int
    input_tokens: int
    output_tokens: int
    difficulty: int
    draw: int
    service: int
    judgement_ppm: int
    value_micros: int
    limit_micros: int
    step: int = 0
    clone: int = 0
    context_tokens: int = 0


class Errand(NamedTuple):
    """Money that moves beside the settled calls, for the chain to be told at its place among them.

    Args:
        number: counts from 0 within a run, in order of time.
        place: how many of the run's settled calls had ended before it.
        time_us: when it happened.
        kind: `Kind.SLASH`, out of the model's bond into the agent's account; `Kind.HOLD`, an agent
            asks for a part of its account, which it has by `Kind.WITHDRAWAL`.
        agent, model: positions in the scenario's lists, -1 for no model. micros: how much.
    """

    number: int
    place: int
    time_us: int
    kind: Kind
    agent: int
    model: int
    micros: int


@dataclass(frozen=True, slots=True)
class Batch:
    """Calls that the rail settles together: columns of length n, in settlement order.

    Args:
        number: counts from 0 within a run.
        closed_us: simulated time at which the rail closed the batch, never falling.
        first: position of its first call in the run's settlement order.
        call_id: ids within the run. agent, model: positions in the scenario's lists.
        quote_micros, charge_micros, fee_micros: what was held, charged, kept by the treasury.
        score_ppm, intent, finished_us: the verdict, the intent's position, when it was answered.
        answer_hash: (n, 32) bytes.
        errands: in order, what comes before one of these calls and after those of the last batch;
            n may be 0 where only errands are left.
    """

    number: int
    closed_us: int
    first: int
    call_id: Int64Array
    agent: Int64Array
    model: Int64Array
    quote_micros: Int64Array
    charge_micros: Int64Array
    fee_micros: Int64Array
    score_ppm: Int64Array
    intent: Int64Array
    finished_us: Int64Array
    answer_hash: BytesArray
    errands: tuple[Errand, ...] = ()

    def __len__(self) -> int:
        return len(self.call_id)
