"""``telex doctor``: what is installed, where, and what a run on a chain would lack."""

import os
import platform
import shutil
import socket
import subprocess
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from importlib import metadata
from pathlib import Path

from rich.table import Table

from sim.cli.output import emit_json, people, say
from sim.facts import ToolError

LIBRARIES = (
    "telex", "numpy", "pydantic", "polars", "simpy", "ruamel.yaml", "typer", "rich",
    "web3", "eth-account", "coincurve", "safe-pysha3",
)  # fmt: skip
OPTIONAL = ("coincurve",)
PORT = 8545
TIMEOUT_S = 10
CHECKOUT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing looked at; ``needed`` says for what when it is missing, if anything needs it."""

    name: str
    ok: bool
    found: str
    needed: str = ""


def examine(as_json: bool) -> int:
    """Shows every finding; returns 0 if runs can be settled on a local chain, else 2."""
    findings = [*_machine(), *_libraries(), *_tools(), _artifacts(), _port()]
    ready = all(finding.ok or not finding.needed for finding in findings)
    if as_json:
        emit_json({"ok": ready, "findings": [asdict(finding) for finding in findings]})
    made = Table(box=None, show_header=False, padding=(0, 2, 0, 0), pad_edge=False)
    for finding in findings:
        mark = "[green]ok[/]" if finding.ok else "[red]missing[/]" if finding.needed else "-"
        needed = f" ({finding.needed})" if finding.needed and not finding.ok else ""
        made.add_row(finding.name, mark, f"{finding.found}{needed}")
    people().print(made)
    say("ready" if ready else "not ready: see what is missing above; `make setup` installs it")
    return 0 if ready else 2


def _machine() -> Iterator[Finding]:
    yield Finding("python", True, f"{platform.python_version()}, {platform.platform()}")
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    yield Finding("cores", True, str(cores))


def _libraries() -> Iterator[Finding]:
    for name in LIBRARIES:
        try:
            yield Finding(name, True, metadata.version(name))
        except metadata.PackageNotFoundError:
            needed = "" if name in OPTIONAL else "Telex does not run without it"
            yield Finding(name, False, "not installed", needed)


def _tools() -> Iterator[Finding]:
    from sim.chain.node import find_anvil

    try:
        anvil = find_anvil()
        yield Finding("anvil", True, f"{_version(anvil)}, {anvil}")
    except ToolError as error:
        yield Finding("anvil", False, str(error), "runs that settle on a chain")
    for name in ("forge", "node"):
        path = shutil.which(name) or shutil.which(name, path=str(_own_tools()))
        found = f"{_version(Path(path))}, {path}" if path else "not found; only compiling needs it"
        yield Finding(name, path is not None, found)


def _own_tools() -> Path:
    return CHECKOUT / "node_modules" / ".bin"


def _version(program: Path) -> str:
    try:
        asked = [str(program), "--version"]
        done = subprocess.run(asked, capture_output=True, text=True, timeout=TIMEOUT_S, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        return f"does not answer ({error})"
    first = (done.stdout or done.stderr).strip().splitlines()
    return first[0] if first else "does not say its version"


def _artifacts() -> Finding:
    folder = CHECKOUT / "sim" / "chain" / "artifacts"
    names = sorted(path.stem for path in folder.glob("*.json"))
    found = ", ".join(names) if names else "none: `make contracts` compiles them"
    return Finding("contracts", bool(names), found, "runs that settle on a chain")


def _port() -> Finding:
    with socket.socket() as probe:
        occupied = probe.connect_ex(("127.0.0.1", PORT)) == 0
    found = f"{PORT} is {'occupied (telex node --port names another)' if occupied else 'free'}"
    return Finding("port", not occupied, found)
