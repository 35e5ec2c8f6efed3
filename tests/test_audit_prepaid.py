"""What the audit makes of calls settled one by one, and of money that agents take out again."""

from collections.abc import Iterator

import pytest

from sim.chain import Agent, Deployment, Rpc, audit
from sim.chain.accounts import ROUTER_INDEX, AccountKind, account
from sim.chain.blocks import OwnBlocks
from sim.chain.contracts import contract
from sim.chain.deployer import WITHDRAW_DELAY_S, deploy_with, treasury
from sim.chain.funding import Funding
from sim.chain.history import Event, SettledRecords, history
from sim.chain.node import CHAIN_ID, Node
from sim.chain.pack import GAS_LIMIT, pack, unpack_one
from sim.chain.rebuild import Rebuilt
from sim.chain.sender import Sender
from sim.chain.settlement import GENESIS_UNIX
from sim.facts import Batch, ChainError
from tests.chain_helpers import DEPOSIT, FEE_BPS, MAX_PRICE, batches, record

pytestmark = pytest.mark.chain

MADE = batches([1] * 12, agents=2, models=2, gap_us=1_000_000)
LEDGER = contract("CallLedger")
TAKEN_OUT = 1_000_000


class Prepaid:
    """Two agents with prepaid accounts on a node, whose calls the router deducts one by one."""

    def __init__(self, rpc: Rpc) -> None:
        router = account(AccountKind.OPERATOR, ROUTER_INDEX)
        self.rpc = rpc
        self.blocks = OwnBlocks(rpc, Sender(rpc, router, CHAIN_ID, free=True), GENESIS_UNIX, None)
        self.deployment = deploy_with(self.blocks, FEE_BPS, treasury().address)
        agents = tuple(Agent(name, DEPOSIT, MAX_PRICE) for name in "ab")
        self.funded = Funding(self.blocks, self.deployment).fund(agents, 2)

    def deduct(self, batch: Batch) -> None:
        packed = pack(batch, slice(None), self.funded.agent_ids, self.funded.model_ids, True)
        (agent,), (model,) = packed.agents.tolist(), packed.models.tolist()
        data = LEDGER.call("deduct", batch.first, agent, model, packed.records)
        ready = self.blocks.sender.prepare(self.deployment.call_ledger, data, GAS_LIMIT)
        self.blocks.submit([ready], batch.number)

    def take_out(self, agent: int, amount: int) -> None:
        """The agent asks for part of its balance back, and has it after the delay."""
        number, at = int(self.funded.agent_ids[agent]), self.deployment.call_ledger
        owner = Sender(self.rpc, account(AccountKind.AGENT, agent), CHAIN_ID, free=True)
        own = OwnBlocks(self.rpc, owner, GENESIS_UNIX, None)
        asked = owner.prepare(at, LEDGER.call("requestWithdraw", number, amount), GAS_LIMIT)
        own.submit([asked], 100)
        executed = owner.prepare(at, LEDGER.call("executeWithdraw", number), GAS_LIMIT)
        own.submit([executed], 101 + WITHDRAW_DELAY_S)

    def rebuilt(self) -> Rebuilt:
        found = Rebuilt(FEE_BPS)
        for event in history(self.rpc, self.deployment, self.rpc.block().number):
            if isinstance(event, Event):
                found.apply(event)
            else:
                found.settle(event)
        return found


@pytest.fixture
def prepaid() -> Iterator[Prepaid]:
    with Node() as node, Rpc(node.url) as rpc:
        yield Prepaid(rpc)


def test_calls_deducted_one_by_one_are_audited_like_those_of_a_batch(prepaid: Prepaid) -> None:
    for batch in MADE:
        prepaid.deduct(batch)
    found = audit(prepaid.rpc, prepaid.deployment, record(MADE, 2, 2), sample=12)
    assert (found.parity, found.faults) == (True, ())
    assert (found.batches, found.calls_on_chain, found.proofs) == (12, 12, 12)


def test_money_taken_out_is_rebuilt_and_is_no_difference_to_the_record(prepaid: Prepaid) -> None:
    prepaid.deduct(MADE[0])
    prepaid.take_out(1, TAKEN_OUT)
    rebuilt = prepaid.rebuilt()
    assert rebuilt.differences(prepaid.rpc, prepaid.deployment) == (0, [])
    found = audit(prepaid.rpc, prepaid.deployment, record(MADE[:1], 2, 2))
    assert (found.parity, found.faults) == (True, ())


def test_a_withdrawal_that_the_history_lacks_is_a_difference(prepaid: Prepaid) -> None:
    before = list(history(prepaid.rpc, prepaid.deployment, prepaid.rpc.block().number))
    prepaid.take_out(0, TAKEN_OUT)
    rebuilt = Rebuilt(FEE_BPS)
    for event in before:
        assert not isinstance(event, SettledRecords)
        rebuilt.apply(event)
    difference, words = rebuilt.differences(prepaid.rpc, prepaid.deployment)
    assert difference == 3 * TAKEN_OUT
    assert [word.split(":")[0] for word in words] == [
        "balance of account 1",
        "effective balance of account 1",
        "USDC of the contract",
    ]


def test_calldata_of_a_deduction_that_is_cut_short_is_refused() -> None:
    data = LEDGER.call("deduct", 0, 1, 2, bytes(64))
    assert unpack_one(data).agent_ids.tolist() == [1]
    with pytest.raises(ChainError, match="cut short"):
        unpack_one(data[:-1])


def test_a_deployment_locks_withdrawals_for_four_hours(prepaid: Prepaid) -> None:
    deployment: Deployment = prepaid.deployment
    delay = prepaid.rpc.view(deployment.call_ledger, LEDGER.call("withdrawDelay"))
    assert int.from_bytes(delay, "big") == WITHDRAW_DELAY_S == 14_400
