"""Telegraph's jobs as their settlement authority meets them: read, and ended, on a Port."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from eth_abi.abi import decode, encode
from eth_abi.exceptions import DecodingError

from sim.chain.accounts import Account
from sim.chain.answers import Json, Log, as_bytes, as_list, as_object, as_text
from sim.chain.contracts import SELECTOR_BYTES, contract, integer
from sim.chain.local.work import GAS
from sim.chain.merkle import keccak
from sim.chain.rpc import RefusedError, Rpc
from sim.chain.sender import Sender

FUNDED = 0
DATA = "(address[],uint256[],string[],bool[])"
JOB = "(address,bytes32,address,uint256,uint256,uint256,uint8,uint256)"
SIGNAL = ("uint256", "bytes32", DATA, "address", DATA)
TRACER = {"tracer": "callTracer"}


class OnChainData(NamedTuple):
    """What goes into a job, and what comes out of it."""

    addresses: tuple[str, ...] = ()
    integers: tuple[int, ...] = ()
    strings: tuple[str, ...] = ()
    bools: tuple[bool, ...] = ()


@dataclass(frozen=True, slots=True)
class Funded:
    """A job that waits for its answer; ``budget_micros`` is what its agent paid."""

    number: int
    agent: str
    intent: bytes
    budget_micros: int
    question: OnChainData


@dataclass(frozen=True, slots=True)
class Settling:
    """A job whose answer is on its way to the chain."""

    number: int
    transaction: str


class Jobs:
    """The jobs of one Port, for its settlement authority."""

    def __init__(self, rpc: Rpc, port: str, authority: Account) -> None:
        self.rpc, self.port, self._authority = rpc, port, authority
        self._interface = contract("Port")
        self._sender = Sender(rpc, authority, rpc.quantity("eth_chainId"), free=True)

    @property
    def under_way(self) -> bool:
        """Whether transactions of the authority's wait to be mined, whoever has sent them."""
        return self._sender.landed() < self._sender.landed("pending")

    def is_authority(self) -> bool:
        """Whether the port takes answers from this account."""
        answer = self.rpc.view(self.port, self._interface.call("settlementAuthority"))
        return answer[12:].hex() == self._authority.address[2:].lower()

    def count(self) -> int:
        """How many jobs there are: the highest number."""
        return integer(self.rpc.view(self.port, self._interface.call("jobCount")))

    def created(self, first: int, last: int) -> Iterator[Funded]:
        """The jobs opened in blocks first to last that still wait, in order."""
        logs = self.rpc.logs(self.port, [self._interface.topic("JobCreated")], first, last)
        by_transaction: dict[str, list[Log]] = {}
        for log in logs:
            by_transaction.setdefault(log.transaction, []).append(log)
        for transaction, opened in by_transaction.items():
            waiting = [int.from_bytes(log.topics[1], "big") for log in opened]
            jobs = [(place, found) for place, n in enumerate(waiting) if (found := self.funded(n))]
            questions = self._questions(transaction) if jobs else []
            for place, job in jobs:
                question = questions[place] if place < len(questions) else OnChainData()
                yield Funded(job.number, job.agent, job.intent, job.budget_micros, question)

    def funded(self, number: int) -> Funded | None:
        """A job if it still waits, without its question."""
        answer = self.rpc.view(self.port, self._interface.call("getJob", number))
        ((agent, intent, _, budget, _, _, state, _),) = decode((JOB,), answer)
        if state != FUNDED or int(str(agent), 16) == 0:
            return None
        return Funded(number, str(agent), bytes(intent), int(budget), OnChainData())

    def settle(self, job: Funded, miner: str, answer: OnChainData) -> Settling:
        """Sends a job's answer.

        Raises `RefusedError`, with nothing sent, if the port would not take it: the job was
        cancelled, or has an answer.
        """
        call = self._interface.call(
            "transitionToTerminal",
            job.number, signal(job, miner, answer), miner, b"", 0, answer,
        )  # fmt: skip
        asked: Json = {"from": self._authority.address, "to": self.port, "data": "0x" + call.hex()}
        self.rpc.call("eth_call", asked, "latest")
        self._sender.nonce = self._sender.landed("pending")  # a chain can be turned back
        ready = self._sender.prepare(self.port, call, GAS)
        self._sender.send([ready])
        return Settling(job.number, ready.hash)

    def ended(self, settling: Settling) -> bool | None:
        """Whether an answer was taken; None while it is not mined."""
        receipt = self.rpc.call("eth_getTransactionReceipt", settling.transaction)
        return None if receipt is None else as_object(receipt).get("status") == "0x1"

    def knows(self, settling: Settling) -> bool:
        """Whether the chain has an answer, mined or waiting: a reorganisation can take both."""
        return self.rpc.call("eth_getTransactionByHash", settling.transaction) is not None

    def _questions(self, transaction: str) -> list[OnChainData]:
        """What was asked in a transaction's calls of createJob, in order."""
        sent = as_object(self.rpc.call("eth_getTransactionByHash", transaction))
        if as_text(sent.get("to") or "").lower() == self.port.lower():
            calls = [as_bytes(sent.get("input"))]
        else:
            calls = self._traced(transaction)
        return [found for call in calls if (found := self._question(call)) is not None]

    def _traced(self, transaction: str) -> list[bytes]:
        """The port's calldata in a transaction that reached it by way of another contract."""
        try:
            trace = self.rpc.call("debug_traceTransaction", transaction, dict(TRACER))
        except RefusedError:
            return []  # a node that does not trace: the question stays unknown
        return [data for to, data in _calls(as_object(trace)) if to == self.port.lower()]

    def _question(self, call: bytes) -> OnChainData | None:
        entry = self._interface.functions["createJob"]
        if call[:SELECTOR_BYTES] != entry.key:
            return None
        try:
            _, question, _ = decode(entry.inputs, call[SELECTOR_BYTES:])
        except (DecodingError, UnicodeDecodeError, OverflowError):
            return OnChainData()
        return OnChainData(*(tuple(part) for part in question))


def signal(job: Funded, miner: str, answer: OnChainData) -> bytes:
    """The hash that commits to request and answer together.

    keccak256(abi.encode(jobId, intentId, params, miner, response)): anyone can derive it again from
    the calldata of createJob and of transitionToTerminal.
    """
    return keccak(encode(SIGNAL, (job.number, job.intent, job.question, miner, answer)))


def _calls(frame: dict[str, Json]) -> Iterator[tuple[str, bytes]]:
    """Every call within a trace that did not fail: whom, and its calldata."""
    if frame.get("error"):
        return
    yield as_text(frame.get("to") or "").lower(), as_bytes(frame.get("input") or "0x")
    for inner in as_list(frame.get("calls") or []):
        yield from _calls(as_object(inner))
