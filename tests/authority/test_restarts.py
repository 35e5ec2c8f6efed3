"""Settlement authorities that end, begin again or meet: no job is served twice, none is lost."""

import json
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from sim.authority import Authority, Outcome
from sim.chain import Rpc
from sim.chain.local import load_document
from sim.cli import main
from sim.facts import ChainError
from tests.authority_helpers import (
    CHAT,
    DOLLAR,
    SCENARIO,
    SECOND,
    Served,
    client_with_escrow,
    jobs,
    outcomes,
)
from tests.telegraph_client import FUNDED, RECORDER, TERMINAL, Client
from tests.test_node import free_port

pytestmark = pytest.mark.chain


def test_a_restart_serves_what_waits_and_nothing_twice(file: Path, client: Client) -> None:
    jobs = [client.open(CHAT, str(number)) for number in range(3)]
    first = Served(file)
    first.step()
    first.step(1)
    later = [client.open(CHAT, str(number)) for number in range(3, 5)]
    first.step()  # asked, and never answered: this authority ends here
    second = Served(file)
    events = second.step() + second.step(1)
    assert {job for job, outcome, _ in events if outcome is Outcome.SETTLED} == set(later)
    third = Served(file)
    assert third.step() + third.step(1) == []
    assert [len(client.settlements(job)) for job in (*jobs, *later)] == [1] * 5
    assert client.escrow() == 5 * DOLLAR


def test_a_restart_answers_as_the_first_would_have(file: Path, client: Client) -> None:
    recorder = client.create(RECORDER)
    job = client.open(CHAT, "the same", callback=recorder)
    answers = []
    for _ in range(2):
        served = Served(file)
        snapshot = served.rpc.call("evm_snapshot")
        served.step()
        served.step(1)
        answers += client.messages(recorder)
        served.rpc.call("evm_revert", snapshot)
    assert [message.job for message in answers] == [job, job]
    assert answers[0] == answers[1]


def test_two_authorities_at_once_pay_a_job_once(file: Path, client: Client) -> None:
    one, other = Served(file), Served(file)
    job = client.open(CHAT)
    one.step()
    other.step()
    assert outcomes(one.step(1))[-1] == (job, Outcome.SETTLED)
    assert outcomes(other.step(1))[-1] == (job, Outcome.NOT_TAKEN)
    assert len(client.settlements(job)) == 1


def test_a_chain_turned_back_is_looked_at_again(served: Served, client: Client) -> None:
    """A reorganisation takes the answer away: the job waits again, and is answered again."""
    job = client.open(CHAT)
    snapshot = served.rpc.call("evm_snapshot")
    served.step()
    served.step(1)
    assert client.state(job) == TERMINAL
    served.rpc.call("evm_revert", snapshot)
    assert client.state(job) == FUNDED
    served.step()
    served.step(1)
    assert client.state(job) == TERMINAL


@pytest.mark.parametrize("kept", [True, False])
def test_an_answer_that_waits_when_a_chain_is_turned_back_is_sent_once_more_only_if_it_is_lost(
    kept: bool, served: Served, client: Client
) -> None:
    job, rpc = client.open(CHAT), served.rpc
    snapshot = rpc.call("evm_snapshot")
    rpc.call("evm_mine")
    rpc.call("evm_setAutomine", False)
    list(served.authority.step())
    served.now_us += SECOND
    outcomes = [event.outcome for event in served.authority.step()]
    assert outcomes == [Outcome.ANSWERED]
    (answer,) = rpc.block("pending").transactions
    raw = rpc.call("eth_getRawTransactionByHash", answer)
    rpc.call("evm_revert", snapshot)
    rpc.call("anvil_dropAllTransactions")
    if kept:
        rpc.call("eth_sendRawTransaction", raw)
    asked = [event.outcome for event in served.authority.step()]
    assert asked == ([] if kept else [Outcome.ASKED])
    rpc.call("evm_setAutomine", True)
    rpc.call("evm_mine")
    served.now_us += SECOND
    ends = [event.outcome for _ in range(3) for event in served.authority.step()]
    assert ends == ([Outcome.SETTLED] if kept else [Outcome.ANSWERED, Outcome.SETTLED])
    assert client.state(job) == TERMINAL
    assert len(client.settlements(job)) == 1


def test_a_contract_that_is_no_port_is_refused(file: Path) -> None:
    document = load_document(file)
    with Rpc(document.rpc_url) as rpc, pytest.raises(ChainError, match="is no Port: "):
        Authority(rpc, document.call_hub, jobs())


def until(line: str, process: subprocess.Popen[str]) -> list[str]:
    assert process.stderr is not None
    seen = []
    for found in process.stderr:
        seen.append(found)
        if line in found:
            return seen
    pytest.fail("".join(seen))


def command(*arguments: str) -> Callable[[Path], subprocess.Popen[str]]:
    words = [sys.executable, "-m", "sim", "node", *arguments]
    return lambda folder: subprocess.Popen(words, cwd=folder, stderr=subprocess.PIPE, text=True)


def test_the_command_serves_jobs_and_another_takes_over(file: Path, client: Client) -> None:
    """In real time, by the command alone; the first is killed with a job under way."""
    folder = file.parent
    (folder / "jobs.yaml").write_text(SCENARIO)
    attach = command("--attach", "node.json", "--serve-jobs", "jobs.yaml")
    slow = command(
        "--attach", "node.json", "--serve-jobs", "jobs.yaml",
        "--set", "models.glm-5.latency.first_token_ms=60000",
    )  # fmt: skip
    with slow(folder) as first:
        until("answer the jobs of", first)
        job = client.open(CHAT, "who is there?")
        until(f"job {job} asked", first)
        first.kill()
    with attach(folder) as second:
        client.wait(job)
        until(f"job {job} settled", second)
        second.send_signal(signal.SIGINT)
        assert second.wait(timeout=30) == 130
    assert len(client.settlements(job)) == 1


def test_faults_of_the_command_are_told_plainly(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["node", "--attach", str(tmp_path / "none.json")]) == 2
    assert "--serve-jobs" in capsys.readouterr().err
    assert main(["node", "--serve-jobs", "telegraf"]) == 2
    assert "telegraph" in capsys.readouterr().err
    assert main(["node", "--attach", str(tmp_path / "x.json"), "--serve-jobs", "telegraph"]) == 2
    assert "cannot be read" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"chain_id": 1}, "is chain 31337, the deployment 1"),
        ({"port": "0x" + "12" * 20}, "no Port at 0x" + "12" * 20),
    ],
)
def test_a_file_of_another_chain_is_refused(
    changes: dict[str, int | str], complaint: str, file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    document = json.loads(file.read_text())
    file.write_text(json.dumps({**document, **changes}))
    assert main(["node", "--attach", str(file), "--serve-jobs", "telegraph"]) == 2
    assert complaint in capsys.readouterr().err


def test_models_that_serve_jobs_are_miners_of_the_nodes_file(tmp_path: Path) -> None:
    """A client asks for one of them by its intent, as for any of the catalog's."""
    (tmp_path / "jobs.yaml").write_text(SCENARIO)
    serve = command("--serve-jobs", "jobs.yaml", "--port", str(free_port()))
    with serve(tmp_path) as process:
        until("answer the jobs of", process)
        document = load_document(tmp_path / "node.json")
        (house,) = (miner for miner in document.miners if miner.model == "house")
        client = client_with_escrow(tmp_path / "node.json")
        job = client.open(bytes.fromhex(house.intent_id[2:]), "you alone?")
        client.wait(job)
        until(f"job {job} answered by house", process)
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=30) == 130
