"""The continuous integration's own programs: they fail when they should."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


def coverage(tmp_path: Path, report: str) -> subprocess.CompletedProcess[str]:
    file = tmp_path / "lcov"
    file.write_text(report)
    program = [sys.executable, str(ROOT / ".ci" / "coverage.py"), str(file)]
    return subprocess.run(program, capture_output=True, text=True, check=False)


def of_file(name: str, lines: int, reached: int, branches: int, taken: int) -> str:
    rows = [f"SF:{name}"]
    rows += [f"DA:{number},{int(number < reached)}" for number in range(lines)]
    rows += [f"BRDA:1,0,{number},{'5' if number < taken else '-'}" for number in range(branches)]
    return "\n".join([*rows, "end_of_record", ""])


def test_coverage_of_95_percent_is_enough_whatever_the_tests_own_is(tmp_path: Path) -> None:
    report = of_file("src/A.sol", 100, 95, 20, 19) + of_file("test/A.t.sol", 10, 0, 10, 0)
    done = coverage(tmp_path, report)
    assert (done.returncode, done.stderr) == (0, "")
    assert "95.00 % (95/100)" in done.stdout
    assert "test/" not in done.stdout


@pytest.mark.parametrize(
    "report",
    [
        of_file("src/A.sol", 100, 94, 20, 20),
        of_file("src/A.sol", 100, 100, 20, 18),
        of_file("test/A.t.sol", 10, 10, 10, 10),
        "",
    ],
    ids=["lines", "branches", "no sources", "nothing"],
)
def test_less_coverage_fails(tmp_path: Path, report: str) -> None:
    done = coverage(tmp_path, report)
    assert done.returncode == 1
    assert "below 95 %" in done.stderr
