"""What a protocol has done that the chain is to show; no import here needs a chain library."""

from dataclasses import dataclass
from typing import NamedTuple


class Enrolled(NamedTuple):
    """A model as the port's registry has it: its name and its canonical intents."""

    model: str
    intents: tuple[str, ...]


class Job(NamedTuple):
    """An on-chain job that is paid.

    Args:
        call_id: of the call that it is, within the run. agent, model: positions in the scenario's
            lists. intent: its name.
        volume: the intent's answers in the window when it was created.
        gross_micros, fee_micros: what it costs, and what the treasury keeps of that.
        answer_hash: of the answer, 32 bytes.
    """

    call_id: int
    agent: int
    model: int
    intent: str
    volume: int
    gross_micros: int
    fee_micros: int
    answer_hash: bytes


class Registered(NamedTuple):
    """A registration of a model's, by its position: since when, and until when, it stands.

    Args:
        registered_us: None for before the run. left_us: None if it stands in the end.
    """

    model: int
    floor_micros: int
    registered_us: int | None
    left_us: int | None


class Epoch(NamedTuple):
    """An epoch that has ended, with the Merkle root of its scores, leaderboard and rewards.

    Args:
        ledger_micros: what agents were charged in it, jobs aside; None where the record does not
            say, because not all of it was paid. ledger_wei: the MACHINA that models bought in it
            with what such calls earned. bought_wei: that, and what jobs' ends bought.
    """

    ended_us: int
    root: bytes
    ledger_micros: int | None = 0
    ledger_wei: int = 0
    bought_wei: int = 0


class Bought(NamedTuple):
    """One swap: when, the model's position, micros of USDC spent, and wei of MACHINA got.

    ``job`` is the position of the job whose end it is; None for a purchase of the model's own.
    """

    time_us: int
    model: int
    micros: int
    wei: int
    job: int | None = None


@dataclass(frozen=True)
class Acts:
    """A protocol's transactions beside the calls', in the order of the run.

    Args:
        miners: all models, in the scenario's order.
        registrations: of those that have canonical intents, in order: ids at the port from 1.
        mints: MACHINA is made by its contract's schedule; else there is none on the chain.
        epochs_before: how many of MACHINA's epochs had ended before the run.
        epoch_s: how long an epoch is, in seconds.
        pool_micros, pool_wei: what the pool starts with of USDC and MACHINA; 0 without a pool.
        epochs: those that have ended, in order.
        bought: in order.
        jobs: those that were paid, in the order in which they were created.
        pool_left: what the pool has in the end, of USDC in micros and of MACHINA in wei.
        given: what each validator, then each author, has in wei at the end.
        treasury_wei, bonds_wei: what the treasury has of MACHINA, and what is bonded.
    """

    miners: tuple[Enrolled, ...]
    registrations: tuple[Registered, ...]
    mints: bool
    epochs_before: int
    epoch_s: int
    pool_micros: int
    pool_wei: int
    epochs: tuple[Epoch, ...]
    bought: tuple[Bought, ...]
    pool_left: tuple[int, int]
    given: tuple[int, ...]
    treasury_wei: int
    bonds_wei: int
    jobs: tuple[Job, ...] = ()
