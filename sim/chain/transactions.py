"""The transaction file of a run: every block's raw transactions and time, appended as it is mined.

A frame is its length, its CRC-32 and a zlib stream; the first holds the genesis, each further one a
block. A tail that a crash cut short is left out on reading, all before it counts. Costs about 55
bytes per call, more than half of it the answer hashes, which do not compress: Huffman codes alone
are as small as full compression, in half the time.
"""

import json
import struct
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from itertools import islice
from pathlib import Path

from sim.facts import ToolError

NAME = "transactions.bin"
MAGIC = b"telex-tx1\n"
COMPRESSION = 1
_FRAME = struct.Struct("<II")
_HEAD = struct.Struct("<QI")
_SIZE = struct.Struct("<I")


@dataclass(frozen=True, slots=True)
class Genesis:
    """What a fresh node must be given to replay the file: times in unix seconds.

    ``fixed``: the contracts that clients know by addresses of their own were put there first.
    """

    chain_id: int
    genesis_unix: int
    fixed: bool = False


@dataclass(frozen=True, slots=True)
class SavedBlock:
    """A block's time in unix seconds and its raw transactions, in order."""

    timestamp: int
    transactions: tuple[bytes, ...]


class TransactionWriter:
    """Appends blocks to a transaction file; each is with the system when `append` returns.

    Args:
        goes_on: the file is there; what a crash cut short at its end goes.
    """

    def __init__(self, directory: Path, genesis: Genesis, *, goes_on: bool = False) -> None:
        self.path = directory / NAME
        try:
            self._file = self.path.open("r+b" if goes_on else "xb")
        except OSError as error:
            raise ToolError(f"{self.path} cannot be written: {error.strerror}") from None
        if goes_on:
            self._file.truncate(self._file.seek(_whole(self.path)))
            return
        self._file.write(MAGIC)
        self._frame(json.dumps(asdict(genesis)).encode())

    def append(self, timestamp: int, transactions: Sequence[bytes]) -> None:
        """Adds a mined block."""
        parts = [_HEAD.pack(timestamp, len(transactions))]
        for raw in transactions:
            parts += (_SIZE.pack(len(raw)), raw)
        self._frame(b"".join(parts))

    def _frame(self, payload: bytes) -> None:
        stream = zlib.compressobj(COMPRESSION, strategy=zlib.Z_HUFFMAN_ONLY)
        body = stream.compress(payload) + stream.flush()
        self._file.write(_FRAME.pack(len(body), zlib.crc32(body)) + body)
        self._file.flush()

    def keep(self, blocks: int) -> None:
        """Leaves only the first so many blocks: the chain has taken the others back."""
        self._file.truncate(self._file.seek(_whole(self.path, blocks)))

    def close(self) -> None:
        """Ends the file; may be called again."""
        self._file.close()


def leave_blocks(directory: Path, blocks: int) -> None:
    """Cuts a run's transaction file down to its first so many blocks."""
    with (directory / NAME).open("r+b") as file:
        file.truncate(_whole(directory / NAME, blocks))


class TransactionReader:
    """Reads a run's transaction file block by block; raises `ToolError` if it is none."""

    def __init__(self, directory: Path) -> None:
        self.path = directory / NAME
        if not self.path.is_file():
            raise ToolError(
                f"{directory} holds no {NAME}: its calls were not settled on a node of ours"
            )
        self._frames = _frames(self.path)
        try:
            fields = json.loads(next(self._frames))
            self.genesis = Genesis(
                int(fields["chain_id"]), int(fields["genesis_unix"]), bool(fields.get("fixed"))
            )
        except (StopIteration, ValueError, KeyError, TypeError):
            raise ToolError(f"{self.path} is not a transaction file of Telex") from None

    def __iter__(self) -> Iterator[SavedBlock]:
        return (_block(payload) for payload in self._frames)


def _frames(path: Path) -> Iterator[bytes]:
    """The payloads of the whole frames; what a crash left of a last one ends them."""
    return (payload for payload, _ in _sized(path))


def _sized(path: Path) -> Iterator[tuple[bytes, int]]:
    """The same, each with the size of its stream."""
    with path.open("rb") as file:
        if file.read(len(MAGIC)) != MAGIC:
            return
        while len(head := file.read(_FRAME.size)) == _FRAME.size:
            size, checksum = _FRAME.unpack(head)
            body = file.read(size)
            if len(body) != size or zlib.crc32(body) != checksum:
                return
            yield zlib.decompress(body), size


def _whole(path: Path, blocks: int | None = None) -> int:
    """Where the whole frames of a file end, or those of its first so many blocks."""
    frames = islice(_sized(path), None if blocks is None else 1 + blocks)
    return len(MAGIC) + sum(_FRAME.size + size for _, size in frames)


def _block(payload: bytes) -> SavedBlock:
    timestamp, count = _HEAD.unpack_from(payload)
    at, transactions = _HEAD.size, []
    for _ in range(count):
        (size,) = _SIZE.unpack_from(payload, at)
        at += _SIZE.size
        transactions.append(payload[at : at + size])
        at += size
    return SavedBlock(timestamp, tuple(transactions))
