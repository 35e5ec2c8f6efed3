"""A router of the user's own, from a Python file that the scenario names."""

import ast
import hashlib
import sys
import traceback
from collections.abc import Callable, Sequence
from contextlib import redirect_stdout, suppress
from functools import cache
from operator import index
from pathlib import Path
from typing import Annotated, Literal, Self, SupportsIndex

from pydantic import Field, model_validator

from sim.facts import Fault, ScenarioError, Task
from sim.parameters import Parameters
from sim.routers.pool import MarketPool

ALLOWED = "a Python file with def pick(task, attempt, models, pool, **parameters) -> one of models"
Pick = Callable[..., object]


class Python(Parameters):
    """Your own rule: ``pick(task, attempt, models, pool, **parameters)`` in a Python ``file``.

    The path is taken from the folder of the scenario, or from where Telex is run if it was given
    after ``--set``. The file is only read when the scenario is checked
    and runs when the first task comes; its SHA-256 is part of the scenario, so that a record says
    which code it was made by. Chance should come from `sim.chance.mix` alone.
    """

    kind: Literal["python"] = "python"
    file: str = Field(min_length=1, max_length=1000)
    parameters: dict[Annotated[str, Field(min_length=1)], bool | int | float | str] = {}
    sha256: str | None = Field(default=None, pattern=r"^[0-9a-f]{64}$")

    @model_validator(mode="after")
    def _readable(self) -> Self:
        if self.sha256 is None:
            object.__setattr__(self, "sha256", _checked(self.file))
            object.__setattr__(self, "file", str(Path(self.file).resolve()))
        return self

    def pick(self, task: Task, attempt: int, models: Sequence[int], pool: MarketPool) -> int:
        """What the file's own ``pick`` returns, if that is on offer."""
        function = _loaded(self.file, self.sha256)
        try:
            with redirect_stdout(sys.stderr):  # stdout may be a program's, as with --json
                found = function(task, attempt, models, pool, **self.parameters)
        except (Exception, SystemExit) as error:
            raise _fault(self.file, f"pick raised {_said(error)}") from error
        place = _whole(found)
        if place not in models:
            allowed = f"one of the models on offer: {', '.join(map(str, models))}"
            raise _fault(self.file, f"pick returned {found!r:.60}", allowed)
        return place


def _whole(found: object) -> int:
    """A whole number, be it Python's or NumPy's; else -1, which is no model."""
    if type(found) is int:
        return found
    if isinstance(found, bool) or not isinstance(found, SupportsIndex):
        return -1
    with suppress(TypeError):  # NumPy's booleans say that they are one, and are not
        return index(found)
    return -1


def _checked(file: str) -> str:
    """The SHA-256 of a file that parses and has a ``pick``; `ValueError` says what else it is."""
    try:
        source = Path(file).read_bytes()
        tree = ast.parse(source)
    except OSError as error:
        msg = f"{ALLOWED}; {file} cannot be read: {error.strerror} (from {Path.cwd()})"
        raise ValueError(msg) from error
    except (SyntaxError, ValueError) as error:
        msg = f"{ALLOWED}; {file} is no Python: {error}"
        raise ValueError(msg) from error
    if "pick" not in {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}:
        msg = f"{ALLOWED}; {file} has no function pick"
        raise ValueError(msg)
    return hashlib.sha256(source).hexdigest()


@cache
def _loaded(file: str, sha256: str | None) -> Pick:
    try:
        source = Path(file).read_bytes()
    except OSError as error:
        raise _fault(file, f"no file that can be read ({error.strerror})") from error
    if hashlib.sha256(source).hexdigest() != sha256:
        raise _fault(file, "another file than when the scenario was checked", "the same file")
    names: dict[str, object] = {"__name__": Path(file).stem, "__file__": file}
    try:
        with redirect_stdout(sys.stderr):
            exec(compile(source, file, "exec"), names)
    except (Exception, SystemExit) as error:
        raise _fault(file, f"a file that raised {_said(error)}") from error
    pick = names.get("pick")
    if not callable(pick):
        raise _fault(file, "no function pick")
    return pick


def _said(error: BaseException) -> str:
    """The error in short, with the line it came from."""
    where = traceback.extract_tb(error.__traceback__)[-1]
    return f"{type(error).__name__}: {error} (line {where.lineno} of {Path(where.filename).name})"


def _fault(file: str, found: str, allowed: str = ALLOWED) -> ScenarioError:
    return ScenarioError((Fault("router.file", f"{file}: {found}", allowed),))
