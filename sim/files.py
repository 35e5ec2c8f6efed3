"""Files that are looked for by any name, and written whole or not at all."""

from pathlib import Path

from sim.facts import ToolError


def is_file(path: Path) -> bool:
    """Whether there is a file, as far as can be told: some names are no file's, being too long."""
    try:
        return path.is_file()
    except (OSError, ValueError):
        return False


def is_there(path: Path) -> bool:
    """Whether there is a file or a folder; as `is_file`."""
    try:
        return path.exists()
    except (OSError, ValueError):
        return False


def write_whole(path: Path, text: str) -> None:
    """Puts a text in a file's place in one step; raises `ToolError` if it cannot be written."""
    check_writable(path)
    try:
        draft = path.with_suffix(".draft")
        draft.write_text(text)
        draft.replace(path)
    except OSError as error:
        raise ToolError(f"{path} cannot be written: {error.strerror}") from None


def check_writable(path: Path) -> None:
    """Raises `ToolError` unless `write_whole` can put a file there: asked before what costs gas."""
    why = "" if path.name else "it names no file"
    try:
        if path.is_dir():
            why = why or "Is a directory"
        if not why:
            draft = path.with_suffix(".draft")
            draft.touch()
            draft.unlink()
    except OSError as error:
        why = error.strerror or str(error)
    if why:
        raise ToolError(f"{path} cannot be written: {why}")
