"""Batches as CallLedger takes them: columns packed into 64-byte records, and read back again.

A record is ``head`` and ``answerHash``. ``head``, from its least significant bit: agent index 16,
model index 16, quote 48, charge 48, score ppm 24, intent 16, finished us 64, flags 24. All of it is
NumPy on whole columns; nothing here takes a step per call.
"""

from dataclasses import dataclass, fields, replace

import numpy as np
import numpy.typing as npt

from sim.chain.merkle import WORD, words
from sim.facts import Batch, ChainError
from sim.units import BytesArray, Int64Array

UInt64Array = npt.NDArray[np.uint64]

EMIT_FLAG = 1
RECORD_BYTES = 64
SELECTOR_BYTES = 4
ARGUMENTS = 4
# What a batch costs at most, in gas: fixed, per call, per call with an event, per distinct account.
GAS_FIXED = 150_000
GAS_PER_CALL = 3_200
GAS_PER_EVENT = 2_100
GAS_PER_ACCOUNT = 10_500
GAS_LIMIT = 16_700_000

_LIMITS = {
    "quote_micros": 48,
    "charge_micros": 48,
    "score_ppm": 24,
    "intent": 16,
    "finished_us": 63,
}


@dataclass(frozen=True, slots=True)
class Records:
    """Calls as they stand in calldata; ids are the chain's, sums in micros, times in us.

    ``heads`` and ``answers`` are (n, 32) bytes, the rest columns of length n.
    """

    first: int
    agent_ids: Int64Array
    model_ids: Int64Array
    quote_micros: Int64Array
    charge_micros: Int64Array
    score_ppm: Int64Array
    intent: Int64Array
    finished_us: Int64Array
    flags: Int64Array
    heads: BytesArray
    answers: BytesArray

    def __len__(self) -> int:
        return len(self.agent_ids)


@dataclass(frozen=True, slots=True)
class Packed:
    """The arguments of one ``settleBatch``, but for ``first``; sums in micros."""

    agents: Int64Array
    models: Int64Array
    records: bytes
    count: int
    total_micros: int
    fees_micros: int

    def calldata(self, selector: bytes, first: int) -> bytes:
        """The ABI encoding of ``settleBatch(first, agents, models, records)``."""
        agents_at = ARGUMENTS * WORD
        models_at = agents_at + (1 + len(self.agents)) * WORD
        records_at = models_at + (1 + len(self.models)) * WORD
        head = words(np.array([first, agents_at, models_at, records_at], dtype=np.int64))
        sizes = words(np.array([len(self.agents), len(self.models), len(self.records)]))
        return b"".join(
            (
                selector,
                head.tobytes(),
                sizes[0].tobytes(),
                words(self.agents).tobytes(),
                sizes[1].tobytes(),
                words(self.models).tobytes(),
                sizes[2].tobytes(),
                self.records,
            )
        )


def split(batch: Batch, emit_events: bool, gas_limit: int = GAS_LIMIT) -> list[slice]:
    """The parts of a batch that each fit into a transaction of ``gas_limit``, in order."""
    per_call = GAS_PER_CALL + (GAS_PER_EVENT if emit_events else 0)
    parts, start, count = [], 0, len(batch)
    while start < count:
        new = _is_first(batch.agent[start:]).astype(np.int64) + _is_first(batch.model[start:])
        gas = GAS_FIXED + per_call * np.arange(1, len(new) + 1) + GAS_PER_ACCOUNT * np.cumsum(new)
        fitting = max(1, int(np.searchsorted(gas, gas_limit, side="right")))
        parts.append(slice(start, start + fitting))
        start += fitting
    return parts


def _is_first(values: Int64Array) -> npt.NDArray[np.bool_]:
    """Which positions hold a value that no earlier one holds."""
    marks = np.zeros(len(values), dtype=np.bool_)
    marks[np.unique(values, return_index=True)[1]] = True
    return marks


def pack(
    batch: Batch, part: slice, agent_ids: Int64Array, model_ids: Int64Array, emit_events: bool
) -> Packed:
    """Part of a batch as the arguments of a transaction.

    Args:
        agent_ids, model_ids: the chain's ids, by position in the scenario's lists.

    Raises:
        ChainError: a number of the batch does not fit into its field.
    """
    calls = cut(batch, part)
    agents, agent = np.unique(agent_ids[calls.agent], return_inverse=True)
    models, model = np.unique(model_ids[calls.model], return_inverse=True)
    return Packed(
        agents=agents,
        models=models,
        records=record_table(calls, agent, model, emit_events).tobytes(),
        count=len(calls),
        total_micros=int(calls.charge_micros.sum()),
        fees_micros=int(calls.fee_micros.sum()),
    )


def cut(batch: Batch, rows: slice) -> Batch:
    """Some of a batch's calls, in order."""
    columns = {
        column.name: getattr(batch, column.name)[rows]
        for column in fields(Batch)
        if column.name not in ("number", "closed_us", "first")
    }
    return replace(batch, first=batch.first + (rows.start or 0), **columns)


