"""The settler's own process: it holds the node, settles what comes through its standard input.

Standard input is one end of a socket pair. A thread reads it; when it closes, because the parent
is done or is dead, the node is ended and the process with it. Every mined block is on disk before
the next, so nothing is lost by that.
"""

import os
import queue
import signal
import threading
import time
from dataclasses import replace
from multiprocessing.connection import Connection
from pathlib import Path

from sim.chain.accounts import ROUTER_INDEX, AccountKind, account
from sim.chain.acts import Acts
from sim.chain.answers import Block
from sim.chain.before import forget, how_on, load_before
from sim.chain.began import Began, load_began
from sim.chain.blocks import Blocks, ForeignBlocks, OwnBlocks
from sim.chain.course import Course
from sim.chain.deployer import check, deploy_with, find_signer, treasury
from sim.chain.deployment import NAME, Deployment, load_deployment
from sim.chain.local.fixed import put_fixed
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
from sim.chain.node import CHAIN_ID, Node
from sim.chain.protocol import check_performable, perform
from sim.chain.replayer import again
from sim.chain.rpc import Rpc, UnreachableError
from sim.chain.sender import Sender
from sim.chain.settlement import OWN_ANVIL, ChainSetup, Ready, SettledBatch
from sim.chain.transactions import Genesis, TransactionWriter, leave_blocks
from sim.facts import Batch, ChainError, ToolError

INBOX_BATCHES = 4
IDLE_S = 0.5
DYING_S = 1.0

Inbox = queue.Queue[Batch | Acts | Finish | Stop]


class Child:
    """One run's settler: its node, if it is ours, and its way to the chain."""

    def __init__(self, connection: Connection, started: float) -> None:
        self._connection, self._started = connection, started
        self._node: Node | None = None
        self._course: Course | None = None
        self._ended = threading.Event()
        self._sending = threading.Lock()

    def end(self) -> None:
        """Ends the node; called by the reading thread when the parent is gone."""
        self._ended.set()
        if self._node is not None:
            self._node.stop()

    def run(self, setup: ChainSetup, inbox: Inbox) -> None:
        """Settles until told to finish, then tells the parent how it went."""
        try:
            with self._rpc(setup) as rpc:
                own = setup.backend == OWN_ANVIL
                blocks = self._own(rpc, setup) if own else _foreign(rpc, setup)
                self._settle(blocks, setup, inbox)
            self._send(Finished())
        except (ChainError, ToolError) as error:
            why = self._cause(str(error)) if isinstance(error, UnreachableError) else str(error)
            tool = isinstance(error, ToolError)
            self._send(Failed(tool=tool, message=why + how_on(setup.directory)))

    def _cause(self, message: str) -> str:
        if self._node is None:
            return message
        end = time.monotonic() + DYING_S  # a killed process takes a moment to be gone
        while self._node.alive():
            if time.monotonic() > end:
                return message
            time.sleep(0.02)
        return f"the node died: Anvil, process {self._node.pid}, has ended"

    def _settle(self, blocks: Blocks, setup: ChainSetup, inbox: Inbox) -> None:
        resumed = setup.resumed
        first_block = resumed.first_block if resumed else _first_block(blocks, setup)
        deployment = _deployed(blocks, setup)
        deployment.save(setup.directory / NAME)
        self._head = blocks.rpc.block()
        self._course = course = Course(
            blocks, deployment, setup, first_block=first_block, told=self._tell,
            taken_back=lambda first: self._send(TakenBack(first)),
        )  # fmt: skip
        last, funded = load_began(setup.directory), course.funded
        began = Began(
            course.first_call, first_block, last.acts_block if last else None, blocks.zero_unix
        )
        began.save(setup.directory)
        forget(setup.directory)
        self._send(
            Ready(
                deployment=deployment,
                url=blocks.rpc.url,
                first_block=first_block,
                first_call=course.first_call,
                agent_balances=funded.agent_balances,
                model_earned=funded.model_earned,
                fees_micros=funded.fees_micros,
                node_pid=self._node.pid if self._node is not None else None,
                rail=setup.rail.kind,
            )
        )
        acts = self._take(course, inbox)
        if acts is not None:
            perform(blocks, deployment, acts, setup, began)
        self._tell([], blocks.rpc.block())

    def _take(self, course: Course, inbox: Inbox) -> Acts | None:
        """Settles what comes, to the end; returns what a protocol asks for then, if it does."""
        acts: Acts | None = None
        while True:
            try:
                item = inbox.get(timeout=IDLE_S)
            except queue.Empty:
                if self._node is not None and not self._node.alive():
                    raise ChainError(self._cause("")) from None
                continue
            if isinstance(item, Stop):
                course.wait()
                return None
            if isinstance(item, Finish):
                course.finish()
                return acts
            if isinstance(item, Acts):
                acts = item
            else:
                course.add(item)

    def _rpc(self, setup: ChainSetup) -> Rpc:
        """The way to the node, which is started if it is to be ours."""
        if setup.backend != OWN_ANVIL:
            return Rpc(
                setup.backend, allow_remote=setup.allow_remote, timeout_s=setup.timeout_s,
                heard=lambda words: self._send(Waiting(words)),
            )  # fmt: skip
        self._node = Node(setup.port, genesis_unix=setup.genesis_unix)
        if self._ended.is_set():
            self._node.stop()
        return Rpc(self._node.url)

    def _own(self, rpc: Rpc, setup: ChainSetup) -> Blocks:
        fixed = setup.rail.kind == "channel"
        genesis = Genesis(CHAIN_ID, setup.genesis_unix, fixed)
        if setup.resumed is not None:
            _forget_acts(setup.directory)
            again(rpc, setup.directory)
        elif fixed:
            put_fixed(rpc)
        writer = TransactionWriter(setup.directory, genesis, goes_on=setup.resumed is not None)
        router = account(AccountKind.OPERATOR, ROUTER_INDEX)
        sender = Sender(rpc, router, CHAIN_ID, free=True)
        return OwnBlocks(rpc, sender, setup.genesis_unix, writer)

    def _tell(self, batches: list[SettledBatch], block: Block | None) -> None:
        if block is not None:
            self._head = block
        seconds = time.monotonic() - self._started
        done = self._course.errands_done if self._course is not None else 0
        self._send(Progress(tuple(batches), self._head.hash, self._head.number, seconds, done))

    def _send(self, message: Message) -> None:
        with self._sending:
            self._connection.send(message)


