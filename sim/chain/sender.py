"""Sends accounts' transactions in order, each exactly once, whatever becomes of the answers.

A transaction has its nonce before it is sent. Sending the same one again is harmless (the nonce is
taken), so after a lost answer the sender looks whether it landed and only then sends it again.
Transactions are of the legacy type, which takes least to sign.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from sim.chain.accounts import Account
from sim.chain.answers import Json, as_object, as_quantity, as_text
from sim.chain.merkle import keccak
from sim.chain.rpc import RefusedError, Request, Rpc, UnreachableError
from sim.chain.signing import transaction

TIP_WEI = 10**9
# The base fee rises by at most an eighth per block: four times it lasts for more blocks than go by
# until the price is looked at again.
BASE_FEES, PRICE_EVERY = 4, 8
ATTEMPTS = 5


@dataclass(frozen=True, slots=True)
class Transaction:
    """A transaction that is ready: ``raw`` and ``hash`` (0x hex) only if we hold the key."""

    nonce: int
    request: Request
    raw: bytes = b""
    hash: str = ""


def signed(
    key: bytes, chain_id: int, nonce: int, gas_price: int, gas: int, to: str | None, data: bytes,
    value: int = 0,
) -> Transaction:  # fmt: skip
    """A transaction that its sender's key has signed; ``to`` is None to create a contract."""
    place = bytes.fromhex(to[2:]) if to is not None else b""
    raw = transaction(key, chain_id, nonce, gas_price, gas, place, data, value)
    name = "0x" + keccak(raw).hex()
    return Transaction(nonce, ("eth_sendRawTransaction", ["0x" + raw.hex()]), raw, name)


class Sender:
    """One account's way to a chain.

    Args:
        signer: an account with its key, or the address of one that the node has unlocked.
        free: the chain is ours, and gas costs nothing there.
    """

    def __init__(self, rpc: Rpc, signer: Account | str, chain_id: int, *, free: bool) -> None:
        self._rpc, self._chain_id = rpc, chain_id
        self._key = signer.key if isinstance(signer, Account) else None
        self.address = signer.address if isinstance(signer, Account) else signer
        self.nonce = self.landed()
        self._free, self._gas_price, self._priced = free, 0, 0

    @property
    def on_own_chain(self) -> bool:
        """Whether the chain is one of ours, where gas costs nothing."""
        return self._free

    def landed(self, tag: str = "latest") -> int:
        """How many of the account's transactions are mined, or with "pending" also wait."""
        return self._rpc.quantity("eth_getTransactionCount", self.address, tag)

    @property
    def has_key(self) -> bool:
        """Whether we hold the account's key, so that what it sends has a name beforehand."""
        return self._key is not None

    @property
    def gas_price_wei(self) -> int:
        """What the account offers for gas now, in wei."""
        self._look_at_price()
        return self._gas_price

    def prepare(self, to: str | None, data: bytes, gas: int, value: int = 0) -> Transaction:
        """The account's next transaction, with its nonce; ``to`` is None to create a contract.

        ``value`` is in wei.
        """
        nonce, self.nonce = self.nonce, self.nonce + 1
        self._look_at_price()
        if self._key is None:
            fields: dict[str, Json] = {
                "from": self.address,
                "nonce": hex(nonce),
                "gas": hex(gas),
                "gasPrice": hex(self._gas_price),
                "value": hex(value),
                "data": "0x" + data.hex(),
            }
            if to is not None:
                fields["to"] = to
            return Transaction(nonce, ("eth_sendTransaction", [fields]))
        return signed(self._key, self._chain_id, nonce, self._gas_price, gas, to, data, value)

    def _look_at_price(self) -> None:
        if not self._free and self._priced % PRICE_EVERY == 0:
            self._gas_price = BASE_FEES * self._rpc.block().base_fee + TIP_WEI
        self._priced += 1

    def send(self, transactions: Sequence[Transaction]) -> None:
        """Puts transactions before the chain, each once, those of one account in nonce order.

        On a chain of ours those of many accounts come in the order given, too.

        Raises:
            RefusedError: the node does not take one of them.
            UnreachableError: the node is gone; what landed can be asked of it when it is back.
        """
        waiting = list(transactions)
        for attempt in range(ATTEMPTS):
            try:
                if attempt:
                    waiting = self._not_landed(waiting)
                send = self._rpc.in_order if self._free else self._rpc.batch_answers
                answers = send([item.request for item in waiting])
                refused = [answer for answer in answers if isinstance(answer, RefusedError)]
                if refused and self._not_landed(waiting):
                    raise refused[0]
            except UnreachableError as lost:
                self._rpc.ask_again(lost, attempt, ATTEMPTS)
            else:
                return

    def waiting(self, transactions: Sequence[Transaction]) -> tuple[list[Transaction], list[str]]:
        """Those that are not mined, and the accounts of those that the node has waiting.

        What the node signs itself is told by the nonces taken.
        """
        if not all(item.hash for item in transactions):
            mined = self.landed()
            later = [item for item in transactions if item.nonce >= mined]
            return later, [self.address] if later else []
        asked: list[Request] = [("eth_getTransactionByHash", [item.hash]) for item in transactions]
        left: list[Transaction] = []
        owners: set[str] = set()
        for item, found in zip(transactions, self._rpc.batch(asked), strict=True):
            told = None if found is None else as_object(found)
            if told is None or told.get("blockHash") is None:
                left.append(item)
                owners |= set() if told is None else {as_text(told["from"])}
        return left, sorted(owners)

    def _not_landed(self, transactions: Sequence[Transaction]) -> list[Transaction]:
        """Those that the node does not know; what it signs itself is told by the nonces taken."""
        if not all(item.hash for item in transactions):
            taken = self.landed("pending")
            return [item for item in transactions if item.nonce >= taken]
        asked: list[Request] = [("eth_getTransactionByHash", [item.hash]) for item in transactions]
        known = self._rpc.batch(asked)
        return [item for item, found in zip(transactions, known, strict=True) if found is None]


class Wallets:
    """Many accounts that sign transactions of their own, for gas at a price in wei."""

    def __init__(
        self, rpc: Rpc, owners: Sequence[Account], chain_id: int, gas_price_wei: int = 0
    ) -> None:
        self._owners, self._chain_id, self._price = owners, chain_id, gas_price_wei
        asked: list[Request] = [
            ("eth_getTransactionCount", [owner.address, "latest"]) for owner in owners
        ]
        self._nonces = [as_quantity(answer) for answer in rpc.batch(asked)]

    def prepare(self, owner: int, to: str, data: bytes, gas: int) -> Transaction:
        """The next transaction of the account at this position."""
        nonce = self._nonces[owner]
        self._nonces[owner] += 1
        return signed(self._owners[owner].key, self._chain_id, nonce, self._price, gas, to, data)
