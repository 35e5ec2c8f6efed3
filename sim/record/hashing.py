"""The answer hash of every call, and the digest of a whole record."""

import hashlib
from dataclasses import fields

import numpy as np
import sha3

from sim.record.columns import Calls, Table, Tasks
from sim.units import BytesArray, Int64Array


def digest(calls: Calls, tasks: Tasks, answer_hash: BytesArray, *asides: Table) -> str:
    """SHA-256 over the columns (their names, then little-endian int64) and the answer hashes.

    Args:
        calls, tasks: in the order of their ids. answer_hash: (calls, 32).
        asides: what happened beside them (`Columns.asides`); left out where nothing did.
    """
    total = hashlib.sha256()
    for table in (calls, tasks, *(aside for aside in asides if len(aside))):
        for field in fields(table):
            total.update(field.name.encode())
            column: Int64Array = getattr(table, field.name)
            total.update(np.ascontiguousarray(column, dtype="<i8").data)
    total.update(np.ascontiguousarray(answer_hash).data)
    return total.hexdigest()


class AnswerHasher:
    """The commitment to an answer, which anyone can derive again.

    keccak256(abi.encode(scenarioHash, callId, intentId, inputTokens, outputTokens, model,
    finishedUs, scorePpm)), each in a word of its own. An intent's id is the keccak of its name, as
    Telegraph has it, and a model's likewise.
    """

    WORDS = 8

    def __init__(
        self, scenario_hash: bytes, intents: tuple[str, ...], models: tuple[str, ...]
    ) -> None:
        self.scenario = np.frombuffer(scenario_hash, np.uint8)
        self.intents = _name_hashes(intents)
        self.models = _name_hashes(models)

    def hashes(self, calls: Calls, delivered: Int64Array) -> BytesArray:
        """(n, 32) bytes; zero for a call whose ``delivered`` is 0: it has no answer."""
        words = np.zeros((len(calls), self.WORDS, 32), np.uint8)
        words[:, 0] = self.scenario
        words[:, 2] = self.intents[calls.intent]
        words[:, 5] = self.models[calls.model]
        numbers = {
            1: calls.call_id,
            3: calls.input_tokens,
            4: calls.output_tokens,
            6: calls.finished_us,
            7: calls.score_ppm,
        }
        for word, column in numbers.items():
            words[:, word, 24:] = column.astype(">u8").view(np.uint8).reshape(-1, 8)
        encoded = words.tobytes()
        size = self.WORDS * 32
        keccak = sha3.keccak_256
        found = b"".join(
            [keccak(encoded[at : at + size]).digest() for at in range(0, len(encoded), size)]
        )
        hashes = np.frombuffer(found, np.uint8).reshape(-1, 32)
        return hashes * delivered.astype(np.uint8)[:, None]


def _name_hashes(names: tuple[str, ...]) -> BytesArray:
    hashes = b"".join(sha3.keccak_256(name.encode()).digest() for name in names)
    return np.frombuffer(hashes, np.uint8).reshape(-1, 32)
