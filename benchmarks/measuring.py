"""How the workloads measure: seconds, medians of alternating rounds, memory, the machine."""

import gc
import os
import platform
import statistics
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from importlib.metadata import version
from multiprocessing import get_context
from pathlib import Path
from typing import ParamSpec, Self, TypeVar

LIBRARIES = ("telex", "simpy", "numpy", "polars", "pydantic", "web3")
LOOK_S = 0.1
KIB, GB = 1024, 10**9
PROC = Path("/proc")

Given = ParamSpec("Given")
Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Seconds:
    """What something took: by the clock on the wall, and of processor time of this process."""

    wall: float
    cpu: float


def timed(work: Callable[[], Result]) -> tuple[Result, Seconds]:
    """Does the work; what others left to the garbage collector is collected before."""
    gc.collect()
    wall, cpu = time.perf_counter(), time.process_time()
    result = work()
    return result, Seconds(time.perf_counter() - wall, time.process_time() - cpu)


def alternating(rounds: int, *works: Callable[[], Result]) -> list[list[Result]]:
    """The results of each work, done in turn: A B A B. What disturbs one round disturbs all."""
    found: list[list[Result]] = [[] for _ in works]
    for number in range(1, rounds + 1):
        tell(f"round {number} of {rounds}")
        for results, work in zip(found, works, strict=True):
            results.append(work())
    return found


def median(values: list[float]) -> float:
    """The median, so that one disturbed round counts for nothing."""
    return statistics.median(values)


def tell(text: str) -> None:
    """Progress, for people."""
    sys.stderr.write(f"  {text}\n")
    sys.stderr.flush()


def apart(work: Callable[Given, Result], *args: Given.args, **named: Given.kwargs) -> Result:
    """The result of work done in a fresh process, whose memory nobody has used before."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        return pool.submit(work, *args, **named).result()


class Peaks:
    """Watches a process and its descendants: the most memory each has ever held (Linux only).

    ``by_name`` sums the peaks of processes of one name, in bytes: never less than the peak of the
    sum. Empty where the system does not tell.
    """

    def __init__(self, pid: int) -> None:
        self._pid, self._ended = pid, threading.Event()
        self._found: dict[int, tuple[str, int]] = {}
        self._thread = threading.Thread(target=self._watch, daemon=True)

    @property
    def largest(self) -> int:
        """Bytes of the largest process."""
        return max((peak for _, peak in self._found.values()), default=0)

    @property
    def by_name(self) -> dict[str, int]:
        """Bytes by the name of the program; every Python is ``python``."""
        sums: dict[str, int] = {}
        for name, peak in self._found.values():
            name = "python" if name.startswith("python") else name
            sums[name] = sums.get(name, 0) + peak
        return sums

    def _watch(self) -> None:
        while not self._ended.wait(LOOK_S):
            self._look()

    def _look(self) -> None:
        parents: dict[int, int] = {}
        states: dict[int, tuple[str, int]] = {}
        for entry in PROC.glob("[0-9]*/status"):
            try:
                fields = dict(line.split(":", 1) for line in entry.read_text().splitlines())
            except OSError:
                continue  # it has ended
            pid = int(entry.parent.name)
            parents[pid] = int(fields["PPid"])
            if "VmHWM" in fields:
                peak = int(fields["VmHWM"].split()[0]) * KIB
                states[pid] = (Path(fields["Name"].strip()).name, peak)
        for pid, state in states.items():
            ancestor = pid
            while ancestor not in (0, self._pid):
                ancestor = parents.get(ancestor, 0)
            if ancestor:
                self._found[pid] = state

    def __enter__(self) -> Self:
        if PROC.is_dir():
            self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._ended.set()
        if self._thread.is_alive():
            self._thread.join()


def machine() -> dict[str, object]:
    """What was measured on: no names, no paths."""
    return {
        "system": f"{platform.system()} {platform.machine()}",
        "cpu": _cpu(),
        "cores": os.cpu_count(),
        "memory_gb": _memory_gb(),
        "load_before": round(os.getloadavg()[0], 2),
        "python": platform.python_version(),
        **{name: version(name) for name in LIBRARIES},
    }


def _cpu() -> str:
    try:
        lines = (PROC / "cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor()
    models = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return models[0] if models else platform.processor()


def _memory_gb() -> float | None:
    try:
        return round(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / GB, 1)
    except (ValueError, OSError):
        return None
