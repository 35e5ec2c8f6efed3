"""Make a virtual environment with pip in it.

Usage: python3 .ci/venv.py FOLDER. Where a distribution has split `ensurepip` off, the environment
gets its pip from the interpreter's own; where there is none either, the message says what to do.
"""

import importlib.util
import subprocess
import sys
from pathlib import Path

HELP = """This Python has neither ensurepip nor pip, so it cannot make a virtual environment.
Install the package that has them (python3-venv on Debian and Ubuntu), or name another Python:
make PYTHON=/path/to/python3"""


def main(target: str) -> None:
    """Create the environment at ``target``, anew if it is there."""
    make = [sys.executable, "-m", "venv", "--clear", target]
    if importlib.util.find_spec("ensurepip"):
        subprocess.run(make, check=True)
        return
    if not importlib.util.find_spec("pip"):
        sys.exit(HELP)
    subprocess.run([*make, "--without-pip"], check=True)
    python = Path(target, "bin", "python")
    install = [sys.executable, "-m", "pip", "--python", str(python), "install", "--quiet", "pip"]
    subprocess.run(install, check=True)


if __name__ == "__main__":
    main(sys.argv[1])
