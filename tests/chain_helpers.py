"""Made-up runs for the chain's tests: batches, what they cost whom, and settlers for them."""

import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.request import Request, urlopen

import numpy as np

from sim.chain import (
    Agent,
    Audit,
    AuditRecord,
    ChainSetup,
    Deployment,
    Rpc,
    Settlement,
    Settler,
    audit,
    find_anvil,
)
from sim.facts import Batch, ChainError
from sim.units import Int64Array, shares_floor

Answer = Callable[[bytes], tuple[int, bytes]]

FEE_BPS = 200
DEPOSIT = 50_000_000_000
MAX_PRICE = 250_000


def batches(
    sizes: list[int], *, agents: int = 5, models: int = 3, seed: int = 1, gap_us: int = 60_000_000
) -> list[Batch]:
    """Batches of random calls, one every ``gap_us``; each tenth call id belongs to a refund."""
    random = np.random.default_rng(seed)
    made, first = [], 0
    for number, size in enumerate(sizes):
        quote = random.integers(1, MAX_PRICE, size)
        charge = quote * random.integers(0, 101, size) // 100
        position = np.arange(first, first + size)
        made.append(
            Batch(
                number=number,
                closed_us=number * gap_us,
                first=first,
                call_id=position + position // 10 + 1,
                agent=random.integers(0, agents, size),
                model=random.integers(0, models, size),
                quote_micros=quote,
                charge_micros=charge,
                fee_micros=shares_floor(charge, FEE_BPS),
                score_ppm=random.integers(0, 1_000_001, size),
                intent=random.integers(0, 10, size),
                finished_us=number * gap_us + random.integers(0, 10**6, size),
                answer_hash=random.integers(0, 256, (size, 32), dtype=np.uint8),
            )
        )
        first += size
    return made


def setup(directory: Path, *, agents: int = 5, models: int = 3) -> ChainSetup:
    """A run's setup with round numbers."""
    buyers = tuple(Agent(f"agent-{number}", DEPOSIT, MAX_PRICE) for number in range(agents))
    names = tuple(f"model-{number}" for number in range(models))
    return ChainSetup(buyers, names, FEE_BPS, directory)


@contextmanager
def settled(made: list[Batch], run: ChainSetup) -> Iterator[Settlement]:
    """The batches settled; the node lives until the context is left."""
    with Settler(run) as settler:
        for batch in made:
            settler.send(batch)
        yield settler.finish()


def audited(found: Settlement, expected: AuditRecord) -> Audit:
    """The audit of a settlement, on the node that it is on."""
    return audit_at(found.ready.url, found.ready.deployment, of_run(found, expected))


def audit_at(url: str, deployment: Deployment, expected: AuditRecord) -> Audit:
    """The audit of a run on a node."""
    with Rpc(url) as rpc:
        return audit(rpc, deployment, expected)


def of_run(found: Settlement, expected: AuditRecord) -> AuditRecord:
    """The record, with the run's place on its chain."""
    return replace(
        expected,
        first_call=found.ready.first_call,
        first_block=found.ready.first_block,
        last_block=found.last_block,
    )


def record(made: list[Batch], agents: int = 5, models: int = 3) -> AuditRecord:
    """What a run that settled these batches records."""
    earned = np.zeros(models, dtype=np.int64)
    for batch in made:
        np.add.at(earned, batch.model, batch.charge_micros - batch.fee_micros)
    return AuditRecord(
        call_id=np.concatenate([batch.call_id for batch in made]),
        agent=np.concatenate([batch.agent for batch in made]),
        model=np.concatenate([batch.model for batch in made]),
        quote_micros=np.concatenate([batch.quote_micros for batch in made]),
        charge_micros=np.concatenate([batch.charge_micros for batch in made]),
        score_ppm=np.concatenate([batch.score_ppm for batch in made]),
        intent=np.concatenate([batch.intent for batch in made]),
        finished_us=np.concatenate([batch.finished_us for batch in made]),
        answer_hash=np.concatenate([batch.answer_hash for batch in made]),
        agent_balance_micros=DEPOSIT - spent(made, agents),
        model_earned_micros=earned,
        fees_micros=sum(int(batch.fee_micros.sum()) for batch in made),
        refunded_hash=np.zeros((1, 32), dtype=np.uint8),
    )


def spent(made: list[Batch], agents: int) -> Int64Array:
    """What each agent paid, in micros."""
    total = np.zeros(agents, dtype=np.int64)
    for batch in made:
        np.add.at(total, batch.agent, batch.charge_micros)
    return total


@contextmanager
def server(answer: Answer, *, missing: int = 0) -> Iterator[str]:
    """An HTTP server that answers each POST with what ``answer`` makes of it; 0 hangs up.

    So many bytes are ``missing`` at the end of each answer, which then ends the connection.
    """

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = 1 << 16  # headers and body in one packet

        def do_POST(self) -> None:
            status, body = answer(self.rfile.read(int(self.headers["Content-Length"])))
            if not status:
                self.close_connection = True
                return
            self.send_response(status)
            self.send_header("Content-Length", str(len(body) + missing))
            self.end_headers()
            self.wfile.write(body)
            self.close_connection = bool(missing)

        def log_message(self, *_: object) -> None:
            pass

    class Server(ThreadingHTTPServer):
        daemon_threads = True

    with Server(("127.0.0.1", 0), Handler) as running:
        thread = threading.Thread(target=running.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield f"http://127.0.0.1:{running.server_port}"
        finally:
            running.shutdown()
            thread.join()


def forwarding(url: str, lose: Callable[[bytes], bool]) -> Answer:
    """Passes requests to a node, and loses the answer of those that ``lose`` picks."""

    def answer(body: bytes) -> tuple[int, bytes]:
        request = Request(url, body, {"Content-Type": "application/json"})
        with urlopen(request) as response:
            content: bytes = response.read()
        return (0, b"") if lose(body) else (200, content)

    return answer


def losing(method: bytes, times: int) -> tuple[Callable[[bytes], bool], list[bytes]]:
    """Picks the first requests of a method; the list fills as they are lost."""
    lost: list[bytes] = []

    def lose(body: bytes) -> bool:
        if method in body and len(lost) < times:
            lost.append(body)
            return True
        return False

    return lose, lost


@contextmanager
def anvil(*options: str) -> Iterator[str]:
    """An Anvil as anybody starts it: it mines by itself, at its own time, and gas costs ether."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [str(find_anvil()), "--port", str(port), "--silent", *options]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as process:
        url = f"http://127.0.0.1:{port}"
        try:
            until(lambda: _answers(url))
            yield url
        finally:
            process.terminate()


def _answers(url: str) -> bool:
    try:
        with Rpc(url) as rpc:
            return rpc.quantity("eth_chainId") > 0
    except ChainError:
        return False


def until(done: Callable[[], bool], within_s: float = 30.0) -> None:
    """Waits until something is so, in vain for so many seconds at most."""
    end = time.monotonic() + within_s
    while not done():
        assert time.monotonic() < end
        time.sleep(0.01)
