"""What ships with Telex as files: the catalog of models, the presets, and the scenarios."""

from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache
from itertools import takewhile
from pathlib import Path
from typing import NamedTuple

HERE = Path(__file__).parent
COMMAND = "telex "
FOLDERS = {"catalog": HERE / "catalog", "presets": HERE / "presets"}


class Remarks(NamedTuple):
    """The comment that a file begins with, by its parts.

    Attributes:
        question: what the file is, or asks; the first of it where nothing is set apart.
        expected: the answer and why, from ``Expect`` at a line's start on.
        commands: its lines that begin with ``telex``, to be run as they are.
    """

    question: str
    expected: str
    commands: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Shipped:
    """A file that ships with Telex: its name, its first comment, and where it is."""

    name: str
    remarks: Remarks
    path: Path


def scenarios_folder() -> Path:
    """Where the shipped scenarios are: beside the package (checkout) or inside it (installed)."""
    beside, inside = HERE.parent.parent / "scenarios", HERE.parent / "scenarios"
    return inside if inside.is_dir() else beside


@cache
def names(folder: Path) -> tuple[str, ...]:
    """The names of the YAML files in a folder, sorted."""
    return tuple(sorted(path.stem for path in folder.glob("*.yaml")))


def listing(folder: Path) -> list[Shipped]:
    """The YAML files in a folder with their first comments."""
    paths = [folder / f"{name}.yaml" for name in names(folder)]
    return [Shipped(path.stem, remarks(path), path) for path in paths]


def headline(path: Path) -> str:
    """The comment that a file begins with, as one line."""
    return " ".join(_comment(path))


def remarks(path: Path) -> Remarks:
    """The comment that a file begins with, by its parts."""
    lines = _comment(path)
    words = [line for line in lines if not line.startswith(COMMAND)]
    start = next((at for at, line in enumerate(words) if line.startswith("Expect")), len(words))
    commands = tuple(line for line in lines if line.startswith(COMMAND))
    return Remarks(" ".join(words[:start]), " ".join(words[start:]), commands)


def _comment(path: Path) -> list[str]:
    lines = takewhile(lambda line: line.startswith("#"), path.read_text("utf-8").splitlines())
    return [line.lstrip("# ").strip() for line in lines]


def shipped(reference: str) -> Path | None:
    """The file that ``catalog/glm-5`` or ``presets/telegraph`` names, if there is one."""
    family, _, name = reference.partition("/")
    folder = FOLDERS.get(family)
    return folder / f"{name}.yaml" if folder and name in names(folder) else None


def nearest(word: str, known: list[str] | tuple[str, ...]) -> str:
    """A hint at the known name that is nearest to a word; empty when none is near."""
    folded = {name.lower(): name for name in known}
    close = get_close_matches(word.lower(), folded, n=1, cutoff=0.6)
    return f"did you mean {folded[close[0]]}?" if close else ""
