"""Settlement authorities for tests: their scenario, and steps by a clock that the test moves."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from sim.authority import Authority, Event, Outcome
from sim.chain import Rpc, serve
from sim.chain.local import load_document
from sim.scenario import Scenario, load
from tests.telegraph_client import Client

DOLLAR = 10**6
FEE = DOLLAR * 2 // 100
ENDED = (Outcome.SETTLED, Outcome.NOT_TAKEN)
SECOND = 10**6
CHAT, CODE = "CHAT_COMPLETION", "CODE_GENERATION"
SCENARIO = """
# Who answers the jobs of the tests: two models for chat, one of them for code, too.
version: 1
name: jobs
seed: 7
tasks: 1
models:
  glm-5:
    extends: catalog/glm-5
    quality: {CHAT_COMPLETION: 0.9999, CODE_GENERATION: 0.9999}
    capacity: {slots: 1, queue: 0}
    latency: {first_token_ms: 20, tokens_per_s: 1000000, sigma: 0}
  house:
    price: {kind: per_call, usd_per_call: 0.05}
    quality: {CHAT_COMPLETION: 0.9999}
    latency: {first_token_ms: 20, tokens_per_s: 1000000, sigma: 0}
groups:
  anyone:
    count: 1
    arrival: {kind: poisson, per_hour: 1}
    intents: {CHAT_COMPLETION: {input_tokens: {median: 50}, output_tokens: {median: 20}}}
    budget_usd: 1
    value_usd: 1
    max_price_usd: 1
    deadline_s: 60
router: {kind: cheapest}
"""


@cache
def jobs() -> Scenario:
    """The scenario of the tests."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "jobs.yaml"
        path.write_text(SCENARIO)
        return load(path)


@contextmanager
def node_file(folder: Path) -> Iterator[Path]:
    """The file of a node that mines each transaction at once."""
    with serve() as served:
        served.document.save(folder / "node.json")
        yield folder / "node.json"


def client_with_escrow(file: Path) -> Client:
    """A client that can pay ten jobs."""
    found = Client(file)
    found.deposit(10 * DOLLAR)
    return found


class Served:
    """An authority on the node of a file, by a clock that the test moves."""

    def __init__(self, file: Path) -> None:
        document = load_document(file)
        self.now_us = 0
        self.rpc = Rpc(document.rpc_url)
        self.authority = Authority(self.rpc, document.port, jobs(), lambda: self.now_us)

    def step(self, seconds: float = 0.0) -> list[tuple[int, Outcome, str]]:
        """One step, and more until what was answered is on the chain or is not taken."""
        self.now_us += round(seconds * SECOND)
        events: list[Event] = []
        end = time.monotonic() + 10
        while time.monotonic() < end:
            events += self.authority.step()
            found = [event.outcome for event in events]
            if found.count(Outcome.ANSWERED) == sum(map(found.count, ENDED)):
                return [(event.job, event.outcome, event.words) for event in events]
        pytest.fail(str(events))


def outcomes(events: list[tuple[int, Outcome, str]]) -> list[tuple[int, Outcome]]:
    return [(job, outcome) for job, outcome, _ in events]
