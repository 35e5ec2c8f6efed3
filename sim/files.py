"""Files of a run that are there whole or not at all, whenever the run is killed."""

from pathlib import Path

from sim.facts import ToolError


def write_whole(path: Path, text: str) -> None:
    """Puts a text in a file's place in one step; raises `ToolError` if it cannot be written."""
    try:
        draft = path.with_suffix(".draft")
        draft.write_text(text)
        draft.replace(path)
    except OSError as error:
        raise ToolError(f"{path} cannot be written: {error.strerror}") from None
