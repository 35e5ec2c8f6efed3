"""What happened on a CallLedger, from chain data alone: its events and the batches in calldata."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from sim.chain.answers import Block, Json, Log, as_bytes, as_object, as_text, read_block
from sim.chain.contracts import contract, integers
from sim.chain.deployment import Deployment
from sim.chain.pack import Records, unpack, unpack_one
from sim.chain.rpc import Request, Rpc
from sim.facts import ChainError

EVENTS = (
    "Registered", "Deposited", "MandateSet", "BatchSettled", "Claimed", "FeesClaimed",
    "WithdrawRequested", "Withdrawn",
)  # fmt: skip
SETTLING: dict[str, Callable[[bytes], Records]] = {"settleBatch": unpack, "deduct": unpack_one}
BLOCKS_PER_QUERY = 5_000
BATCHES_PER_FETCH = 8


@dataclass(frozen=True, slots=True)
class Event:
    """An event by name: ``indexed`` and ``values`` are its fields as ints, in order."""

    name: str
    block: int
    transaction: str
    indexed: tuple[int, ...]
    values: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class SettledRecords:
    """A batch as the chain has it: its event, its calldata and its block.

    Args:
        batch_id, first, count, root, total_micros, fees_micros: of the event BatchSettled.
        records: what the transaction's calldata says.
        timestamp: of the block, in unix seconds. gas_used: of the transaction.
    """

    batch_id: int
    first: int
    count: int
    root: bytes
    total_micros: int
    fees_micros: int
    records: Records
    block: int
    timestamp: int
    gas_used: int


def history(rpc: Rpc, deployment: Deployment, last: int) -> Iterator[Event | SettledRecords]:
    """All of a deployment's events up to a block, in order, each batch with its calldata.

    Raises `ChainError` if the node cannot be reached, or its answers contradict each other.
    """
    ledger = contract("CallLedger")
    names = {ledger.topic(name): name for name in EVENTS}
    waiting: list[Event] = []
    for start in range(deployment.deploy_block, last + 1, BLOCKS_PER_QUERY):
        end = min(last, start + BLOCKS_PER_QUERY - 1)
        for log in rpc.logs(deployment.call_ledger, list(names), start, end):
            event = _event(names[log.topics[0]], log)
            settles = event.name == "BatchSettled"
            if waiting and (not settles or len(waiting) == BATCHES_PER_FETCH):
                yield from _fetch(rpc, deployment, waiting)
                waiting = []
            if settles:
                waiting.append(event)
            else:
                yield event
    yield from _fetch(rpc, deployment, waiting)


def _event(name: str, log: Log) -> Event:
    indexed = tuple(int.from_bytes(topic, "big") for topic in log.topics[1:])
    return Event(name, log.block, log.transaction, indexed, tuple(integers(log.data)))


def _fetch(rpc: Rpc, deployment: Deployment, events: Sequence[Event]) -> Iterator[SettledRecords]:
    asked: list[Request] = []
    for event in events:
        asked.append(("eth_getTransactionByHash", [event.transaction]))
        asked.append(("eth_getBlockByNumber", [hex(event.block), False]))
    answers = rpc.batch(asked)
    for event, transaction, header in zip(events, answers[::2], answers[1::2], strict=True):
        block = read_block(header)
        first, count, root, total, fees = event.values
        records = _records(transaction, deployment)
        if (records.first, len(records)) != (first, count):
            raise ChainError(
                f"batch {event.indexed[0]} of the chain: its event has {count} calls from {first}, "
                f"its calldata {len(records)} from {records.first}"
            )
        yield SettledRecords(
            batch_id=event.indexed[0],
            first=first,
            count=count,
            root=root.to_bytes(32, "big"),
            total_micros=total,
            fees_micros=fees,
            records=records,
            block=event.block,
            timestamp=block.timestamp,
            gas_used=_gas(rpc, block, event.transaction),
        )


def _records(transaction: Json, deployment: Deployment) -> Records:
    """What the transaction's calldata settles: a batch, or one call by itself."""
    fields = as_object(transaction)
    data, to = as_bytes(fields.get("input")), as_text(fields.get("to"))
    if to.lower() == deployment.call_ledger.lower():
        for name, read in SETTLING.items():
            if data.startswith(contract("CallLedger").selector(name)):
                return read(data)
    names = " or ".join(SETTLING)
    raise ChainError(f"{fields.get('hash')} settled a batch, but is no call of {names}")


def _gas(rpc: Rpc, block: Block, transaction: str) -> int:
    if len(block.transactions) == 1:
        return block.gas_used
    return rpc.receipt(transaction).gas_used
