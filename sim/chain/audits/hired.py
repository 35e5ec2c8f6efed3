"""The audit of on-chain jobs: the port's events and books, and whose each swap was, one by one."""

from collections.abc import Iterator, Sequence
from typing import Final

from sim.chain.accounts import Account, AccountKind, accounts
from sim.chain.acts import Acts, Job
from sim.chain.audits.events import Seen, Source, events
from sim.chain.contracts import contract, integer, integers
from sim.chain.deployment import Deployment
from sim.chain.hiring import NOBODY
from sim.chain.merkle import keccak
from sim.chain.rpc import Rpc

Accounts = tuple[Account, ...]
Row = tuple[int, ...]
STEPS: Final = ("JobCreated", "JobTerminal", "JobCancelled")
TERMINAL: Final = 1


def job_faults(rpc: Rpc, deployment: Deployment, acts: Acts, last: int) -> list[str]:
    """Everything in which the port's jobs or the pool's swaps differ from the record, in words.

    What others do at the port after block ``last``, a run's last one, is none of it.
    """

    def seen(name: str, place: str, names: tuple[str, ...]) -> list[Seen]:
        source = Source(name, place, names)
        return list(events(rpc, (source,), deployment.deploy_block, last))

    def moved(token: str, place: str, giver: str) -> list[Seen]:
        return [e for e in seen(token, place, ("Transfer",)) if e.indexed[0] == int(giver, 16)]

    steps = seen("Port", deployment.port, STEPS)
    pool = deployment.uniswap_pool
    swaps = moved("MACHINA", deployment.machina, pool) if pool else []
    paid = moved("USDC", deployment.usdc, deployment.port) if acts.jobs else []
    agents = accounts(AccountKind.AGENT, max((job.agent for job in acts.jobs), default=-1) + 1)
    return [
        *_steps(acts, steps, agents),
        *_swaps(acts, swaps, steps),
        *_payments(deployment, acts, paid),
        *_books(rpc, deployment, acts, agents),
    ]


def _payments(deployment: Deployment, acts: Acts, paid: list[Seen]) -> Iterator[str]:
    """What the port pays out, job by job: the fee to the treasury, the rest to the pool.

    Epochs pay the treasury nothing, because they deduct no deliveries.
    """
    treasury, pool = int(deployment.treasury, 16), int(deployment.uniswap_pool or NOBODY, 16)
    needed = [
        payment
        for bought in acts.bought
        if bought.job is not None
        for payment in (
            (treasury, acts.jobs[bought.job].fee_micros),
            (pool, bought.micros),
        )
    ]
    found = [(each.indexed[1], each.values[0]) for each in paid if each.values[0]]
    yield from _unlike("payments by the port", needed, found)


def _steps(acts: Acts, steps: list[Seen], agents: Accounts) -> Iterator[str]:
    """Each job created once, by its agent, in order; ended once; and none cancelled."""
    found = {
        name: [(*each.indexed, *each.values) for each in steps if each.name == name]
        for name in STEPS
    }
    created = [
        (at, int(agents[job.agent].address, 16), int.from_bytes(keccak(job.intent.encode())), 0)
        for at, job in enumerate(acts.jobs, 1)
    ]
    ended = [
        (bought.job + 1, acts.jobs[bought.job].fee_micros, bought.micros)
        for bought in acts.bought
        if bought.job is not None
    ]
    yield from _unlike("jobs created", created, found["JobCreated"])
    yield from _unlike("jobs ended", ended, found["JobTerminal"])
    yield from _unlike("jobs cancelled", [], found["JobCancelled"])


def _unlike(what: str, needed: Sequence[Row], found: Sequence[Row]) -> Iterator[str]:
    """The first row that differs, and how many there are."""
    if len(found) != len(needed):
        yield f"{what}: {len(found)} on the chain, {len(needed)} in the record"
    for one, other in zip(found, needed, strict=False):
        if one != other:
            yield f"{what}: {one} on the chain, {other} in the record"
            return


def _swaps(acts: Acts, swaps: list[Seen], steps: list[Seen]) -> Iterator[str]:
    """What the pool gave, swap by swap; and a job's within the transaction that ended it."""
    models = accounts(AccountKind.MODEL, len(acts.miners))
    gave = [bought for bought in acts.bought if bought.wei]
    needed = [(int(models[each.model].address, 16), each.wei) for each in gave]
    yield from _unlike("swaps for MACHINA", needed, [(e.indexed[1], e.values[0]) for e in swaps])
    ended = {e.indexed[0]: e.transaction for e in steps if e.name == "JobTerminal"}
    for bought, each in zip(gave, swaps, strict=False):
        if bought.job is not None and ended.get(bought.job + 1) != each.transaction:
            yield f"job {bought.job + 1} did not buy what the record says that it did"


def _books(rpc: Rpc, deployment: Deployment, acts: Acts, agents: Accounts) -> Iterator[str]:
    """What the port keeps of each job, and that it keeps no money of these agents."""
    port = contract("Port")
    numbers = range(1, len(acts.jobs) + 1)
    kept = rpc.views(deployment.port, [port.call("getJob", number) for number in numbers])
    outputs = rpc.views(deployment.port, [port.call("getJobOutput", number) for number in numbers])
    for number, job, words, output in zip(numbers, acts.jobs, kept, outputs, strict=True):
        if integers(words)[:-1] != _kept(job, agents[job.agent]):
            yield f"job {number}: the port has {integers(words)[:-1]} of call {job.call_id}"
        if output != job.answer_hash:
            needed = job.answer_hash.hex()
            yield f"job {number} has the output {output.hex()}, {needed} by the record"
    asked = [port.call("escrowBalance", agent.address) for agent in agents]
    left = sum(map(integer, rpc.views(deployment.port, asked)))
    if left:
        yield f"{left} micros of the run's agents in the port's escrow, 0 in the record"


def _kept(job: Job, agent: Account) -> list[int]:
    """A job as the port has it once it has ended, but for the time at which it was created."""
    return [
        int(agent.address, 16), int.from_bytes(keccak(job.intent.encode())), 0, job.gross_micros,
        job.gross_micros - job.fee_micros, job.fee_micros, TERMINAL,
    ]  # fmt: skip
