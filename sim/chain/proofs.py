"""Proofs that calls were settled, in the form that OpenZeppelin's merkle-tree takes.

``StandardMerkleTree.verify(root, leafEncoding, leaf, proof)`` of its JavaScript library says true
to each of them, and so does ``CallLedger.proveCall``.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from sim.facts import ToolError

PROOFS = "proofs.json"
SAMPLE = 32  # how many calls an audit proves unless it is told
FORMAT = "standard-v1"
LEAF_ENCODING = ("uint256", "uint32", "uint32", "bytes32", "bytes32", "uint256")
LEAF_FIELDS = ("callId", "agent", "model", "head", "answerHash", "charged")


@dataclass(frozen=True, slots=True)
class CallProof:
    """A settled call and the hashes beside the path from its leaf to its batch's root.

    Args:
        batch, call, agent, model: the chain's ids. charged: in micros.
        head, answer_hash: the two words of its record.
    """

    batch: int
    root: bytes
    call: int
    agent: int
    model: int
    head: bytes
    answer_hash: bytes
    charged: int
    beside: tuple[bytes, ...]

    def document(self) -> dict[str, object]:
        """The proof as JSON: numbers as decimal text, because JavaScript's end at 2**53."""
        numbers = (str(self.call), str(self.agent), str(self.model))
        return {
            "batchId": str(self.batch),
            "root": _hex(self.root),
            "leaf": [*numbers, _hex(self.head), _hex(self.answer_hash), str(self.charged)],
            "proof": [_hex(node) for node in self.beside],
        }


def save_proofs(path: Path, chain_id: int, contract: str, proofs: Sequence[CallProof]) -> None:
    """Writes proofs as JSON; raises `ToolError` if the file cannot be written."""
    document = {
        "format": FORMAT,
        "chainId": chain_id,
        "contract": contract,
        "leafEncoding": LEAF_ENCODING,
        "leafFields": LEAF_FIELDS,
        "calls": [proof.document() for proof in proofs],
    }
    try:
        path.write_text(json.dumps(document, indent=1) + "\n")
    except OSError as error:
        raise ToolError(f"{path} cannot be written: {error.strerror}") from None


def _hex(data: bytes) -> str:
    return "0x" + data.hex()
