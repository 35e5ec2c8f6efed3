"""Where jobs run on this machine: in this process, or in a pool of warm ones."""

import multiprocessing
import multiprocessing.connection
import os
import signal
import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from importlib import import_module
from itertools import islice
from multiprocessing.process import BaseProcess
from types import TracebackType
from typing import Protocol, Self, TypeVar

from sim.facts import Fault, ScenarioError

Item = TypeVar("Item")
Result = TypeVar("Result")
THREADS = "POLARS_MAX_THREADS"
AHEAD = 2


class Workers(Protocol):
    """Something that runs a function on many items, in any order."""

    def each(
        self,
        function: Callable[[Item], Result],
        items: Iterable[Item],
        lost: Callable[[Item], Result],
    ) -> Iterator[tuple[Item, Result]]:
        """Each item with its result, as they come.

        Args:
            function: of a module, so that another process can import it.
            lost: makes the result of an item that kills whatever process runs it.
        """
        ...

    def __enter__(self) -> Self: ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None: ...


class Serial:
    """One job after the other, in this process."""

    def each(
        self,
        function: Callable[[Item], Result],
        items: Iterable[Item],
        lost: Callable[[Item], Result],
    ) -> Iterator[tuple[Item, Result]]:
        """Each item with its result, in their order."""
        del lost
        for item in items:
            yield item, function(item)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        return None


class Processes:
    """A pool of processes, started once (``spawn``: nothing is inherited but the environment).

    They hold one Polars thread each, as they share the cores already.
    """

    def __init__(self, count: int) -> None:
        self.count = count
        self._pool: ProcessPoolExecutor | None = None
        self._others: list[BaseProcess] = []

    def __enter__(self) -> Self:
        self._start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stop()

    def each(
        self,
        function: Callable[[Item], Result],
        items: Iterable[Item],
        lost: Callable[[Item], Result],
    ) -> Iterator[tuple[Item, Result]]:
        """Each item with its result, as they come.

        When a process dies, the pool is started anew; what ran then runs again, each item alone,
        so that one that kills its process again is known by it.
        """
        suspects: list[Item] = []
        yield from self._gather(function, iter(items), self.count * AHEAD, suspects)
        while suspects:
            alone, again = suspects.pop(0), list[Item]()
            yield from self._gather(function, iter([alone]), 1, again)
            if again:
                yield alone, lost(alone)

    def _gather(
        self,
        function: Callable[[Item], Result],
        items: Iterator[Item],
        most: int,
        broken: list[Item],
    ) -> Iterator[tuple[Item, Result]]:
        running: dict[Future[Result], Item] = {}
        while True:
            for item in islice(items, most - len(running)):
                try:
                    running[self._running_pool().submit(function, item)] = item
                except BrokenProcessPool:
                    broken.append(item)
            if not running:
                return
            finished, _ = wait(running, return_when=FIRST_COMPLETED)
            for future in finished:
                item = running.pop(future)
                try:
                    yield item, future.result()
                except BrokenProcessPool:
                    broken.append(item)
            if broken and not running:
                self._stop()
                self._start()

    def _running_pool(self) -> ProcessPoolExecutor:
        assert self._pool is not None, "Processes is a context manager"
        return self._pool

    def _start(self) -> None:
        self._others = multiprocessing.active_children()
        context = multiprocessing.get_context("spawn")
        self._pool = ProcessPoolExecutor(self.count, context, initializer=_ready)
        with _environment(THREADS, "1"), _deaf():
            for _ in range(self.count):  # each submission starts one process
                self._pool.submit(_warm)

    def _stop(self) -> None:
        """Ends the processes, whatever they are at: what they were doing will be done again."""
        if self._pool is None:
            return
        self._pool.shutdown(wait=False, cancel_futures=True)
        for process in multiprocessing.active_children():
            if process not in self._others:
                process.terminate()
                process.join()
        self._pool = None


def cores() -> int:
    """The cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def local(count: int | None) -> Serial | Processes:
    """Workers on this machine: as many processes as asked for, or as there are cores."""
    if count is not None and count < 1:
        raise ScenarioError((Fault("--workers", str(count), "a whole number from 1"),))
    count = count or cores()
    return Processes(count) if count > 1 else Serial()


def _ready() -> None:
    """Leaves Ctrl-C, which a terminal sends to all of a job, to the process that started these."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()


@contextmanager
def _deaf() -> Iterator[None]:
    """Holds Ctrl-C back; a process that is started meanwhile is born deaf to it.

    Until it gets to `_ready` it would tell of an interruption by a traceback.
    """
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _end_with_parent() -> None:
    """A pool whose process is killed would wait for work for ever."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        multiprocessing.connection.wait([parent.sentinel])
        os._exit(1)


def _warm() -> None:
    """Imports what a job needs, before there is one."""
    import_module("sim.experiment.jobs")


@contextmanager
def _environment(name: str, value: str) -> Iterator[None]:
    before = os.environ.get(name)
    os.environ[name] = value
    try:
        yield
    finally:
        if before is None:
            del os.environ[name]
        else:
            os.environ[name] = before