def _forget_acts(directory: Path) -> None:
    """A protocol's acts come after all calls, and are done anew: the same, to the last byte."""
    began = load_began(directory)
    if began is None or began.acts_block is None:
        return
    leave_blocks(directory, began.acts_block - 1)
    load_deployment(directory / NAME).without_telegraph().save(directory / NAME)
    replace(began, acts_block=None).save(directory)


def _foreign(rpc: Rpc, setup: ChainSetup) -> Blocks:
    chain_id = rpc.quantity("eth_chainId")
    router = None
    given = setup.directory / NAME if setup.resumed is not None else setup.deployment
    deployment = load_deployment(given) if given is not None else None
    if deployment is not None:
        check(rpc, deployment, setup.fee_bps)
        router = deployment.router
    sender = Sender(rpc, find_signer(rpc, router), chain_id, free=False)
    if setup.performs:
        check_performable(sender, deployment, rpc.url)
    began = load_began(setup.directory)
    zero = began.zero_unix if began is not None else None
    return ForeignBlocks(rpc, sender, warp=setup.warp, zero_unix=zero)


def _first_block(blocks: Blocks, setup: ChainSetup) -> int:
    """Of the run; and the chain as it is now, should a funding have broken off there before."""
    before = load_before(setup.directory)
    if before is None:
        return blocks.rpc.block().number + 1
    blocks.look_again()
    return before.first_block


def _deployed(blocks: Blocks, setup: ChainSetup) -> Deployment:
    """The contracts to settle on; those of a protocol are another run's, if there are any yet."""
    if setup.resumed is not None:
        return load_deployment(setup.directory / NAME)
    if setup.deployment is not None:
        return load_deployment(setup.deployment).without_telegraph()
    rails = [setup.rail.kind]
    return deploy_with(blocks, setup.fee_bps, treasury().address, rails, setup.timelock_s)


def _read(connection: Connection, inbox: Inbox, child: Child) -> None:
    """Hands on what comes; ends everything when nothing can come any more."""
    try:
        while True:
            inbox.put(connection.recv())
    except (EOFError, OSError):
        child.end()
        os._exit(0)


def main() -> None:
    """Runs the settler: its setup is the first thing that comes."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    started = time.monotonic()
    connection = Connection(0)
    setup: ChainSetup = connection.recv()
    inbox: Inbox = queue.Queue(maxsize=INBOX_BATCHES)
    child = Child(connection, started)
    threading.Thread(target=_read, args=(connection, inbox, child), daemon=True).start()
    try:
        child.run(setup, inbox)
    except ConnectionError:
        child.end()
        return
    while True:  # what still comes is of no use, but behind it comes the end
        inbox.get()


if __name__ == "__main__":
    main()
