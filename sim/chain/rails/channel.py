"""``channel`` on x402's VoucherChannels: agents sign what they owe in all, the router claims it.

Every pair of agent and model has a channel to the hub, for the router to claim; the model is its
salt. Channels are filled when a charge needs it, by what `sim.rails.ChannelBook` says.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from sim.chain.accounts import TOKEN_DOMAIN, AccountKind, accounts
from sim.chain.answers import Block, Log
from sim.chain.contracts import Value, contract, integer, integers
from sim.chain.local.fixed import PLACES
from sim.chain.merkle import WORD, keccak
from sim.chain.pack import cut
from sim.chain.rails.hub import CALLS_PER_SPLIT, FOREVER, Hub
from sim.chain.rails.parts import Landed, Order, Part, Way, refused_part
from sim.chain.rebuild import charged_in_order
from sim.chain.rpc import RefusedError
from sim.chain.settlement import SettledBatch
from sim.chain.signing import domain_separator, typed_digest, typed_signature, words_of
from sim.facts import Batch
from sim.rails import ChannelBook, Move, Pair, due
from sim.rails.channels import VOUCHERS_PER_CLAIM
from sim.units import Int64Array

CHANNELS, COLLECTOR = PLACES["VoucherChannels"], PLACES["ERC3009DepositCollector"]
DOMAIN = ("x402 Batch Settlement", "1")
WITHDRAW_DELAY_S = 86_400
DEPOSIT_GAS, REFUND_GAS, SETTLE_GAS = 350_000, 200_000, 200_000
CLAIM_GAS_FIXED, CLAIM_GAS_PER_VOUCHER = 200_000, 60_000
CONFIG_TYPE = keccak(
    b"ChannelConfig(address payer,address payerAuthorizer,address receiver,"
    b"address receiverAuthorizer,address token,uint40 withdrawDelay,bytes32 salt)"
)
VOUCHER_TYPE = keccak(b"Voucher(bytes32 channelId,uint128 maxClaimableAmount)")
RECEIVE_TYPE = keccak(
    b"ReceiveWithAuthorization(address from,address to,uint256 value,uint256 validAfter,"
    b"uint256 validBefore,bytes32 nonce)"
)


class Channels:
    """The channels of one run: their configurations, and what payers sign for them."""

    def __init__(self, way: Way, hub: Hub) -> None:
        self._way, self._hub = way, hub
        self._contract = contract("VoucherChannels")
        self.claimed = self._contract.topic("Claimed")
        self._payers = accounts(AccountKind.AGENT, len(way.funded.agent_ids))
        chain_id, token = way.deployment.chain_id, way.deployment.usdc
        self._domain = domain_separator(*DOMAIN, chain_id, CHANNELS)
        self._token_domain = domain_separator(*TOKEN_DOMAIN, chain_id, token)
        self._deposits = way.blocks.rpc.quantity("eth_blockNumber") << 20  # never used before

    def config(self, pair: Pair) -> tuple[str, str, str, str, str, int, bytes]:
        """The configuration of a pair's channel; its salt is of this run alone."""
        payer, token = self._payers[pair[0]].address, self._way.deployment.usdc
        router, salt = self._way.deployment.router, channel_salt(self._hub.first_call, pair[1])
        return (payer, payer, self._hub.place, router, token, WITHDRAW_DELAY_S, salt)

    def id_of(self, pair: Pair) -> bytes:
        """The id of a pair's channel."""
        return typed_digest(self._domain, CONFIG_TYPE, self.config(pair))

    def move(self, move: Move) -> Order:
        """The deposit or the refund that a move is."""
        config, micros = self.config(move.pair), move.micros
        if micros < 0:
            return Order(CHANNELS, self._contract.call("refund", config, -micros), REFUND_GAS)
        self._deposits += 1
        nonce = keccak(self.id_of(move.pair) + words_of((self._deposits,)))
        terms = (config[0], COLLECTOR, micros, 0, FOREVER, nonce)
        key = self._payers[move.pair[0]].key
        v, r, s = typed_signature(key, self._token_domain, RECEIVE_TYPE, terms)
        fixed = words_of((0, FOREVER, self._deposits, 4 * WORD, 65))
        data = fixed + (r + s + bytes([v])).ljust(3 * WORD, b"\0")
        deposit = self._contract.call("deposit", config, micros, COLLECTOR, data)
        return Order(CHANNELS, deposit, DEPOSIT_GAS)

    def claims(self, totals: Mapping[Pair, int]) -> Iterator[Order]:
        """Claims of all that was ever due from these channels, and the hub paid."""
        rows: list[Value] = []
        for pair, total in totals.items():
            key = self._payers[pair[0]].key
            v, r, s = typed_signature(key, self._domain, VOUCHER_TYPE, (self.id_of(pair), total))
            rows.append(((self.config(pair), total), r + s + bytes([v]), total))
        for start in range(0, len(rows), VOUCHERS_PER_CLAIM):
            some = rows[start : start + VOUCHERS_PER_CLAIM]
            gas = CLAIM_GAS_FIXED + CLAIM_GAS_PER_VOUCHER * len(some)
            yield Order(CHANNELS, self._contract.call("claim", some), gas)
        if rows:
            paid = self._contract.call("settle", self._hub.place, self._way.deployment.usdc)
            yield Order(CHANNELS, paid, SETTLE_GAS)

    def states(self, pairs: Sequence[Pair]) -> list[tuple[int, int]]:
        """What each channel holds, paid in and not taken back, and has paid; in micros."""
        calls = [self._contract.call("channels", self.id_of(pair)) for pair in pairs]
        answers = self._way.blocks.rpc.views(CHANNELS, calls)
        return [(held, claimed) for held, claimed in map(integers, answers)]

    def wallets(self, pairs: Sequence[Pair]) -> dict[int, int]:
        """What the agents of these channels have in their wallets, in micros."""
        agents, token = sorted({agent for agent, _ in pairs}), contract("USDC")
        asked = [token.call("balanceOf", self._payers[agent].address) for agent in agents]
        answers = self._way.blocks.rpc.views(self._way.deployment.usdc, asked)
        return dict(zip(agents, map(integer, answers), strict=True))


