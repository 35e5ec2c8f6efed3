"""What a run asks of the chain and what it gets back; no import here needs a chain library."""

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt

from sim.chain.beside import Bonded, Withdrawn
from sim.chain.deployment import Deployment
from sim.chain.proofs import CallProof
from sim.rails import BatchRail, Rail
from sim.units import BytesArray, Int64Array

GENESIS_UNIX = 1_767_225_600  # 2026-01-01T00:00:00Z is simulated time 0
BLOCK_TIME_US = 2_000_000
OWN_ANVIL = "anvil"
TIMEOUT_S = 20.0


@dataclass(frozen=True, slots=True)
class Agent:
    """Who pays: ``deposit_micros`` is paid in before the run.

    ``cap_micros`` is the most that the mandate lets the router spend; the deposit if None.
    """

    name: str
    deposit_micros: int
    max_price_micros: int
    cap_micros: int | None = None


@dataclass(frozen=True, slots=True)
class Resumed:
    """A run that goes on: the contract's count of calls before it, and its first block."""

    first_call: int
    first_block: int


@dataclass(frozen=True)
class ChainSetup:
    """How a run is settled.

    Args:
        agents, models: in the scenario's order; batches refer to positions in these.
        fee_bps: the treasury's share of each charge. rail: how calls are settled.
        directory: the run directory; deployment.json and the transaction file go there.
        backend: "anvil" for a node of our own, or the URL of one that runs.
        deployment: the deployment.json of contracts that are there already.
        genesis_unix: unix seconds of simulated time 0.
        block_time_us: batches that close within one such window share a block.
        emit_events: an event per call (about 1,900 gas each).
        port: where an Anvil of our own listens; any free port if None.
        warp: let the clock of somebody else's Anvil follow simulated time.
        allow_remote: let ``backend`` be another machine.
        timeout_s: how long somebody else's node may take for an answer.
        resumed: where a run began that is to go on; None to begin one.
        bonds_micros: what each model posts before the run; none where it need not.
        performs: whether a protocol's acts come after the calls.
        has_jobs: whether some calls are on-chain jobs, which are among these acts.
        withdraws: whether agents take money back; ``timelock_s`` is how long they wait for it.
    """

    agents: tuple[Agent, ...]
    models: tuple[str, ...]
    fee_bps: int
    directory: Path
    backend: str = OWN_ANVIL
    deployment: Path | None = None
    genesis_unix: int = GENESIS_UNIX
    block_time_us: int = BLOCK_TIME_US
    emit_events: bool = True
    port: int | None = None
    warp: bool = False
    allow_remote: bool = False
    timeout_s: float = TIMEOUT_S
    rail: Rail = field(default_factory=BatchRail)
    resumed: Resumed | None = None
    bonds_micros: tuple[int, ...] = ()
    performs: bool = False
    has_jobs: bool = False
    withdraws: bool = False
    timelock_s: int = 4 * 3_600

    @property
    def has_errands(self) -> bool:
        """Whether money moves beside the calls."""
        return self.withdraws or bool(self.bonds_micros)


@dataclass(frozen=True, slots=True)
class SettledBatch:
    """A batch that was settled, or a part of one too large to be settled at once.

    Args:
        number, closed_us: the batch's own (see `sim.facts.Batch`).
        first: the chain's id of its first call; ``count`` calls follow on.
        total_micros, fees_micros: what the contract charged and kept for the treasury.
        root: 0x hex, empty where the rail keeps none. transaction: 0x hex, the one that ended it.
        transactions: how many it took. block, timestamp: where it landed, in unix seconds.
        gas_used: of all of them.
        unpaid: the chain's ids of calls that their agents could not pay.
    """

    number: int
    closed_us: int
    first: int
    count: int
    total_micros: int
    fees_micros: int
    root: str
    transaction: str
    block: int
    timestamp: int
    gas_used: int
    transactions: int = 1
    unpaid: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Ready:
    """The chain stands and the agents can pay: what was there when the run began.

    Args:
        first_block: the first block of the run, funding included.
        first_call: the contract's ``callCount`` before the run.
        agent_balances, model_earned, fees_micros: before the run's deposits, in micros.
        node_pid: the process of a node of our own. rail: by which calls are settled.
    """

    deployment: Deployment
    url: str
    first_block: int
    first_call: int
    agent_balances: tuple[int, ...]
    model_earned: tuple[int, ...]
    fees_micros: int
    node_pid: int | None
    rail: str = "batch"


