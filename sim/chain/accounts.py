"""The accounts of a run, derived from the test mnemonic that everybody knows, and their signatures.

Kinds have path ranges of their own, m/44'/60'/KIND'/0/i: 0 for operators (0 deploys and routes, 1
is the treasury; an Anvil of ours has these unlocked and funded), 1 for agents, 2 for models,
3 for a protocol's validators and authors, 4 for the accounts that the models' bonds are in.
"""

import hmac
from dataclasses import dataclass, field
from enum import IntEnum
from functools import lru_cache

from eth_account import Account as EthAccount
from eth_account.hdaccount import seed_from_mnemonic
from eth_account.hdaccount.deterministic import HardNode, SoftNode, derive_child_key
from eth_account.messages import encode_typed_data
from eth_keys.datatypes import PrivateKey

from sim.chain.node import MNEMONIC
from sim.facts import ToolError

ROUTER_INDEX = 0
TREASURY_INDEX = 1
TOKEN_DOMAIN = ("USDC", "2")
LEDGER_DOMAIN = ("Telex CallLedger", "1")
EPOCH_DOMAIN = ("Telex EpochRoot", "1")

_MANDATE_TYPE = {
    "SpendMandate": [
        {"name": "router", "type": "address"},
        {"name": "cap", "type": "uint256"},
        {"name": "maxPrice", "type": "uint256"},
        {"name": "deadline", "type": "uint256"},
        {"name": "nonce", "type": "uint256"},
    ]
}
_AUTHORIZATION_TYPE = {
    "ReceiveWithAuthorization": [
        {"name": "from", "type": "address"},
        {"name": "to", "type": "address"},
        {"name": "value", "type": "uint256"},
        {"name": "validAfter", "type": "uint256"},
        {"name": "validBefore", "type": "uint256"},
        {"name": "nonce", "type": "bytes32"},
    ]
}


class AccountKind(IntEnum):
    """The part of the derivation path that tells kinds of account apart."""

    OPERATOR = 0
    AGENT = 1
    MODEL = 2
    HOLDER = 3
    BOND = 4


@dataclass(frozen=True, slots=True)
class Account:
    """An address (with checksum) and the private key it is made of."""

    address: str
    key: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Mandate:
    """What an agent lets a router spend: micros, and unix seconds."""

    router: str
    cap: int
    max_price: int
    deadline: int
    nonce: int


@dataclass(frozen=True, slots=True)
class Authorization:
    """An ERC-3009 transfer, from the signer to ``to``: micros, and unix seconds."""

    to: str
    value: int
    valid_after: int
    valid_before: int
    nonce: bytes


@lru_cache(maxsize=8)
def _parent(kind: AccountKind) -> tuple[bytes, bytes]:
    """The key and chain code of m/44'/60'/KIND'/0: deriving it is most of an account's cost."""
    master = hmac.digest(b"Bitcoin seed", seed_from_mnemonic(MNEMONIC, ""), "sha512")
    key, code = master[:32], master[32:]
    for node in (HardNode(44), HardNode(60), HardNode(kind), SoftNode(0)):
        key, code = derive_child_key(key, code, node)
    return key, code


@lru_cache(maxsize=100_000)
def account(kind: AccountKind, index: int) -> Account:
    """The account at m/44'/60'/KIND'/0/index; takes 0.2 ms the first time."""
    key, _ = derive_child_key(*_parent(kind), SoftNode(index))
    return account_of(key)


def accounts(kind: AccountKind, count: int) -> tuple[Account, ...]:
    """The first ``count`` accounts of a kind."""
    return tuple(account(kind, index) for index in range(count))


def account_of(key: bytes) -> Account:
    """The account of a private key of 32 bytes."""
    return Account(PrivateKey(key).public_key.to_checksum_address(), key)


def account_of_text(text: str) -> Account:
    """The account of a private key in hex; raises `ToolError`, without the key in it."""
    try:
        key = bytes.fromhex(text.strip().removeprefix("0x"))
        if len(key) == 32 and any(key):
            return account_of(key)
    except ValueError:
        pass
    raise ToolError("TELEX_PRIVATE_KEY is not a private key: 64 hex digits, with or without 0x")


def sign_mandate(
    signer: Account,
    mandate: Mandate,
    chain_id: int,
    ledger: str,
    domain: tuple[str, str] = LEDGER_DOMAIN,
) -> bytes:
    """The signer's EIP-712 signature of a mandate, 65 bytes (r, s, v)."""
    message: dict[str, object] = {
        "router": mandate.router,
        "cap": mandate.cap,
        "maxPrice": mandate.max_price,
        "deadline": mandate.deadline,
        "nonce": mandate.nonce,
    }
    signable = encode_typed_data(_domain(domain, chain_id, ledger), _MANDATE_TYPE, message)
    return bytes(EthAccount.sign_message(signable, signer.key).signature)


def sign_authorization(
    signer: Account, authorization: Authorization, chain_id: int, token: str
) -> tuple[int, bytes, bytes]:
    """The signer's EIP-3009 ``ReceiveWithAuthorization`` signature as (v, r, s)."""
    message: dict[str, object] = {
        "from": signer.address,
        "to": authorization.to,
        "value": authorization.value,
        "validAfter": authorization.valid_after,
        "validBefore": authorization.valid_before,
        "nonce": authorization.nonce,
    }
    domain = _domain(TOKEN_DOMAIN, chain_id, token)
    signed = EthAccount.sign_message(
        encode_typed_data(domain, _AUTHORIZATION_TYPE, message), signer.key
    )
    return signed.v, signed.r.to_bytes(32, "big"), signed.s.to_bytes(32, "big")


def _domain(name_version: tuple[str, str], chain_id: int, contract: str) -> dict[str, object]:
    name, version = name_version
    return {
        "name": name,
        "version": version,
        "chainId": chain_id,
        "verifyingContract": contract,
    }
