"""The settlement authority, as a client of the protocol meets it: each job one answer, or none."""

import pytest
from web3 import Web3
from web3.exceptions import ContractLogicError

from sim.authority import Outcome
from tests.authority_helpers import (
    CHAT,
    CODE,
    DOLLAR,
    FEE,
    Served,
    outcomes,
)
from tests.telegraph_client import CANCELLED, FUNDED, RECORDER, REFUSER, TERMINAL, Client, Question

pytestmark = pytest.mark.chain


def test_a_job_reaches_terminal_with_fee_swap_and_callback(served: Served, client: Client) -> None:
    treasury = client.places["treasury"]
    before = client.usdc.functions.balanceOf(treasury).call()
    recorder = client.create(RECORDER)
    words = ("What is a market?", "In one word.")
    job = client.open(CHAT, *words, callback=recorder)
    assert client.state(job) == FUNDED
    assert client.escrow() == 9 * DOLLAR
    assert outcomes(served.step()) == [(job, Outcome.ASKED)]
    assert outcomes(served.step(1)) == [(job, Outcome.ANSWERED), (job, Outcome.SETTLED)]

    agent, intent, callback, budget, to_miner, fee, state, _ = (
        client.port.functions.getJob(job).call()
    )  # fmt: skip
    assert (agent, callback, state) == (client.agent.address, recorder, TERMINAL)
    assert (bytes(intent), budget) == (bytes(Web3.keccak(text=CHAT)), DOLLAR)
    assert (to_miner, fee) == (DOLLAR - FEE, FEE)
    assert client.usdc.functions.balanceOf(treasury).call() == before + FEE
    assert client.escrow() == 9 * DOLLAR

    (message,) = client.messages(recorder)
    assert (message.job, message.success, message.error) == (job, True, "")
    (miner,), numbers, texts, (right,) = message.response
    glm = next(item for item in client.places["miners"] if item["model"] == "glm-5")
    assert (Web3.to_checksum_address(str(miner)), texts[1]) == (glm["address"], "glm-5")
    assert right is True
    assert numbers[1] == -(-sum(map(len, words)) // 4)
    bought = client.machina.functions.balanceOf(glm["address"]).call()
    assert 0.97e18 < bought < 0.98e18
    output = bytes(client.port.functions.getJobOutput(job).call())
    assert output == client.signal(job, CHAT, words, message)


def test_a_job_for_one_registration_goes_to_that_miner(served: Served, client: Client) -> None:
    registrations = [m for m in client.places["miners"] if m["model"] == "glm-5"]
    own = bytes.fromhex(registrations[0]["intent_id"][2:])
    job = client.open(own, "only you")
    (asked,) = served.step()
    assert asked == (job, Outcome.ASKED, f"{CHAT} of glm-5")
    assert outcomes(served.step(1))[-1] == (job, Outcome.SETTLED)


def test_a_cancelled_job_is_refunded_and_its_answer_is_not_taken(
    served: Served, client: Client
) -> None:
    job = client.open(CHAT, "never mind")
    served.step()
    client.send(client.port.functions.cancelJob(job))
    assert (client.state(job), client.escrow()) == (CANCELLED, 10 * DOLLAR)
    events = served.step(1)
    assert outcomes(events) == [(job, Outcome.ANSWERED), (job, Outcome.NOT_TAKEN)]
    assert "job is not funded" in events[1][2]
    assert (client.state(job), client.settlements(job)) == (CANCELLED, [])


def test_an_answered_job_cannot_be_cancelled(served: Served, client: Client) -> None:
    job = client.open(CHAT)
    served.step()
    served.step(1)
    with pytest.raises(ContractLogicError, match="job is not funded"):
        client.send(client.port.functions.cancelJob(job))


@pytest.mark.parametrize("intent", ["WEATHER_CHECK", "NO_SUCH_INTENT"])
def test_an_intent_that_no_model_serves_is_refused_and_its_job_can_be_cancelled(
    served: Served, client: Client, intent: str
) -> None:
    job = client.open(intent)
    ((number, outcome, words),) = served.step()
    assert (number, outcome) == (job, Outcome.REFUSED)
    assert "is no intent that a model serves" in words
    assert served.step(1) == []
    client.send(client.port.functions.cancelJob(job))
    assert (client.state(job), client.escrow()) == (CANCELLED, 10 * DOLLAR)


def test_a_job_that_finds_no_room_is_refused_and_stays_funded(
    served: Served, client: Client
) -> None:
    first, second = client.open(CODE), client.open(CODE)
    events = served.step()
    assert outcomes(events[:2]) == [(first, Outcome.ASKED), (second, Outcome.ASKED)]
    assert events[2:] == [(second, Outcome.REFUSED, "no capacity; it can be cancelled")]
    served.step(1)
    assert (client.state(first), client.state(second)) == (TERMINAL, FUNDED)


def test_a_callback_that_reverts_leaves_the_job_terminal(served: Served, client: Client) -> None:
    job = client.open(CHAT, callback=client.create(REFUSER))
    served.step()
    assert outcomes(served.step(1))[-1] == (job, Outcome.SETTLED)
    assert client.state(job) == TERMINAL


def test_the_question_of_a_job_opened_by_a_contract_is_found_in_its_trace(
    served: Served, client: Client
) -> None:
    """Two jobs in one transaction of another contract's: each has its own question."""
    aggregate = client.web3.eth.contract(
        client.places["multicall3"], abi=client.places["abis"]["Multicall3"]
    )
    client.send(client.usdc.functions.transfer(aggregate.address, 2 * DOLLAR))
    recorder, port = client.create(RECORDER), client.port
    name = Web3.keccak(text=CHAT)
    first: Question = ([], [], ["x" * 40], [])
    second: Question = ([], [], ["y" * 80], [])
    calls = [
        (client.usdc.address, client.usdc.encode_abi("approve", [port.address, 2 * DOLLAR])),
        (port.address, port.encode_abi("depositUSDC", [2 * DOLLAR])),
        (port.address, port.encode_abi("createJob", [name, first, recorder])),
        (port.address, port.encode_abi("createJob", [name, second, recorder])),
    ]
    client.send(aggregate.functions.tryAggregate(True, calls))
    served.step()
    served.step(1)
    assert sorted(
        (message.job, message.response[1][1]) for message in client.messages(recorder)
    ) == [(1, 10), (2, 20)]