@dataclass(frozen=True)
class Settlement:
    """What was settled, so far or in all.

    Args:
        ready: the chain as the run found it, its deployment and URL.
        batches: in the order they were sent.
        head: hash of the last block, 0x hex. last_block: its number.
        seconds: from the start of the settler to the last block.
        errands: how many of the run's errands are done.
    """

    ready: Ready
    batches: tuple[SettledBatch, ...]
    head: str
    last_block: int
    seconds: float
    errands: int = 0

    @property
    def transactions(self) -> int:
        """How many settlement transactions."""
        return sum(batch.transactions for batch in self.batches)

    @property
    def gas_total(self) -> int:
        """The gas of the settlement transactions."""
        return sum(batch.gas_used for batch in self.batches)

    @property
    def calls(self) -> int:
        """How many calls are on the chain, unpaid ones among them."""
        return sum(batch.count for batch in self.batches)

    @property
    def unpaid(self) -> tuple[int, ...]:
        """The chain's ids of the calls that their agents could not pay."""
        return tuple(call for batch in self.batches for call in batch.unpaid)


@dataclass(frozen=True)
class AuditRecord:
    """What a run recorded, to be found on the chain: settled calls as columns of length n.

    Args:
        call_id: ids within the run, in settlement order.
        agent, model: positions in the scenario's lists.
        quote_micros, charge_micros, score_ppm, intent, finished_us: as in the record.
        answer_hash: (n, 32) bytes.
        agent_balance_micros: what each agent's account has after the run, of the run's deposits.
        model_earned_micros: what each model earned in the run, fees taken off.
        fees_micros: what the treasury took in the run.
        refunded_hash: (k, 32) answer hashes of calls that must not be on the chain.
        first_call: the contract's ``callCount`` before the run.
        first_block: the run's first block, before which all belongs to others.
        last_block: the run's last block; None if nobody has used the chain since.
        rail: by which the run settled.
        unpaid: which of the calls their agents could not pay; none if it is left out.
        bonded: what models posted and were slashed; None where they post no bonds.
        withdrawn: what agents asked to have back, and had; None where they do not.
    """

    call_id: Int64Array
    agent: Int64Array
    model: Int64Array
    quote_micros: Int64Array
    charge_micros: Int64Array
    score_ppm: Int64Array
    intent: Int64Array
    finished_us: Int64Array
    answer_hash: BytesArray
    agent_balance_micros: Int64Array
    model_earned_micros: Int64Array
    fees_micros: int
    refunded_hash: BytesArray
    first_call: int = 0
    first_block: int = 0
    last_block: int | None = None
    rail: str = "batch"
    unpaid: npt.NDArray[np.bool_] = field(default_factory=lambda: np.zeros(0, np.bool_))
    bonded: Bonded | None = None
    withdrawn: Withdrawn | None = None

    def __post_init__(self) -> None:
        if len(self.unpaid) != len(self):
            object.__setattr__(self, "unpaid", np.zeros(len(self), np.bool_))

    def __len__(self) -> int:
        return len(self.call_id)


@dataclass(frozen=True, kw_only=True)
class Findings:
    """What any audit finds.

    Args:
        parity: everything agrees.
        difference_micros: the sum of absolute differences of all balances.
        calls_on_chain: how many of the run's calls are on the chain.
        missing: call ids of the record that are not on the chain.
        unexpected: the chain's ids of calls that the record does not know, or knows as refunded.
        differing: call ids that are on the chain with another agent, model, sum, score or time.
        faults: what is wrong in words, the first twenty of them.
        proofs: how many calls were proved to the contract.
        gas_total: of the run's settlement transactions.
        head: hash of the last block. seconds: how long the audit took.
    """

    parity: bool
    difference_micros: int
    calls_on_chain: int
    missing: tuple[int, ...]
    unexpected: tuple[int, ...]
    differing: tuple[int, ...]
    faults: tuple[str, ...]
    proofs: int
    gas_total: int
    head: str
    seconds: float


@dataclass(frozen=True, kw_only=True)
class Audit(Findings):
    """What the audit of a chain finds.

    Args:
        batches: settlement transactions of the run.
        proved: the proofs of the calls that were proved, for others to check.
    """

    batches: int
    proved: tuple[CallProof, ...] = ()

    @property
    def gas_per_call(self) -> float:
        """Gas of the settlement transactions per call on the chain."""
        return self.gas_total / max(1, self.calls_on_chain)
