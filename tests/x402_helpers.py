"""PyPI's x402, as it is, on a node of ours: its client, its resource server, its facilitator."""

from collections.abc import Sequence
from typing import NamedTuple

from eth_account import Account
from web3 import HTTPProvider, Web3
from x402 import (
    AssetAmount,
    PaymentPayload,
    PaymentRequired,
    PaymentRequirements,
    ResourceConfig,
    SettleResponse,
    VerifyResponse,
    x402ClientSync,
    x402FacilitatorSync,
    x402ResourceServerSync,
)
from x402.client_base import SpendControlAsset
from x402.mechanisms.evm.batch_settlement.authorizer_signer import LocalAuthorizerSigner
from x402.mechanisms.evm.batch_settlement.client import (
    BatchSettlementEvmScheme,
    BatchSettlementEvmSchemeOptions,
)
from x402.mechanisms.evm.batch_settlement.facilitator import BatchSettlementEvmFacilitator
from x402.mechanisms.evm.batch_settlement.server.channel_manager_common import (
    ChannelManagerConfigSync,
)
from x402.mechanisms.evm.batch_settlement.server.channel_manager_sync import (
    BatchSettlementChannelManagerSync,
)
from x402.mechanisms.evm.batch_settlement.server.scheme import (
    BatchSettlementEvmScheme as BatchSettlementServer,
)
from x402.mechanisms.evm.batch_settlement.server.scheme import (
    BatchSettlementEvmSchemeServerConfig,
)
from x402.mechanisms.evm.exact.client import ExactEvmScheme
from x402.mechanisms.evm.exact.facilitator import ExactEvmScheme as ExactFacilitator
from x402.mechanisms.evm.exact.server import ExactEvmScheme as ExactServer
from x402.mechanisms.evm.signers import EthAccountSigner, FacilitatorWeb3Signer
from x402.schemas.hooks import PaymentResponseContext

from sim.chain.local import Document

PRICE = 10_000  # a cent


class Paid(NamedTuple):
    """One purchase: what was sent, what the facilitator said to it, and how it was settled."""

    payload: PaymentPayload
    verified: VerifyResponse
    settled: SettleResponse | None


class Shop:
    """A client that buys from a seller; a facilitator with a key of its own submits.

    Args:
        salt: tells channels of the same two apart.
    """

    def __init__(self, document: Document, scheme: str, salt: str = "") -> None:
        self.document, self.scheme = document, scheme
        self.buyer, self.seller, self.operator, self.authorizer = document.accounts[3:7]
        self.network = f"eip155:{document.chain_id}"
        self.web3 = Web3(HTTPProvider(document.rpc_url))
        self.facilitator = x402FacilitatorSync()
        submitter = FacilitatorWeb3Signer(self.operator.key, document.rpc_url)
        self.facilitator.register([self.network], ExactFacilitator(submitter))
        self.facilitator.register([self.network], BatchSettlementEvmFacilitator(submitter))
        self.channels = BatchSettlementServer(
            self.seller.address,
            BatchSettlementEvmSchemeServerConfig(
                receiver_authorizer_signer=LocalAuthorizerSigner(self.authorizer.key)
            ),
        )
        self.server = x402ResourceServerSync(self.facilitator)
        # x402's own protocol and classes disagree about the type of `payment_flows`.
        self.server.register(self.network, ExactServer())  # type: ignore[arg-type,no-untyped-call]  # x402 has no types
        self.server.register(self.network, self.channels)  # type: ignore[arg-type]  # as above
        self.server.initialize()
        wallet = EthAccountSigner(Account.from_key(self.buyer.key))
        own = BatchSettlementEvmSchemeOptions(salt=Web3.keccak(text=salt).to_0x_hex())
        self.channel_client = BatchSettlementEvmScheme(wallet, own)
        self.client = x402ClientSync()
        # The client pays in the tokens it knows, and in those its user names.
        token = SpendControlAsset(network=self.network, asset=document.usdc)
        self.client.set_spend_controls({"allowed_assets": [token]})
        self.client.register(self.network, ExactEvmScheme(wallet))
        self.client.register(self.network, self.channel_client)

    def asked(self) -> tuple[PaymentRequired, PaymentRequirements]:
        """What the seller answers to a request without a payment."""
        config = ResourceConfig(
            scheme=self.scheme,
            pay_to=self.seller.address,
            price=AssetAmount(
                amount=str(PRICE),
                asset=self.document.usdc,
                extra={"name": "USDC", "version": "2"},
            ),
            network=self.network,
        )
        requirements = self.server.build_payment_requirements(config)
        return self.server.create_payment_required_response(requirements), requirements[0]

    def sign(self) -> tuple[PaymentPayload, PaymentRequirements]:
        """The buyer's payment for one call, not yet shown to anybody."""
        required, requirements = self.asked()
        payload = self.client.create_payment_payload(required)
        assert isinstance(payload, PaymentPayload)
        return payload, requirements

    def buy(self) -> Paid:
        """One call, paid: signed, verified, settled, and taken note of by the buyer."""
        return self.take(*self.sign())

    def take(self, payload: PaymentPayload, requirements: PaymentRequirements) -> Paid:
        """What the seller does with a payment: verifies it, serves, and settles it."""
        verified = self.server.verify_payment(payload, requirements).verify
        if not verified.is_valid:
            return Paid(payload, verified, None)
        settled = self.server.settle_payment(payload, requirements)
        self.client.handle_payment_response(
            PaymentResponseContext(payload, requirements, settle_response=settled)
        )
        return Paid(payload, verified, settled)

    def manager(self) -> BatchSettlementChannelManagerSync:
        """The seller's own hand on its channels: claims, settles, refunds."""
        return BatchSettlementChannelManagerSync(
            ChannelManagerConfigSync(
                scheme=self.channels,
                facilitator=self.facilitator,
                receiver=self.seller.address,
                token=self.document.usdc,
                network=self.network,
            )
        )

    def balances(self, *who: str) -> Sequence[int]:
        """USDC of each address, in micros."""
        token = self.web3.eth.contract(
            Web3.to_checksum_address(self.document.usdc), abi=list(self.document.abis["USDC"])
        )
        return [token.functions.balanceOf(address).call() for address in who]

    def channel(self, channel_id: str) -> tuple[int, int]:
        """All that was paid into a channel and is not given back, and what of it is claimed."""
        place = Web3.to_checksum_address(self.document.voucher_channels)
        contract = self.web3.eth.contract(place, abi=list(self.document.abis["VoucherChannels"]))
        balance, claimed = contract.functions.channels(bytes.fromhex(channel_id[2:])).call()
        return balance, claimed