def record_table(
    batch: Batch, agent: Int64Array, model: Int64Array, emit_events: bool
) -> BytesArray:
    """The records of calls, (n, 64), given the indices of their agents and models.

    Raises `ChainError` if a number of the batch does not fit into its field.
    """
    _check(batch)
    quote, charge = _column(batch.quote_micros), _column(batch.charge_micros)
    finished = _column(batch.finished_us)
    lanes: UInt64Array = np.empty((len(quote), 4), dtype=">u8")
    lanes[:, 3] = _column(agent) | _column(model) << 16 | (quote & 0xFFFF_FFFF) << 32
    lanes[:, 2] = quote >> 32 | charge << 16
    lanes[:, 1] = (
        _column(batch.score_ppm) | _column(batch.intent) << 24 | (finished & 0xFF_FFFF) << 40
    )
    lanes[:, 0] = finished >> 24 | np.uint64(EMIT_FLAG if emit_events else 0) << 40
    table: BytesArray = np.empty((len(quote), RECORD_BYTES), dtype=np.uint8)
    table[:, :WORD] = lanes.view(np.uint8).reshape(-1, WORD)
    table[:, WORD:] = batch.answer_hash
    return table


def _column(values: Int64Array) -> UInt64Array:
    return values.astype(np.uint64)


def _check(batch: Batch) -> None:
    """Raises `ChainError` where a number would not fit into its field of a record."""
    columns = {
        "quote_micros": batch.quote_micros,
        "charge_micros": batch.charge_micros,
        "score_ppm": batch.score_ppm,
        "intent": batch.intent,
        "finished_us": batch.finished_us,
    }
    for name, bits in _LIMITS.items():
        column = columns[name]
        if len(column) and not (column.min() >= 0 and int(column.max()) < 1 << bits):
            raise ChainError(
                f"batch {batch.number}: {name} from {column.min()} to {column.max()}, "
                f"a record holds 0 to {(1 << bits) - 1}"
            )


class _Reader:
    """The dynamic arguments of a calldata, checked against its length."""

    def __init__(self, data: bytes) -> None:
        self._data = data[SELECTOR_BYTES:]

    def word(self, at: int) -> int:
        if at + WORD > len(self._data):
            raise ChainError("calldata of calls is cut short")
        return int.from_bytes(self._data[at : at + WORD], "big")

    def tail(self, argument: int, item_bytes: int) -> npt.NDArray[np.uint8]:
        at = self.word(argument * WORD)
        size = self.word(at) * item_bytes
        if at + WORD + size > len(self._data):
            raise ChainError("calldata of calls is cut short")
        return np.frombuffer(self._data, dtype=np.uint8, count=size, offset=at + WORD)

    def ids(self, argument: int) -> Int64Array:
        table = self.tail(argument, WORD).reshape(-1, WORD)
        return _read(table[:, 24:])


def _read(table: npt.NDArray[np.uint8]) -> Int64Array:
    """Eight big-endian bytes per row as integers."""
    return np.ascontiguousarray(table).view(">u8").reshape(-1).astype(np.int64)


def unpack(calldata: bytes) -> Records:
    """The records of a ``settleBatch``; raises `ChainError` if the calldata is none."""
    reader = _Reader(calldata)
    return _records(reader, reader.ids(1), reader.ids(2))


def unpack_one(calldata: bytes) -> Records:
    """The record of a ``deduct``; raises `ChainError` if the calldata is none."""
    reader = _Reader(calldata)
    return _records(reader, np.array([reader.word(WORD)]), np.array([reader.word(2 * WORD)]))


def _records(reader: _Reader, agents: Int64Array, models: Int64Array) -> Records:
    table = reader.tail(3, 1)
    if len(table) % RECORD_BYTES:
        raise ChainError(f"calldata carries {len(table)} bytes of records, not whole ones")
    table = table.reshape(-1, RECORD_BYTES)
    heads, answers = table[:, :WORD], table[:, WORD:]
    lanes = np.ascontiguousarray(heads).view(">u8").astype(np.uint64)
    high, upper, lower, low = (lanes[:, lane] for lane in range(4))
    agent, model = (low & 0xFFFF).astype(np.int64), (low >> 16 & 0xFFFF).astype(np.int64)
    if len(table) and not (agent.max() < len(agents) and model.max() < len(models)):
        raise ChainError("a record points past its list")
    return Records(
        first=reader.word(0),
        agent_ids=agents[agent],
        model_ids=models[model],
        quote_micros=(low >> 32 | (lower & 0xFFFF) << 32).astype(np.int64),
        charge_micros=(lower >> 16).astype(np.int64),
        score_ppm=(upper & 0xFF_FFFF).astype(np.int64),
        intent=(upper >> 24 & 0xFFFF).astype(np.int64),
        finished_us=(upper >> 40 | (high & 0xFF_FFFF_FFFF) << 24).astype(np.int64),
        flags=(high >> 40).astype(np.int64),
        heads=heads,
        answers=answers,
    )
