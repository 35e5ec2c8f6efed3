"""What a node answers, narrowed: no caller of the client handles raw JSON."""

from dataclasses import dataclass
from typing import TypeAlias

from sim.facts import ChainError

Json: TypeAlias = "bool | int | float | str | list[Json] | dict[str, Json] | None"


@dataclass(frozen=True, slots=True)
class Block:
    """A mined block: hashes as 0x hex, ``timestamp`` in unix seconds, gas in gas."""

    number: int
    hash: str
    parent: str
    timestamp: int
    gas_used: int
    base_fee: int
    transactions: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Log:
    """An event as the chain keeps it: topics and data as bytes."""

    block: int
    index: int
    transaction: str
    topics: tuple[bytes, ...]
    data: bytes


@dataclass(frozen=True, slots=True)
class Receipt:
    """What became of a transaction: ``ok`` is false if it reverted."""

    transaction: str
    block: int
    ok: bool
    gas_used: int


def as_object(value: Json) -> dict[str, Json]:
    """The value as an object; raises `ChainError` if the node sent something else."""
    if not isinstance(value, dict):
        raise ChainError(f"the node sent {str(value)[:80]!r} where an object belongs")
    return value


def as_list(value: Json) -> list[Json]:
    """The value as a list; raises `ChainError` if the node sent something else."""
    if not isinstance(value, list):
        raise ChainError(f"the node sent {str(value)[:80]!r} where a list belongs")
    return value


def as_text(value: Json) -> str:
    """The value as text; raises `ChainError` if the node sent something else."""
    if not isinstance(value, str):
        raise ChainError(f"the node sent {str(value)[:80]!r} where text belongs")
    return value


def as_quantity(value: Json) -> int:
    """A 0x quantity as an int; raises `ChainError` if the node sent something else."""
    try:
        return int(as_text(value), 16)
    except ValueError:
        raise ChainError(f"the node sent {str(value)[:80]!r} where a quantity belongs") from None


def as_bytes(value: Json) -> bytes:
    """0x hex as bytes; raises `ChainError` if the node sent something else."""
    try:
        return bytes.fromhex(as_text(value)[2:])
    except ValueError:
        raise ChainError(f"the node sent {str(value)[:80]!r} where bytes belong") from None


def read_block(value: Json) -> Block:
    """A block from what ``eth_getBlockByNumber`` answers without whole transactions."""
    fields = as_object(value)
    return Block(
        number=as_quantity(fields.get("number")),
        hash=as_text(fields.get("hash")),
        parent=as_text(fields.get("parentHash")),
        timestamp=as_quantity(fields.get("timestamp")),
        gas_used=as_quantity(fields.get("gasUsed")),
        base_fee=as_quantity(fields.get("baseFeePerGas", "0x0")),
        transactions=tuple(as_text(item) for item in as_list(fields.get("transactions"))),
    )


def read_log(value: Json) -> Log:
    """An event from what ``eth_getLogs`` answers."""
    fields = as_object(value)
    return Log(
        block=as_quantity(fields.get("blockNumber")),
        index=as_quantity(fields.get("logIndex")),
        transaction=as_text(fields.get("transactionHash")),
        topics=tuple(as_bytes(topic) for topic in as_list(fields.get("topics"))),
        data=as_bytes(fields.get("data")),
    )


def read_receipt(value: Json) -> Receipt:
    """A receipt from what ``eth_getTransactionReceipt`` answers when it is there."""
    fields = as_object(value)
    return Receipt(
        transaction=as_text(fields.get("transactionHash")),
        block=as_quantity(fields.get("blockNumber")),
        ok=as_quantity(fields.get("status")) == 1,
        gas_used=as_quantity(fields.get("gasUsed")),
    )
