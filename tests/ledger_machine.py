"""The Python ledger, the audit's rules and the contracts on a node, moved together step by step.

Agents hold a budget in the wallet or in the contract; the Python ledger does not tell the two
apart. A plain third account of CallLedger's rules says what each step must do.
"""

import numpy as np
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from sim.chain import Rpc
from sim.chain.accounts import (
    ROUTER_INDEX,
    AccountKind,
    Authorization,
    Mandate,
    account,
    accounts,
    sign_authorization,
    sign_mandate,
)
from sim.chain.blocks import OwnBlocks
from sim.chain.contracts import contract, integer, integers
from sim.chain.deployer import WITHDRAW_DELAY_S, deploy_with, treasury
from sim.chain.history import Event, history
from sim.chain.merkle import keccak
from sim.chain.node import CHAIN_ID, mine
from sim.chain.pack import pack
from sim.chain.rebuild import Rebuilt
from sim.chain.sender import Sender, Transaction
from sim.chain.settlement import GENESIS_UNIX
from sim.facts import Batch
from sim.ledger import Ledger
from sim.units import shares_floor
from tests.ledger_book import AGENTS, BUDGET, FEE_BPS, MODELS, Book, columns

GAS = 3_000_000
LEDGER, TOKEN = contract("CallLedger"), contract("USDC")

