"""Jobs on a Dask cluster: the scheduler moves them to its workers, and again when one dies."""

import gc
import socket
from collections.abc import Callable, Iterable, Iterator
from importlib import import_module
from itertools import islice
from types import TracebackType
from typing import Protocol, Self, TypeVar, cast
from urllib.parse import urlsplit

from sim.experiment.outcomes import outcome
from sim.experiment.provenance import code_version
from sim.facts import ToolError

Item = TypeVar("Item")
Result = TypeVar("Result")
TIMEOUT_S = 10
CONNECT_S = 3
AHEAD = 4
SCHEMES = ("tcp", "tls")
EXTRA = "--dask needs Dask: pip install 'telex[dask]'"


class _Future(Protocol):
    """A result to come, as Dask has it."""

    status: str

    def result(self) -> object: ...

    def exception(self, timeout: float) -> BaseException | None: ...


class _Completed(Protocol):
    """Futures in the order in which they end."""

    def __iter__(self) -> Iterator[_Future]: ...

    def add(self, future: _Future) -> None: ...


class _Client(Protocol):
    """What is used of Dask's client."""

    loop: object

    def submit(self, function: object, item: object, *, pure: bool) -> _Future: ...

    def run(self, function: Callable[[], str], *, on_error: str) -> dict[str, object]: ...

    def wait_for_workers(self, n_workers: int, timeout: float) -> None: ...

    def nthreads(self) -> dict[str, int]: ...

    def close(self) -> None: ...


class Cluster:
    """The workers of a Dask scheduler.

    Raises `ToolError` on entering if Dask is not installed, the scheduler is out of reach, it has
    no worker, or a worker has another version of Telex or none.
    """

    def __init__(self, address: str, timeout_s: float = TIMEOUT_S) -> None:
        self.address, self.timeout_s = address, timeout_s
        self._client: _Client | None = None

    def __enter__(self) -> Self:
        try:
            connect = cast(Callable[..., _Client], import_module("distributed").Client)
        except ImportError as error:
            raise ToolError(EXTRA) from error
        try:
            _reach(self.address)
            # A dead client that is collected while the next one starts would wait for itself.
            gc.collect()
            self._client = connect(self.address, timeout=CONNECT_S, set_as_default=False)
        except (OSError, TimeoutError, ValueError) as error:
            msg = f"no Dask scheduler at {self.address}: {_first_line(error)}"
            raise ToolError(msg) from error
        try:
            self._check(self._client)
        except BaseException:
            self._client.close()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._client is not None:
            self._client.close()
            self._client = None

    def _check(self, client: _Client) -> None:
        try:
            client.wait_for_workers(1, timeout=self.timeout_s)
        except TimeoutError as error:
            msg = f"the Dask scheduler at {self.address} has no worker: dask worker {self.address}"
            raise ToolError(msg) from error
        needed = code_version()
        found = client.run(_version, on_error="return")
        for worker, answer in sorted(found.items()):
            if answer != needed:
                has = answer if isinstance(answer, str) else f"none ({answer})"
                msg = f"Dask worker {worker} must have telex {needed}, and has {has}"
                raise ToolError(msg)

    def each(
        self,
        function: Callable[[Item], Result],
        items: Iterable[Item],
        lost: Callable[[Item], Result],
    ) -> Iterator[tuple[Item, Result]]:
        """Each item with its result, as they come; see `sim.experiment.workers.Workers`."""
        assert self._client is not None, "Cluster is a context manager"
        dask, client, waiting = import_module("distributed"), self._client, iter(items)
        slots = max(1, sum(client.nthreads().values()))
        running = {
            client.submit(function, item, pure=False): item
            for item in islice(waiting, slots * AHEAD)
        }
        completed = cast(Callable[..., _Completed], dask.as_completed)(
            list(running), loop=client.loop
        )
        for future in completed:
            item = running.pop(future)
            if future.status == "finished":
                yield item, cast(Result, future.result())
            elif isinstance(error := _error(future), dask.KilledWorker):
                yield item, lost(item)
            else:
                msg = f"the Dask cluster at {self.address} was lost: {_first_line(error)}"
                raise ToolError(msg)
            for another in islice(waiting, 1):
                submitted = client.submit(function, another, pure=False)
                running[submitted] = another
                completed.add(submitted)


def _reach(address: str) -> None:
    """Raises `ValueError` or `OSError` unless something listens at such an address.

    A client that fails to connect leaves threads behind; better not to make one.
    """
    parts = urlsplit(address)
    if parts.scheme not in SCHEMES or not parts.hostname or not parts.port:
        msg = f"an address is {' or '.join(f'{scheme}://HOST:PORT' for scheme in SCHEMES)}"
        raise ValueError(msg)
    socket.create_connection((parts.hostname, parts.port), timeout=CONNECT_S).close()


def _error(future: _Future) -> BaseException:
    """What a future ended in; Dask tells of a lost scheduler by an error of many kinds."""
    return outcome(lambda: future.exception(TIMEOUT_S) or RuntimeError("cancelled"))


def _version() -> str:
    import_module("sim.experiment.jobs")  # a worker is of use only if it has this
    return code_version()


def _first_line(error: BaseException) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]
