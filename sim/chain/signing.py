"""Signatures and signed transactions at the rate of the curve: one keccak, one signature each.

eth_account makes the same bytes at a tenth of the rate, for it checks and converts each field. The
curve is coincurve's where there is one for this Python, else eth_keys' own.
"""

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import TypeAlias

from eth_keys.datatypes import PrivateKey

from sim.chain.merkle import WORD, keccak

RLP_BYTES, RLP_LIST, RLP_SHORT = 0x80, 0xC0, 55

Sign: TypeAlias = Callable[[bytes], bytes]
Word: TypeAlias = "int | bytes | str"

DOMAIN_TYPE = keccak(
    b"EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"
)


@lru_cache(maxsize=100_000)
def signer(key: bytes) -> Sign:
    """What signs a hash with this key: 65 bytes, r and s and the recovery bit (0 or 1)."""
    try:
        from coincurve import PrivateKey as FastKey
    except ImportError:  # no wheel of coincurve for this Python
        slow = PrivateKey(key)
        return lambda digest: slow.sign_msg_hash(digest).to_bytes()
    fast = FastKey(key)
    return lambda digest: fast.sign_recoverable(digest, hasher=None)


def transaction(
    key: bytes, chain_id: int, nonce: int, gas_price: int, gas: int, to: bytes, data: bytes,
    value: int = 0,
) -> bytes:  # fmt: skip
    """A signed transaction of the legacy type (EIP-155), raw; ``to`` is empty to create."""
    fields: tuple[int | bytes, ...] = (nonce, gas_price, gas, to, value, data)
    body = b"".join(map(rlp_item, fields))
    unsigned = rlp_list(body + rlp_item(chain_id) + b"\x80\x80")
    signature = signer(key)(keccak(unsigned))
    r, s = (signature[at : at + WORD].lstrip(b"\0") for at in (0, WORD))
    v = chain_id * 2 + 35 + signature[64]
    return rlp_list(body + rlp_item(v) + rlp_item(r) + rlp_item(s))


def rlp_item(value: int | bytes) -> bytes:
    """A number without leading zeros, or bytes, as RLP encodes it."""
    data = value.to_bytes((value.bit_length() + 7) // 8, "big") if isinstance(value, int) else value
    if len(data) == 1 and data[0] < RLP_BYTES:
        return data
    return _rlp_prefix(RLP_BYTES, len(data)) + data


def rlp_list(body: bytes) -> bytes:
    """Encoded items, one after the other, as one RLP list."""
    return _rlp_prefix(RLP_LIST, len(body)) + body


def _rlp_prefix(kind: int, size: int) -> bytes:
    if size <= RLP_SHORT:
        return bytes([kind + size])
    length = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes([kind + RLP_SHORT + len(length)]) + length


def word(value: Word) -> bytes:
    """A static value as ABI and EIP-712 encode it: 32 bytes; addresses are 0x text."""
    if isinstance(value, int):
        return value.to_bytes(WORD, "big")
    return (bytes.fromhex(value[2:]) if isinstance(value, str) else value).rjust(WORD, b"\0")


def words_of(values: Sequence[Word]) -> bytes:
    """Static values one after the other."""
    return b"".join(map(word, values))


def domain_separator(name: str, version: str, chain_id: int, contract: str) -> bytes:
    """EIP-712's hash of a domain with these four fields."""
    names = (keccak(name.encode()), keccak(version.encode()))
    return keccak(DOMAIN_TYPE + words_of((*names, chain_id, contract)))


def typed_digest(domain: bytes, type_hash: bytes, values: Sequence[Word]) -> bytes:
    """What is signed of a struct of static fields, by EIP-712."""
    return keccak(b"\x19\x01" + domain + keccak(type_hash + words_of(values)))


def typed_signature(
    key: bytes, domain: bytes, type_hash: bytes, values: Sequence[Word]
) -> tuple[int, bytes, bytes]:
    """The signature (v, r, s) of a struct of static fields, by EIP-712."""
    signature = signer(key)(typed_digest(domain, type_hash, values))
    return 27 + signature[64], signature[:WORD], signature[WORD : 2 * WORD]
