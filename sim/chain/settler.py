"""The parent's side of the settler: batches go in, what is settled comes out, as the run goes on.

No chain library is imported here: the settler is a process of its own, which imports them and owns
the node. Two threads carry its mail, so that an interrupt in the parent never cuts a message.
"""

import contextlib
import os
import queue
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable
from multiprocessing.connection import Connection
from pathlib import Path
from types import TracebackType
from typing import Self

from sim.chain.acts import Acts
from sim.chain.messages import (
    Failed,
    Finish,
    Finished,
    Message,
    Progress,
    Stop,
    TakenBack,
    Waiting,
)
from sim.chain.settlement import OWN_ANVIL, ChainSetup, Ready, SettledBatch, Settlement
from sim.facts import Batch, ChainError, ToolError

QUEUE_BATCHES = 64
LOOK_S = 0.2
END_TIMEOUT_S = 10.0

Heard = Callable[[str], None]

_ROOT = Path(__file__).resolve().parents[2]


class Settler:
    """Settles a run's batches on a chain; a context manager that ends the node when it is left.

    ``heard`` is told, by another thread, what the settler has to wait for.

    Raises `ToolError` if the setup contradicts itself.
    """

    def __init__(self, setup: ChainSetup, heard: Heard | None = None) -> None:
        if setup.deployment is not None and setup.backend == OWN_ANVIL:
            raise ToolError("a deployment is on a chain that runs: name its URL as the chain")
        if (setup.bonds_micros or setup.has_jobs) and setup.backend != OWN_ANVIL:
            raise ToolError(
                "bonds are slashed, and jobs paid for, by transactions of the accounts they are "
                f"of, which have no ETH on {setup.backend}; allowed: --chain anvil, --chain none"
            )
        if setup.withdraws and not setup.warp and setup.backend != OWN_ANVIL:
            raise ToolError(
                f"withdrawals wait for hours of the clock of {setup.backend}, which only --warp "
                "sets, on an Anvil; allowed without it: --chain anvil, --chain none"
            )
        self._setup, self._heard = setup, heard
        self._changed = threading.Condition()
        self._outbox: queue.Queue[Batch | Acts | Finish | Stop | ChainSetup] = queue.Queue(
            QUEUE_BATCHES
        )
        self._ready: Ready | None = None
        self._failure: ChainError | ToolError | None = None
        self._finished = self._closed = False
        self._batches: list[SettledBatch] = []
        self._settled, self._head, self._last_block, self._seconds = 0, "", 0, 0.0
        self._errands = 0
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Starts the settler's process and returns at once; `wait_ready` says how that went."""
        own, other = socket.socketpair()
        self._socket = own
        self._connection = Connection(os.dup(own.fileno()))
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115 - closed by `close`
        path = os.pathsep.join(filter(None, (str(_ROOT), os.environ.get("PYTHONPATH"))))
        with other:
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-m", "sim.chain.child"],
                stdin=other.fileno(),
                stdout=subprocess.DEVNULL,
                stderr=self._errors,
                start_new_session=True,
                env={**os.environ, "PYTHONPATH": path, "ETH_HASH_BACKEND": "pysha3"},
            )
        self._outbox.put(self._setup)
        self._threads = [
            threading.Thread(target=carry, daemon=True) for carry in (self._write, self._read)
        ]
        for thread in self._threads:
            thread.start()

    def wait_ready(self) -> Ready:
        """Waits until the contracts stand and the agents are funded.

        Raises:
            ToolError: Anvil or the contracts are missing, the port is occupied, the URL is refused.
            ChainError: the node cannot be reached, or refuses.
        """
        self._wait(lambda: self._ready is not None)
        assert self._ready is not None
        return self._ready

    def send(self, batch: Batch) -> None:
        """Hands a batch to the settler; waits while too many are on their way.

        Raises `ChainError` (or `ToolError`) as soon as the settler is known to have failed.
        """
        self._put(batch)

    def perform(self, acts: Acts) -> None:
        """Has a protocol's acts done, once all is settled."""
        self._put(acts)

    @property
    def settled(self) -> int:
        """How many calls are on the chain by now."""
        return self._settled

    @property
    def settlement_so_far(self) -> Settlement | None:
        """What is known to be settled by now; None before the chain stands."""
        with self._changed:
            if self._ready is None:
                return None
            return Settlement(
                ready=self._ready,
                batches=tuple(self._batches),
                head=self._head,
                last_block=self._last_block,
                seconds=self._seconds,
                errands=self._errands,
            )

    def finish(self) -> Settlement:
        """Waits until all that was sent is settled; the node lives on until `close`.

        Raises `ChainError` (or `ToolError`) if the settler fails; see `settlement_so_far` then.
        """
        self._put(Finish())
        return self._outcome()

    def _outcome(self) -> Settlement:
        self._wait(lambda: self._finished)
        settlement = self.settlement_so_far
        assert settlement is not None
        return settlement

    def halt(self) -> Settlement:
        """Has the settler finish the block in hand and no more; what is settled is then known.

        Raises `ChainError` (or `ToolError`) if the settler fails.
        """
        with contextlib.suppress(queue.Empty):
            while True:
                item = self._outbox.get_nowait()
                if isinstance(item, ChainSetup):
                    self._outbox.put(item)
                    break
        self._put(Stop())
        return self._outcome()

    def close(self) -> None:
        """Ends the settler and its node; may be called again."""
        if self._process is None or self._closed:
            return
        self._closed = True
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        try:
            self._process.wait(END_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            self._process.kill()  # its node's guardian sees to the node
            self._process.wait()
        with contextlib.suppress(queue.Full):
            self._outbox.put_nowait(Finish())  # wakes a writer that waits for work
        for thread in self._threads:
            thread.join(END_TIMEOUT_S)
        self._connection.close()
        self._socket.close()
        self._errors.close()

    def _put(self, item: Batch | Acts | Finish | Stop) -> None:
        while True:
            if self._failure is not None:
                raise self._failure
            if self._process is None or self._closed:
                raise ChainError("the settler is not running")
            with contextlib.suppress(queue.Full):
                self._outbox.put(item, timeout=LOOK_S)
                return

    def _wait(self, done: Callable[[], bool]) -> None:
        with self._changed:
            while not done():
                if self._failure is not None:
                    raise self._failure
                self._changed.wait(LOOK_S)

    def _write(self) -> None:
        with contextlib.suppress(OSError):
            while not self._closed:
                self._connection.send(self._outbox.get())

    def _read(self) -> None:
        try:
            while True:
                message: Message = self._connection.recv()
                with self._changed:
                    self._take(message)
                    self._changed.notify_all()
        except (EOFError, OSError):
            with self._changed:
                if self._failure is None and not self._closed:
                    self._failure = ChainError(self._last_words())
                self._changed.notify_all()

    def _take(self, message: Message) -> None:
        match message:
            case Ready():
                self._ready = message
            case Progress():
                self._batches += message.batches
                self._settled += sum(batch.count for batch in message.batches)
                self._head, self._last_block = message.head, message.last_block
                self._seconds, self._errands = message.seconds, message.errands
            case TakenBack():
                self._batches = [row for row in self._batches if row.first < message.first]
                self._settled = sum(row.count for row in self._batches)
            case Waiting():
                if self._heard is not None:
                    self._heard(message.words)
            case Failed():
                kind = ToolError if message.tool else ChainError
                self._failure = kind(message.message)
            case Finished():
                self._finished = True

    def _last_words(self) -> str:
        """What a settler that ended without saying why left on its standard error."""
        assert self._process is not None
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(1.0)
        self._errors.seek(0)
        lines = self._errors.read().decode(errors="replace").strip().splitlines()
        status = self._process.returncode
        return f"the settler ended with status {status}: {lines[-1] if lines else 'no word'}"

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()
