"""The command line as a process of its own, small experiments, and functions for workers."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from sim.experiment.session import Session, opened
from sim.experiment.space import Parameter
from sim.experiment.sweep import Sweep, plan, sweep
from sim.scenario import Scenario
from tests.scenarios_for_tests import group, model, scenario

ROOT = Path(__file__).parents[1]
TELEX = [sys.executable, "-m", "tests.experiment_helpers"]
PRICES = "models.dear.price.usd_per_call=0.02:0.04:3"
FLOORS = "router.floor=0.5,0.8"
MARKET = """
version: 1
name: small
tasks: {tasks}
seed: 3
models:
  cheap:
    price: {{kind: per_call, usd_per_call: 0.01}}
    quality: {{CHAT_COMPLETION: 0.6}}
    latency: {{first_token_ms: 1000, tokens_per_s: 100}}
  dear:
    price: {{kind: per_call, usd_per_call: 0.02}}
    quality: {{CHAT_COMPLETION: 0.9}}
    latency: {{first_token_ms: 2000, tokens_per_s: 100}}
groups:
  people:
    count: 5
    arrival: {{kind: poisson, per_hour: 120}}
    intents:
      CHAT_COMPLETION:
        input_tokens: {{median: 1000, sigma: 0.5}}
        output_tokens: {{median: 200, sigma: 0.5}}
    budget_usd: 1000
    value_usd: 0.5
    max_price_usd: 1
    deadline_s: 60
router: {{kind: quality-floor, floor: 0.5}}
chain: {{backend: none}}
"""


def small(tasks: int = 120, **changes: object) -> Scenario:
    """Two models, one cheap and one good, and a router with a floor."""
    models = {"cheap": model("0.01"), "dear": model("0.02", quality={"CHAT_COMPLETION": 0.9})}
    router = {"router": {"kind": "quality-floor", "floor": 0.5}}
    return scenario(models, {"a": group(600)}, **{"tasks": tasks, "seed": 3, **router, **changes})


def file_of(folder: Path, tasks: int = 120) -> Path:
    """The same market as a scenario file."""
    path = folder / "small.yaml"
    path.write_text(MARKET.format(tasks=tasks))
    return path


def planned(
    *params: str, what: Scenario | None = None, design: str = "grid", points: int | None = None
) -> Sweep:
    """A sweep of a small market."""
    return plan(what or small(), [Parameter.parse(text) for text in params], design, points)


def swept(what: Sweep, out: Path, reps: int = 2, workers: int | None = None) -> Session:
    """The session in which a sweep has run, closed."""
    with opened(what.experiment, out, workers) as session:
        sweep(what, session, reps)
    return session


def telex(*arguments: object, cwd: Path) -> subprocess.CompletedProcess[str]:
    """Runs a command to its end."""
    return subprocess.run(
        [*TELEX, *map(str, arguments)], cwd=cwd, env=environment(), capture_output=True, text=True,
        timeout=200, check=False,
    )  # fmt: skip


def started(*arguments: object, cwd: Path) -> subprocess.Popen[str]:
    """Starts a command in a process group of its own, as a shell does."""
    return subprocess.Popen(
        [*TELEX, *map(str, arguments)], cwd=cwd, env=environment(), text=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True,
    )  # fmt: skip


def environment() -> dict[str, str]:
    """This process's, with the project importable from any folder."""
    return {**os.environ, "PYTHONPATH": str(ROOT), "COLUMNS": "160"}


def wait_for_lines(path: Path, lines: int, timeout_s: float = 100) -> None:
    """Waits until a journal has so many rows."""
    ends = time.monotonic() + timeout_s
    while not path.exists() or path.read_bytes().count(b"\n") < lines:
        assert time.monotonic() < ends, f"{path} has too few rows"
        time.sleep(0.02)


def gone(pid: int, timeout_s: float = 20) -> bool:
    """Whether a process group has ended."""
    ends = time.monotonic() + timeout_s
    while time.monotonic() < ends:
        try:
            os.killpg(pid, 0)
        except ProcessLookupError:
            return True
        time.sleep(0.05)
    return False


def square(number: int) -> int:
    """Its square."""
    return number * number


def deadly(number: int) -> int:
    """Its square; but 3 kills the process, as running out of memory would."""
    if number == 3:
        os.kill(os.getpid(), signal.SIGKILL)
    return number * number


def missing(number: int) -> int:
    """What stands for a number that killed its process."""
    return -number


def _main() -> int:
    from sim.cli import commands, main
    from sim.cli.experiments import register

    known = [command.callback.__name__ for command in commands.app.registered_commands
             if command.callback]  # fmt: skip
    if "sweep" not in known:
        register(commands.app)
    return main()


if __name__ == "__main__":
    sys.exit(_main())
