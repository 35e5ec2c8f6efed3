"""An Anvil of our own: found, started with a fixed genesis, and surely ended; its own RPC calls.

Every ``evm_*`` and ``anvil_*`` call of the project is in this file. The node runs in a session of
its own, so that Ctrl-C does not reach it, and a guardian (one ``sh`` that waits on a pipe) kills it
if its owner dies without ending it.
"""

import contextlib
import os
import platform
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from types import TracebackType
from typing import IO, Self

from sim.chain.answers import as_text
from sim.chain.rpc import RefusedError, Rpc, UnreachableError
from sim.chain.settlement import GENESIS_UNIX
from sim.facts import ChainError, ToolError

MNEMONIC = "test test test test test test test test test test test junk"
CHAIN_ID = 31337
SETUP_S = 3_600  # the chain begins an hour earlier: deploying and funding happen before time 0
BLOCK_GAS_LIMIT = 10_000_000_000
START_TIMEOUT_S = 20.0
START_LOOK_S = 0.01
STOP_TIMEOUT_S = 5.0
PORT_ATTEMPTS = 5
KEPT_STATES = 16  # so many blocks can be taken back; each costs nothing that could be measured

_CHECKOUT = Path(__file__).resolve().parents[2]
_NATIVE_MAGIC = (b"\x7fELF", b"\xcf\xfa\xed\xfe", b"\xca\xfe\xba\xbe", b"MZ")
_GUARDIAN = 'read _line || kill -9 -"$0"'


def _native_package() -> str:
    machine = platform.machine().lower()
    machine = {"x86_64": "amd64", "aarch64": "arm64"}.get(machine, machine)
    return f"anvil-{sys.platform}-{machine}"


def native_binary(path: Path) -> Path:
    """The native binary behind npm's wrapper script, or the path itself if it is none.

    A wrapper that is killed leaves its node alive, so the node is started without it.
    """
    real = path.resolve()
    with real.open("rb") as file:
        if file.read(4).startswith(_NATIVE_MAGIC):
            return real
    package = _native_package()
    for folder in (real.parent.parent, real.parent / "node_modules" / "@foundry-rs"):
        binary = folder / package / "bin" / "anvil"
        if binary.is_file():
            return binary
    return real


def find_anvil() -> Path:
    """Anvil by TELEX_ANVIL, then PATH, then the project's own install; raises `ToolError`."""
    named = os.environ.get("TELEX_ANVIL")
    if named:
        found = shutil.which(named)
        if found is None:
            raise ToolError(f"TELEX_ANVIL names {named}, which is not a program that can be run")
        return native_binary(Path(found))
    on_path = shutil.which("anvil")
    if on_path is not None:
        return native_binary(Path(on_path))
    own = _CHECKOUT / "node_modules" / "@foundry-rs" / _native_package() / "bin" / "anvil"
    if own.is_file():
        return own
    raise ToolError(
        "Anvil was not found (TELEX_ANVIL, PATH, node_modules): `make contracts` installs it"
    )