amounts = st.integers(0, BUDGET // 2)
agents = st.integers(0, AGENTS - 1)
models = st.integers(0, MODELS - 1)
seconds = st.integers(1, 40)
lifetimes = st.sampled_from([10**6, 50, -1])


@st.composite
def call(draw: st.DrawFn) -> tuple[int, int, int, int]:
    """Agent, model, quote and charge of a call."""
    quote = draw(st.integers(0, 600))
    return draw(agents), draw(models), quote, draw(st.integers(0, quote))


class LedgerMachine(RuleBasedStateMachine):
    """Deposits, mandates, batches, withdrawals, claims and pauses, in any order."""

    rpc: Rpc

    @initialize()
    def deploy(self) -> None:
        router = account(AccountKind.OPERATOR, ROUTER_INDEX)
        self.router = Sender(self.rpc, router, CHAIN_ID, free=True)
        blocks = OwnBlocks(self.rpc, self.router, GENESIS_UNIX, None)
        self.deployment = deploy_with(blocks, FEE_BPS, treasury().address)
        self.now = self.rpc.block().timestamp
        self.buyers = accounts(AccountKind.AGENT, AGENTS)
        self.sellers = accounts(AccountKind.MODEL, MODELS)
        self.own = [Sender(self.rpc, buyer, CHAIN_ID, free=True) for buyer in self.buyers]
        owners = [item.address for item in (*self.buyers, *self.sellers)]
        ready = [self._by_router(LEDGER.call("register", owners))]
        for buyer in self.buyers:
            mint = TOKEN.call("mint", buyer.address, BUDGET)
            ready.append(self.router.prepare(self.deployment.usdc, mint, GAS))
        assert self._mine(self.router, ready, 1) == [True] * len(ready)
        self.book, self.ledger = Book(), Ledger([BUDGET] * AGENTS, MODELS)
        self.rebuilt, self.read_to = Rebuilt(FEE_BPS), self.deployment.deploy_block - 1
        self.calls = self.batches = self.deposits = 0
        self.last = b""
        for agent in range(AGENTS):
            self.deposit(agent, BUDGET // 2)
            self.set_mandate(agent, BUDGET // 2, 500, 10**6)

    # Money in, and out ------------------------------------------------------------------------

    @rule(agent=agents, amount=amounts)
    def deposit(self, agent: int, amount: int) -> None:
        side, deployment = self.book.sides[agent], self.deployment
        self.deposits += 1
        nonce = keccak(self.deposits.to_bytes(32, "big"))
        authorization = Authorization(deployment.call_ledger, amount, 0, 2**64 - 1, nonce)
        signed = sign_authorization(self.buyers[agent], authorization, CHAIN_ID, deployment.usdc)
        terms = (agent + 1, amount, 0, 2**64 - 1, nonce, *signed)
        done = self._do(LEDGER.call("depositWithAuthorization", *terms))
        assert done == (not self.book.paused and amount <= side.wallet)
        if done:
            side.wallet -= amount
            side.balance += amount

    @rule(agent=agents, amount=amounts)
    def request_withdraw(self, agent: int, amount: int) -> None:
        side = self.book.sides[agent]
        data = LEDGER.call("requestWithdraw", agent + 1, amount)
        ready = self.own[agent].prepare(self.deployment.call_ledger, data, GAS)
        (done,) = self._mine(self.own[agent], [ready], 1)
        assert done == (amount <= side.balance)
        if done:
            side.requested = amount
            side.unlocks = self.now + WITHDRAW_DELAY_S if amount else 0

    @rule(agent=agents, wait=st.booleans())
    def execute_withdraw(self, agent: int, wait: bool) -> None:
        side = self.book.sides[agent]
        data = LEDGER.call("executeWithdraw", agent + 1)
        done = self._do(data, max(1, side.unlocks - self.now) if wait else 1)
        assert done == (side.requested > 0 and self.now >= side.unlocks)
        if done:
            paid = min(side.requested, side.balance)
            side.balance -= paid
            side.wallet += paid
            side.requested = side.unlocks = 0

    @rule(model=st.none() | models)
    def claim(self, model: int | None) -> None:
        """A model's earnings, or the fees."""
        if model is None:
            assert self._do(LEDGER.call("claimFees"))
            self.book.fees_claimed = self.book.fees
        else:
            assert self._do(LEDGER.call("claim", AGENTS + model + 1))
            self.book.claimed[model] = self.book.earned[model]

    @rule()
    def pause_or_unpause(self) -> None:
        assert self._do(LEDGER.call("unpause" if self.book.paused else "pause"))
        self.book.paused = not self.book.paused

    # Mandates and calls -----------------------------------------------------------------------

    @rule(agent=agents, cap=amounts, max_price=st.integers(0, 700), lifetime=lifetimes)
    def set_mandate(self, agent: int, cap: int, max_price: int, lifetime: int) -> None:
        side, deployment = self.book.sides[agent], self.deployment
        deadline = self.now + lifetime
        mandate = Mandate(deployment.router, cap, max_price, deadline, side.nonce)
        signed = sign_mandate(self.buyers[agent], mandate, CHAIN_ID, deployment.call_ledger)
        terms = (deployment.router, cap, max_price, deadline, side.nonce)
        done = self._do(LEDGER.call("setMandate", agent + 1, terms, signed))
        assert done == (deadline >= self.now)
        if done:
            side.cap, side.max_price, side.deadline = cap, max_price, deadline
            side.nonce += 1

    @rule(calls=st.lists(call(), min_size=1, max_size=8), after=seconds)
    def settle_batch(self, calls: list[tuple[int, int, int, int]], after: int) -> None:
        admitted = self._admit(calls)
        if admitted:
            batch = self._batch(admitted)
            ids = np.arange(1, AGENTS + 1), np.arange(AGENTS + 1, AGENTS + MODELS + 1)
            packed = pack(batch, slice(None), *ids, True)
            data = packed.calldata(LEDGER.selector("settleBatch"), self.calls)
            self._settle(admitted, batch, data, after)

    @rule(one=call(), after=seconds)
    def deduct(self, one: tuple[int, int, int, int], after: int) -> None:
        admitted = self._admit([one])
        if admitted:
            batch, (agent, model, *_) = self._batch(admitted), one
            ids = np.arange(1, AGENTS + 1), np.arange(AGENTS + 1, AGENTS + MODELS + 1)
            record = pack(batch, slice(None), *ids, True).records
            sides = (agent + 1, AGENTS + model + 1)
            self._settle(admitted, batch, LEDGER.call("deduct", self.calls, *sides, record), after)

    @precondition(lambda self: self.last)
    @rule()
    def send_what_was_settled_again(self) -> None:
        assert not self._do(self.last)

    def _admit(self, calls: list[tuple[int, int, int, int]]) -> list[tuple[int, int, int, int]]:
        """Holds and ends what the market would: quotes that an agent's money covers."""
        admitted = []
        for agent, model, quote, charge in calls:
            if self.ledger.free[agent] >= quote:
                self.ledger.hold(agent, quote)
                self.ledger.end_hold(agent, quote, charge)
                admitted.append((agent, model, quote, charge))
        return admitted

    def _batch(self, calls: list[tuple[int, int, int, int]]) -> Batch:
        agent, model, quote, charge = (np.array(column) for column in zip(*calls, strict=True))
        ids = np.arange(self.calls, self.calls + len(calls))
        answers = [list(keccak(int(number).to_bytes(8, "big"))) for number in ids]
        zeros = np.zeros(len(calls), np.int64)
        return Batch(
            self.batches, 0, self.calls, ids, agent, model, quote, charge,
            shares_floor(charge, FEE_BPS), zeros, zeros, zeros, np.array(answers, np.uint8),
        )  # fmt: skip

    def _settle(
        self, calls: list[tuple[int, int, int, int]], batch: Batch, data: bytes, after: int
    ) -> None:
        booked = columns(batch)
        self.ledger.post(booked, [])
        assert self._do(data, after)
        charged = self.book.settle(calls, self.now)
        unpaid = np.flatnonzero(np.array(charged) != batch.charge_micros)
        self.ledger.unpay(booked.take(unpaid))
        self.calls += len(calls)
        self.batches += 1
        self.last = data
        assert self._read() == charged

    # The node ---------------------------------------------------------------------------------

    def _by_router(self, data: bytes) -> Transaction:
        return self.router.prepare(self.deployment.call_ledger, data, GAS)

    def _do(self, data: bytes, after: int = 1) -> bool:
        """One call of the router's in a block of its own; whether it did not revert."""
        return self._mine(self.router, [self._by_router(data)], after)[0]

    def _mine(self, sender: Sender, ready: list[Transaction], after: int) -> list[bool]:
        """One block of one account's transactions; whether each did not revert."""
        sender.send(ready)
        self.now += after
        mine(self.rpc, self.now)
        return [self.rpc.receipt(transaction.hash).ok for transaction in ready]

    def _read(self) -> list[int]:
        """Feeds the audit's rules what has happened since; returns what calls were charged."""
        last, charged = self.rpc.block().number, []
        for event in history(self.rpc, self.deployment, last):
            if event.block <= self.read_to:
                continue
            if isinstance(event, Event):
                self.rebuilt.apply(event)
            else:
                charged += self.rebuilt.settle(event).tolist()
        self.read_to = last
        return charged

    @invariant()
    def every_balance_is_the_same_everywhere(self) -> None:
        if not hasattr(self, "book"):
            return
        self._read()
        book, wallets = self.book, self._wallets()
        assert wallets == [
            *(side.wallet for side in book.sides), *book.claimed, book.fees_claimed,
        ]  # fmt: skip
        at = self.deployment.call_ledger
        found = self.rpc.views(at, [LEDGER.call("account", n + 1) for n in range(AGENTS)])
        for side, answer in zip(book.sides, found, strict=True):
            assert integers(answer) == [side.balance, side.cap, side.max_price, side.deadline]
        found = self.rpc.views(at, [LEDGER.call("earnings", AGENTS + n + 1) for n in range(MODELS)])
        assert [integers(answer) for answer in found] == [
            [earned, claimed] for earned, claimed in zip(book.earned, book.claimed, strict=True)
        ]
        assert self.rebuilt.differences(self.rpc, self.deployment) == (0, [])
        owned = [side.wallet + side.balance for side in book.sides]
        assert self.ledger.of_agents.tolist() == owned == self.ledger.free
        assert self.ledger.of_models.tolist() == book.earned
        assert self.ledger.of_treasury == book.fees

    def _wallets(self) -> list[int]:
        """USDC of agents, models and treasury."""
        people = (*self.buyers, *self.sellers, treasury())
        asked = [TOKEN.call("balanceOf", who.address) for who in people]
        return [integer(answer) for answer in self.rpc.views(self.deployment.usdc, asked)]
