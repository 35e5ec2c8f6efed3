"""Settlement authorities that end, begin again or meet: no job is served twice, none is lost."""

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
    Served,
    jobs,
    outcomes,
)
from tests.telegraph_client import FUNDED, RECORDER, TERMINAL, Client

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


def test_a_port_of_another_authority_is_refused(file: Path) -> None:
    document = load_document(file)
    with Rpc(document.rpc_url) as rpc, pytest.raises(ChainError):
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
