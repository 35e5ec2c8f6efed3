"""Leaves, roots and proofs of settled calls, as CallLedger and OpenZeppelin's MerkleProof see them.

A leaf is hashed twice, a pair is sorted and then hashed, an odd last node moves up unchanged. The
loops are plain Python over ``bytes``: C hashes one pair in less time than NumPy needs for a step.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from sha3 import keccak_256

from sim.units import BytesArray, Int64Array

LEAF_WORDS = 6
WORD = 32


def keccak(data: bytes) -> bytes:
    """Keccak-256."""
    digest: bytes = keccak_256(data).digest()
    return digest


def words(values: Int64Array) -> BytesArray:
    """Non-negative integers as 32-byte big-endian words, (n, 32)."""
    table: npt.NDArray[np.uint8] = np.zeros((len(values), WORD), dtype=np.uint8)
    table[:, 24:] = values.astype(">u8").view(np.uint8).reshape(-1, 8)
    return table


def leaves(
    first: int,
    agent_ids: Int64Array,
    model_ids: Int64Array,
    heads: BytesArray,
    answers: BytesArray,
    charged: Int64Array,
) -> list[bytes]:
    """The leaf of each call of a batch: ids are the chain's, ``charged`` in micros."""
    count = len(agent_ids)
    table: npt.NDArray[np.uint8] = np.empty((count, LEAF_WORDS, WORD), dtype=np.uint8)
    table[:, 0] = words(np.arange(first, first + count, dtype=np.int64))
    table[:, 1] = words(agent_ids)
    table[:, 2] = words(model_ids)
    table[:, 3] = heads
    table[:, 4] = answers
    table[:, 5] = words(charged)
    data, size = table.tobytes(), LEAF_WORDS * WORD
    hash_of = keccak_256
    return [
        hash_of(hash_of(data[at : at + size]).digest()).digest()
        for at in range(0, count * size, size)
    ]


def pair(left: bytes, right: bytes) -> bytes:
    """The parent of two nodes, whichever comes first."""
    return keccak(left + right if left < right else right + left)


def _above(layer: Sequence[bytes]) -> list[bytes]:
    hash_of = keccak_256
    above = [
        hash_of(left + right if left < right else right + left).digest()
        for left, right in zip(layer[::2], layer[1::2], strict=False)
    ]
    return [*above, layer[-1]] if len(layer) % 2 else above


def root(nodes: Sequence[bytes]) -> bytes:
    """The root over at least one leaf."""
    while len(nodes) > 1:
        nodes = _above(nodes)
    return nodes[0]


def proof(nodes: Sequence[bytes], position: int) -> list[bytes]:
    """The hashes beside the path from the leaf at ``position`` to the root."""
    beside = []
    while len(nodes) > 1:
        sibling = position ^ 1
        if sibling < len(nodes):
            beside.append(nodes[sibling])
        nodes, position = _above(nodes), position // 2
    return beside


def proves(root_hash: bytes, leaf: bytes, beside: Sequence[bytes]) -> bool:
    """Whether a proof leads from a leaf to a root."""
    for node in beside:
        leaf = pair(leaf, node)
    return leaf == root_hash
