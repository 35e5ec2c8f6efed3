"""Agents' on-chain jobs at the port: paid in for, created, and ended by the authority."""

from collections import Counter
from collections.abc import Iterator
from typing import Final

from sim.chain.accounts import AccountKind, accounts
from sim.chain.acts import Acts, Job
from sim.chain.blocks import Blocks
from sim.chain.contracts import contract, integer, integers
from sim.chain.deployment import Deployment
from sim.chain.local.jobs import OnChainData
from sim.chain.merkle import keccak
from sim.chain.sender import Transaction, Wallets
from sim.protocols import Pricing

JOB_GAS: Final = 3_000_000
NOBODY: Final = "0x" + 40 * "0"
Named = tuple[str, Transaction]
"""A transaction and what it is for."""


class Hiring:
    """A run's jobs as transactions, in the order in which they are to be mined.

    An agent of the simulation is an account and no contract, so that no job has a callback. The
    authority tells the port an intent's volume where that changes the multiplier.
    """

    def __init__(self, blocks: Blocks, deployment: Deployment, acts: Acts, port: str) -> None:
        self._blocks, self._deployment, self._acts = blocks, deployment, acts
        self._port, self._contract, self._ledger = port, contract("Port"), contract("CallLedger")
        self._owed = Counter[int]()
        for job in acts.jobs:
            self._owed[job.agent] += job.gross_micros
        self._agents = accounts(AccountKind.AGENT, max(self._owed, default=-1) + 1)
        self._models = accounts(AccountKind.MODEL, len(acts.miners))
        self._wallets = Wallets(blocks.rpc, self._agents, deployment.chain_id)
        self._tenths: dict[str, int] = {}
        self._created = 0

    def pay_in(self, genesis: int) -> Iterator[tuple[list[Named], int]]:
        """Agents take from the ledger what their jobs cost, and pay it into the port.

        Yields what can be mined together, and when: seconds after ``genesis``, in unix seconds.
        What comes second waits for the timelock of the first, which has to be mined by then.
        """
        if not self._owed:
            return
        place, owed = self._deployment.call_ledger, sorted(self._owed.items())
        asked = [self._ledger.call("idOf", self._agents[agent].address) for agent, _ in owed]
        ids = [integer(view) for view in self._blocks.rpc.views(place, asked)]
        requests = [
            self._ledger.call("requestWithdraw", number, micros)
            for number, (_, micros) in zip(ids, owed, strict=True)
        ]
        yield (
            [
                self._of(agent, f"a withdrawal of {micros} micros", place, data)
                for (agent, micros), data in zip(owed, requests, strict=True)
            ],
            0,
        )
        asked = [self._ledger.call("withdrawal", number) for number in ids]
        unlocked = max(integers(view)[1] for view in self._blocks.rpc.views(place, asked))
        executes = [
            self._of(agent, f"a withdrawal of {micros} micros", place,
                     self._ledger.call("executeWithdraw", number))
            for number, (agent, micros) in zip(ids, owed, strict=True)
        ]  # fmt: skip
        yield executes, unlocked - genesis
        yield [each for pair in owed for each in self._deposit(*pair)], 0

    def _deposit(self, agent: int, micros: int) -> Iterator[Named]:
        approve = contract("USDC").call("approve", self._port, micros)
        yield self._of(agent, "an approval", self._deployment.usdc, approve)
        deposit = self._contract.call("depositUSDC", micros)
        yield self._of(agent, f"a deposit of {micros} micros for jobs", self._port, deposit)

    def work_off(self, position: int) -> Iterator[Named]:
        """Creates all jobs up to this one that are not created yet, and ends it."""
        while self._created <= position:
            yield from self._create(self._acts.jobs[self._created])
            self._created += 1
        job = self._acts.jobs[position]
        end = self._contract.call(
            "transitionToTerminal", position + 1, job.answer_hash,
            self._models[job.model].address, b"", 0, OnChainData(),
        )  # fmt: skip
        yield (
            f"the end of job {position + 1}",
            self._blocks.sender.prepare(self._port, end, JOB_GAS),
        )

    def _create(self, job: Job) -> Iterator[Named]:
        intent = keccak(job.intent.encode())
        tenths = Pricing().multiplier_tenths(job.volume)
        if self._tenths.get(job.intent, Pricing().multiplier_tenths(0)) != tenths:
            tell = self._contract.call("setVolume", intent, job.volume)
            volume = self._blocks.sender.prepare(self._port, tell, JOB_GAS)
            yield f"the volume of {job.intent}", volume
        self._tenths[job.intent] = tenths
        question = OnChainData(integers=(job.call_id,))
        data = self._contract.call("createJob", intent, question, NOBODY)
        yield self._of(job.agent, f"the job of call {job.call_id}", self._port, data)

    def _of(self, agent: int, name: str, place: str, data: bytes) -> Named:
        return name, self._wallets.prepare(agent, place, data, JOB_GAS)
