"""The real client, server and facilitator of PyPI's x402, on our token and our channels."""

from collections.abc import Iterator

import pytest
from eth_typing import HexStr
from x402 import PaymentAbortedError

from sim.chain import serve
from sim.chain.local import Document
from tests.x402_helpers import PRICE, Shop

pytestmark = pytest.mark.chain


@pytest.fixture(scope="module")
def document() -> Iterator[Document]:
    with serve(chain_id=84532) as served:
        yield served.document


@pytest.fixture
def exact(document: Document) -> Shop:
    return Shop(document, "exact")


@pytest.fixture
def channel(document: Document, request: pytest.FixtureRequest) -> Shop:
    return Shop(document, "batch-settlement", request.node.name)


def test_an_exact_payment_is_signed_verified_and_settled_on_our_token(exact: Shop) -> None:
    before = exact.balances(exact.buyer.address, exact.seller.address)
    paid = exact.buy()
    assert paid.verified.is_valid
    assert paid.settled is not None
    assert paid.settled.success
    assert paid.settled.payer == exact.buyer.address
    receipt = exact.web3.eth.get_transaction_receipt(HexStr(paid.settled.transaction))
    assert (receipt["status"], receipt["from"]) == (1, exact.operator.address)
    after = exact.balances(exact.buyer.address, exact.seller.address)
    assert [now - then for now, then in zip(after, before, strict=True)] == [-PRICE, PRICE]


def test_the_same_payload_is_granted_once_by_x402(exact: Shop) -> None:
    """One authorisation was answered 248 times elsewhere: here the chain takes it once."""
    payload, requirements = exact.sign()
    before = exact.balances(exact.seller.address)
    answers = [exact.take(payload, requirements) for _ in range(5)]
    granted = [paid for paid in answers if paid.settled is not None and paid.settled.success]
    assert len(granted) == 1
    assert exact.balances(exact.seller.address) == [before[0] + PRICE]


def test_an_exact_payment_for_another_amount_is_refused_before_anything_moves(exact: Shop) -> None:
    payload, requirements = exact.sign()
    before = exact.balances(exact.seller.address)
    dearer = requirements.model_copy(update={"amount": str(2 * PRICE)})
    answer = exact.facilitator.verify(payload, dearer)
    assert (answer.is_valid, answer.invalid_reason) == (
        False,
        "invalid_exact_evm_payload_authorization_value_mismatch",
    )
    assert exact.balances(exact.seller.address) == before


def test_a_channel_is_opened_used_claimed_settled_and_refunded(channel: Shop) -> None:
    """Four calls: one deposit on chain, three vouchers off it, one claim for all of them."""
    people = (channel.buyer.address, channel.seller.address)
    buyer, seller = channel.balances(*people)
    calls = [channel.buy() for _ in range(4)]
    assert all(paid.verified.is_valid and paid.settled and paid.settled.success for paid in calls)
    transactions = [paid.settled.transaction for paid in calls if paid.settled]
    assert [bool(transaction) for transaction in transactions] == [True, False, False, False]
    (opened,) = channel.channels.get_storage().list()
    deposit = 10 * PRICE
    assert channel.channel(opened.channel_id) == (deposit, 0)
    assert channel.balances(*people) == [buyer - deposit, seller]

    manager = channel.manager()
    (claim,) = manager.claim()
    assert claim.vouchers == 1
    assert channel.channel(opened.channel_id) == (deposit, 4 * PRICE)
    manager.settle()
    assert channel.balances(*people) == [buyer - deposit, seller + 4 * PRICE]

    (refund,) = manager.refund()
    assert refund.channel == opened.channel_id
    assert channel.channel(opened.channel_id) == (4 * PRICE, 4 * PRICE)
    assert channel.balances(*people) == [buyer - 4 * PRICE, seller + 4 * PRICE]


def test_a_claim_after_the_settlement_pays_nothing_again(channel: Shop) -> None:
    channel.buy()
    manager = channel.manager()
    manager.claim_and_settle()
    before = channel.balances(channel.seller.address)
    assert manager.claim_and_settle() == {"claims": [], "settle": None}
    with pytest.raises(RuntimeError, match="nothing to settle"):
        manager.settle()
    assert channel.balances(channel.seller.address) == before


def test_a_voucher_shown_twice_is_charged_once(channel: Shop) -> None:
    """The same voucher for two calls: the server knows what it has charged, and asks for more."""
    channel.buy()
    payload, requirements = channel.sign()
    assert channel.take(payload, requirements).verified.is_valid
    with pytest.raises(PaymentAbortedError, match="cumulative_amount_mismatch"):
        channel.take(payload, requirements)
    (held,) = channel.channels.get_storage().list()
    assert int(held.charged_cumulative_amount) == 2 * PRICE


def test_a_voucher_of_another_signer_is_refused(channel: Shop) -> None:
    channel.buy()
    payload, requirements = channel.sign()
    forged = payload.model_copy(deep=True)
    signature = forged.payload["voucher"]["signature"]
    forged.payload["voucher"]["signature"] = signature[:-4] + "001b"
    answer = channel.facilitator.verify(forged, requirements)
    assert not answer.is_valid
    assert answer.invalid_reason is not None
    assert "signature" in answer.invalid_reason
