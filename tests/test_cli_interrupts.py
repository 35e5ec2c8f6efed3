"""Ctrl-C while a command starts ends it with 130 and without a word, whatever is being imported."""

import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

AT = """
import signal, sys
WANTED = sys.argv.pop(1)
class Interrupting:
    def find_spec(self, name, *_):
        if name == WANTED:
            signal.raise_signal(signal.SIGINT)
sys.meta_path.insert(0, Interrupting())
from sim.cli import main
sys.exit(main())
"""
RUN = ["run", "hello-market", "--chain", "none", "--set", "tasks=5", "--out", "out"]


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def ended(command: list[str]) -> tuple[int, str]:
    found = subprocess.run(command, check=False, capture_output=True, text=True, timeout=120)
    return found.returncode, found.stderr


@pytest.mark.parametrize(
    "module",
    ["typer", "rich", "sim.facts", "numpy", "numpy._core.multiarray", "sim.cli.commands",
     "sim.scenario", "pydantic", "ruamel.yaml", "sim.runner", "polars", "simpy"],
)  # fmt: skip
def test_an_interrupt_while_a_module_is_imported_ends_the_command(module: str) -> None:
    assert ended([sys.executable, "-c", AT, module, *RUN]) == (130, "")


def test_little_is_imported_before_an_interrupt_is_heeded() -> None:
    """What Python itself takes to start is all that is left."""
    code = "import sys; known = set(sys.modules); import sim.cli; print(*set(sys.modules) - known)"
    out = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    heavy = {"numpy", "typing", "pathlib", "typer", "sim.facts", "threading"}
    assert not heavy & set(out.stdout.split())
    assert len(out.stdout.split()) < 30


@pytest.mark.parametrize("wait_s", [0.05, 0.1, 0.2, 0.4, 0.8])
def test_an_interrupt_at_any_time_breaks_no_import_of_ours(wait_s: float) -> None:
    """Where Python itself is starting still, the traceback is its own."""
    with subprocess.Popen(
        [sys.executable, "-m", "sim", *RUN], stderr=subprocess.PIPE, text=True
    ) as process:
        time.sleep(wait_s)
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=120)
    ours = set(re.findall(r'File ".*/(sim/.*)", line', err))
    assert ours <= {"sim/__init__.py", "sim/__main__.py", "sim/cli/__init__.py"}
    assert "numpy" not in err
