"""``x402-exact``: agents sign an EIP-3009 authorization per call, which the router submits."""

from dataclasses import replace

from sim.chain.accounts import TOKEN_DOMAIN
from sim.chain.contracts import contract, integers
from sim.chain.merkle import keccak
from sim.chain.rails.hub import FOREVER, PAYMENT_GAS, HubRail
from sim.chain.rails.parts import Landed, Order, Part, Way
from sim.chain.signing import domain_separator, typed_signature, word, words_of

AUTHORIZATION_TYPE = keccak(
    b"TransferWithAuthorization(address from,address to,uint256 value,uint256 validAfter,"
    b"uint256 validBefore,bytes32 nonce)"
)


class X402ExactRail(HubRail):
    """``x402-exact``: agents sign authorizations, which the router submits.

    Anybody else may submit one before it, and an agent may use up a nonce for another payment: what
    counts is which payments the hub got.
    """

    def __init__(self, way: Way) -> None:
        super().__init__(way)
        deployment = way.deployment
        self._domain = domain_separator(*TOKEN_DOMAIN, deployment.chain_id, deployment.usdc)
        self._came: set[tuple[int, bytes, int]] = set()
        self._unseen_from = way.blocks.rpc.quantity("eth_blockNumber") + 1

    def _look_back(self, first_block: int) -> None:
        self._unseen_from = first_block
        self._look()

    def _look(self) -> None:
        """Notes payments to the hub: who paid, by which nonce, how much."""
        token, hub = contract("USDC"), int(self._hub.place, 16)
        used, moved = (token.topic(name) for name in ("AuthorizationUsed", "Transfer"))
        logs = self._way.seen(self._way.deployment.usdc, [used, moved], self._unseen_from)
        nonces = {(log.block, log.index): log.topics[2] for log in logs if log.topics[0] == used}
        for log in logs:
            payer, target = (int.from_bytes(topic, "big") for topic in log.topics[1:])
            nonce = nonces.get((log.block, log.index - 1))
            if log.topics[0] == moved and target == hub and nonce is not None:
                self._came.add((payer, nonce, integers(log.data)[0]))

    def _has_come(self, part: Part, at: int) -> bool:
        nonce = payment_nonce(part.first + at, part.batch.answer_hash[at].tobytes())
        micros = int(part.batch.charge_micros[at])
        return (self._payer(part, at), nonce, micros) in self._came

    def _arrived(self, part: Part, landed: Landed) -> list[bool]:
        self._look()
        self._unseen_from = landed.blocks[-1].number + 1
        return [self._has_come(part, at) for at in part.paying]

    def _pay(self, part: Part) -> Part:
        token, hub, batch = self._way.deployment.usdc, self._hub.place, part.batch
        selector = contract("USDC").selector("transferWithAuthorization")
        orders = []
        for at in part.paying:
            payer = self._payers[int(batch.agent[at])]
            nonce = payment_nonce(part.first + at, batch.answer_hash[at].tobytes())
            terms = (payer.address, hub, int(batch.charge_micros[at]), 0, FOREVER, nonce)
            signature = typed_signature(payer.key, self._domain, AUTHORIZATION_TYPE, terms)
            orders.append(Order(token, selector + words_of((*terms, *signature)), PAYMENT_GAS))
        return replace(part, orders=tuple(orders))


def payment_nonce(call_id: int, answer_hash: bytes) -> bytes:
    """The nonce of the authorization that pays a call: which call, by the chain's id and hash."""
    return keccak(word(call_id) + answer_hash)