def port_is_free(port: int) -> bool:
    """Whether a server could listen on this port of 127.0.0.1 now."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        with contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return True
    return False


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _command(
    binary: Path, port: int, chain_id: int, genesis_unix: int | None, automine: bool
) -> list[str]:
    command = [str(binary), "--host", "127.0.0.1", "--port", str(port), "--quiet"]
    command += ["--chain-id", str(chain_id), "--mnemonic", MNEMONIC, "--order", "fifo"]
    command += ["--gas-limit", str(BLOCK_GAS_LIMIT), "--enable-tx-gas-limit"]
    command += ["--block-base-fee-per-gas", "0", "--no-request-size-limit"]
    if genesis_unix is not None:
        command += ["--timestamp", str(genesis_unix - SETUP_S)]
    return command if automine else [*command, "--no-mining", "--prune-history", str(KEPT_STATES)]


class Node:
    """An Anvil that this process owns; a context manager, ended by `stop`.

    Args:
        port: where it listens on 127.0.0.1; any free one if None.
        chain_id: what it says its chain is, and signatures are made for.
        genesis_unix: unix seconds of simulated time 0; the machine's clock if None.
        automine: a block per transaction; otherwise blocks are mined by `mine` only.

    Raises:
        ToolError: Anvil is missing, or the port is occupied.
        ChainError: Anvil did not start.
    """

    def __init__(
        self,
        port: int | None = None,
        *,
        chain_id: int = CHAIN_ID,
        genesis_unix: int | None = GENESIS_UNIX,
        automine: bool = False,
    ) -> None:
        binary = find_anvil()
        if port is not None and not port_is_free(port):
            raise ToolError(f"port {port} is occupied: name another")
        said = ""
        self._guardian: subprocess.Popen[bytes] | None = None
        for attempt in range(1 if port is not None else PORT_ATTEMPTS):
            self.port = port if port is not None else _free_port()
            self.url = f"http://127.0.0.1:{self.port}"
            command = _command(binary, self.port, chain_id, genesis_unix, automine)
            with tempfile.TemporaryFile() as output:
                self._process = _spawn(command, output)
                if self._wait_until_up():
                    self._guardian = _guard(self._process.pid)
                    return
                self.stop()
                output.seek(0)
                said = output.read(2_000).decode(errors="replace").strip()
            if "in use" not in said or attempt == PORT_ATTEMPTS - 1:
                break
        raise ChainError(f"Anvil ({binary}) did not start on port {self.port}: {said or 'silent'}")

    @property
    def pid(self) -> int:
        """The process id, which is the process group's too."""
        return self._process.pid

    def alive(self) -> bool:
        """Whether the node's process still runs."""
        return self._process.poll() is None

    def stop(self) -> None:
        """Ends the node; may be called again."""
        _end(self._process)
        if self._guardian is not None:
            guardian, self._guardian = self._guardian, None
            with contextlib.suppress(BrokenPipeError):
                guardian.communicate(b"ended\n")

    def _wait_until_up(self) -> bool:
        end = time.monotonic() + START_TIMEOUT_S
        with Rpc(self.url, timeout_s=START_TIMEOUT_S) as rpc:
            while time.monotonic() < end and self.alive():
                with contextlib.suppress(UnreachableError):
                    return rpc.quantity("eth_blockNumber") == 0 and self.alive()
                time.sleep(START_LOOK_S)
        return False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()


def _spawn(command: list[str], output: IO[bytes]) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=output,
        start_new_session=True,
    )


def _guard(group: int) -> subprocess.Popen[bytes] | None:
    """Kills the process group when this process is gone without having said that it ended."""
    shell = shutil.which("sh")
    if shell is None:
        return None
    return subprocess.Popen(
        [shell, "-c", _GUARDIAN, str(group)],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )


def _end(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is not None:
        return
    for number in (signal.SIGTERM, signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, number)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(STOP_TIMEOUT_S)
            return


def mine(rpc: Rpc, timestamp: int) -> None:
    """Mines one block of all that waits, at ``timestamp`` (unix seconds)."""
    rpc.call("evm_mine", {"timestamp": hex(timestamp)})


def mine_waiting(rpc: Rpc) -> None:
    """Mines one block of all that waits, by the node's own clock."""
    rpc.call("evm_mine")


def mines_at_once(rpc: Rpc) -> bool:
    """Whether a node is an Anvil that mines each transaction as it comes."""
    try:
        return rpc.call("anvil_getAutomine") is True
    except RefusedError:
        return False


def set_next_timestamp(rpc: Rpc, timestamp: int) -> None:
    """The next block, whoever has it mined, carries ``timestamp`` (unix seconds)."""
    rpc.call("evm_setNextBlockTimestamp", hex(timestamp))


def mine_every(rpc: Rpc, seconds: int) -> None:
    """From now on a block every so many seconds, whatever waits, instead of one per transaction."""
    rpc.call("evm_setAutomine", False)
    rpc.call("evm_setIntervalMining", seconds)


def put_code(rpc: Rpc, address: str, code: bytes) -> None:
    """Puts runtime code at an address, as if it had always been there."""
    rpc.call("anvil_setCode", address, "0x" + code.hex())


def snapshot(rpc: Rpc) -> str:
    """Remembers the chain as it is, for `revert`."""
    return as_text(rpc.call("evm_snapshot"))


def revert(rpc: Rpc, remembered: str) -> None:
    """Takes every block back that was mined since the snapshot: a reorganisation."""
    rpc.call("evm_revert", remembered)


def roll_back(rpc: Rpc, blocks: int) -> None:
    """Takes the last so many blocks back; raises `RefusedError` beyond the states that are kept."""
    rpc.call("anvil_rollback", blocks)


def drop_waiting(rpc: Rpc) -> None:
    """Forgets every transaction that waits to be mined."""
    rpc.call("anvil_dropAllTransactions")


def drop_all_of(rpc: Rpc, address: str) -> None:
    """Forgets every transaction of one account that waits, be it for a nonce before it."""
    rpc.call("anvil_removePoolTransactions", address)
