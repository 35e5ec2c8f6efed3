"""What a settler and its parent tell each other; no import here needs a chain library."""

from dataclasses import dataclass

from sim.chain.settlement import Ready, SettledBatch


@dataclass(frozen=True, slots=True)
class Progress:
    """From the settler: these were settled since the last such message; ``errands`` in all."""

    batches: tuple[SettledBatch, ...]
    head: str
    last_block: int
    seconds: float
    errands: int = 0


@dataclass(frozen=True, slots=True)
class TakenBack:
    """From the settler: what it told of calls from ``first`` on, by the chain's ids, is void."""

    first: int


@dataclass(frozen=True, slots=True)
class Waiting:
    """From the settler: what it waits for, in words for people."""

    words: str


@dataclass(frozen=True, slots=True)
class Failed:
    """From the settler: why it stopped. ``tool`` tells a `ToolError` from a `ChainError`."""

    tool: bool
    message: str


@dataclass(frozen=True, slots=True)
class Finished:
    """From the settler: all that was sent is settled."""


@dataclass(frozen=True, slots=True)
class Stop:
    """To the settler: finish the block in hand; what else was sent is not to be settled."""


@dataclass(frozen=True, slots=True)
class Finish:
    """To the settler: no batch follows."""


Message = Ready | Progress | TakenBack | Waiting | Failed | Finished