class ChannelRail:
    """``channel``: fills channels, claims vouchers, has the hub paid and the calls split."""

    def __init__(self, way: Way, book: ChannelBook) -> None:
        self._way, self._hub, self._book = way, Hub(way), book
        self._channels = Channels(way, self._hub)
        self.first_call = self._next = self._hub.first_call
        self._resumed, self._begun = False, (-1, 0)
        self._claims: list[Log] = []

    def parts(self, batch: Batch) -> Iterator[Part]:
        """As `ChainRail.parts`: vouchers are signed when it is known what the last ones paid."""
        yield Part(self._next, batch)
        self._next += len(batch)

    def resume(self, first_call: int, first_block: int) -> int:
        """As `ChainRail.resume`: what channels hold is asked of them when they are needed."""
        self._resumed, self.first_call = True, first_call
        self._claims = self._way.seen(CHANNELS, [self._channels.claimed], first_block)
        return self._hub.resume(first_call, first_block)

    def landed(self, batch: Batch) -> list[SettledBatch]:
        """As `ChainRail.landed`: by the events of the calls."""
        self._begun = batch.number, self.first_call + batch.first
        return self._hub.landed(batch)

    def settle(self, parts: Sequence[Part], seconds: int) -> tuple[list[SettledBatch], Block]:
        """As `ChainRail.settle`: what a channel cannot pay is unpaid, at no charge."""
        settled = [self._settle(part, seconds) for part in parts]
        return [row for row, _ in settled], settled[-1][1]

    def _settle(self, part: Part, seconds: int) -> tuple[SettledBatch, Block]:
        charged = part.batch.charge_micros
        owed = due(part.batch.agent, part.batch.model, charged)
        if self._resumed:
            self._look_at(part, [pair for pair in owed if pair not in self._book.claimed])
        self._fill(part, self._book.settle(owed), seconds)
        landed = self._mine(part, owed, charged, seconds)
        if len(self._hub.logs(part, landed)) < len(part):
            charged = self._payable(part, owed)
            owed = due(part.batch.agent, part.batch.model, charged)
            again = self._mine(part, owed, charged, seconds)
            if len(self._hub.logs(part, again)) < len(part):
                splits = list(self._splits(part, charged))
                raise refused_part(part, self._way.why(splits, self._hub.contract))
            landed = landed.then(again)
        return self._hub.row(part, landed, charged), landed.blocks[-1]

    def _fill(self, part: Part, moves: Sequence[Move], seconds: int) -> None:
        """Has channels filled, in a block of its own: what that costs is no settlement."""
        if moves:
            self._send(part, [self._channels.move(move) for move in moves], seconds)

    def _mine(
        self, part: Part, owed: Mapping[Pair, int], charged: Int64Array, seconds: int
    ) -> Landed:
        """Has vouchers claimed, the hub paid and the calls split; not if claims may have failed.

        A claim that fails makes the split fail with it only where nothing else is in the hub.
        """
        totals = {pair: self._book.claimed[pair] for pair in owed}
        claims, splits = self._channels.claims(totals), self._splits(part, charged)
        if not owed or not self._hub.may_hold_more():
            return self._send(part, [*claims, *splits], seconds)
        landed = self._send(part, [*claims], seconds)
        claimed = [total for _, total in self._channels.states(list(totals))]
        if claimed != list(totals.values()):
            return landed
        return landed.then(self._send(part, [*splits], seconds))

    def _send(self, part: Part, orders: Sequence[Order], seconds: int) -> Landed:
        try:
            return self._way.mine((), orders, seconds, self._hub.place, [self._hub.topic])
        except RefusedError as refused:
            raise refused_part(part, self._hub.contract.why(refused)) from None

    def _splits(self, part: Part, charged: Int64Array) -> Iterator[Order]:
        for start in range(0, len(part), CALLS_PER_SPLIT):
            rows = slice(start, min(start + CALLS_PER_SPLIT, len(part)))
            piece = Part(part.first + start, cut(part.batch, rows))
            yield self._hub.split(piece, charged[rows])

    def _look_at(self, part: Part, pairs: Sequence[Pair]) -> None:
        """Takes over into the book what channels hold and have paid in the run so far.

        Where transactions have blocks of their own, a batch may have been claimed and not split:
        then what its calls were to pay is not due once more.
        """
        states = dict(zip(pairs, self._channels.states(pairs), strict=True))
        held = {pair: balance for pair, (balance, _) in states.items()}
        unsplit = self._unsplit(part)
        claimed = {
            pair: total - unsplit[self._channels.id_of(pair)] for pair, (_, total) in states.items()
        }
        self._book.put_right(self._channels.wallets(pairs), held, claimed)

    def _unsplit(self, part: Part) -> Counter[bytes]:
        """By channel, the micros claimed since the batch before the first that is settled here."""
        claims, self._claims = self._claims, []
        number, first = self._begun
        start = first if number == part.batch.number else part.first
        before = self._hub.split_in(start - 1)
        found: Counter[bytes] = Counter()
        for log in claims:
            if log.block > before:
                found[log.topics[1]] += integers(log.data)[0]
        return found

    def _payable(self, part: Part, owed: Mapping[Pair, int]) -> Int64Array:
        """What each call can be charged by what its channel holds; the book is put right."""
        pairs = list(owed)
        held = [balance for balance, _ in self._channels.states(pairs)]
        before = {pair: self._book.claimed[pair] - owed[pair] for pair in pairs}
        place_of = {pair: at for at, pair in enumerate(pairs)}
        rows = zip(part.batch.agent.tolist(), part.batch.model.tolist(), strict=True)
        of_call = np.array([place_of.get(pair, 0) for pair in rows], np.int64)
        spendable = [balance - before[pair] for pair, balance in zip(pairs, held, strict=True)]
        asked_micros = part.batch.charge_micros
        charged = charged_in_order(of_call, asked_micros, np.array(spendable, np.int64))
        paid = due(part.batch.agent, part.batch.model, charged)
        claimed = {pair: before[pair] + paid.get(pair, 0) for pair in pairs}
        wallets = self._channels.wallets(pairs)
        self._book.put_right(wallets, dict(zip(pairs, held, strict=True)), claimed)
        return charged


def channel_salt(first_call: int, model: int) -> bytes:
    """The salt of a channel to a model, in the run that begins with this call of the hub."""
    return words_of(((first_call << 32) + model,))
