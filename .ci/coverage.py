"""Show how much of contracts/src Forge's tests reach, by an LCOV report; fail below 95 %.

Usage: python .ci/coverage.py FILE. Lines and branches are counted, per file and in all.
"""

import sys
from dataclasses import dataclass
from pathlib import Path

LEAST_PERCENT = 95.0


@dataclass
class Reached:
    """Lines and branches of a file: how many there are, how many were reached."""

    lines: int = 0
    lines_hit: int = 0
    branches: int = 0
    branches_hit: int = 0

    def add(self, other: "Reached") -> None:
        """Counts another file in."""
        self.lines += other.lines
        self.lines_hit += other.lines_hit
        self.branches += other.branches
        self.branches_hit += other.branches_hit

    def __str__(self) -> str:
        lines = f"{_percent(self.lines_hit, self.lines):6.2f} % ({self.lines_hit}/{self.lines})"
        share = _percent(self.branches_hit, self.branches)
        return f"{lines:<22} {share:6.2f} % ({self.branches_hit}/{self.branches})"

    @property
    def enough(self) -> bool:
        """Whether both are above the least."""
        lines = _percent(self.lines_hit, self.lines)
        return min(lines, _percent(self.branches_hit, self.branches)) >= LEAST_PERCENT


def _percent(hit: int, of: int) -> float:
    return 100 * hit / of if of else 100.0


def read(report: str) -> dict[str, Reached]:
    """What a report says of each file of src."""
    files: dict[str, Reached] = {}
    current = Reached()
    for line in report.splitlines():
        word, _, rest = line.partition(":")
        if word == "SF":
            current = Reached()
            if rest.startswith("src/"):
                files[rest] = current
        elif word == "DA":
            current.lines += 1
            current.lines_hit += rest.split(",")[1] != "0"
        elif word == "BRDA":
            current.branches += 1
            current.branches_hit += rest.split(",")[3] not in ("-", "0")
    return files


def main(path: str) -> int:
    """Prints the table; 1 if there is too little, or nothing at all."""
    files, total = read(Path(path).read_text()), Reached()
    for name, found in sorted(files.items()):
        sys.stdout.write(f"{name:<40} {found}\n")
        total.add(found)
    sys.stdout.write(f"{'contracts/src, lines and branches':<40} {total}\n")
    if total.enough and total.branches:
        return 0
    sys.stderr.write(f"coverage of contracts/src is below {LEAST_PERCENT:g} %\n")
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
