"""Make a virtual environment with pip in it, even from a Python without pip and ensurepip.

Usage: python3 .ci/venv.py FOLDER. Some Linux distributions split both off; pip then comes from the
package index, checked against its hash.
"""

import hashlib
import importlib.util
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path
from urllib.parse import urljoin
from urllib.request import urlopen

PIP = "pip-26.2.1-py3-none-any.whl"
PIP_SHA256 = "71138adf1f4ca900cdb7d289c21b7494329f2332b6d85f0e1c42108c0384ed3e"
INDEX = os.environ.get("PIP_INDEX_URL", "https://pypi.org/simple").rstrip("/")


def fetch_pip(folder: str) -> Path:
    """Download the pinned pip wheel into the folder and return its path."""
    page_url = f"{INDEX}/pip/"
    with urlopen(page_url) as page:
        link = re.search(f'href="([^"#]*{re.escape(PIP)})', page.read().decode())
    if link is None:
        sys.exit(f"{page_url}: no {PIP} found")
    with urlopen(urljoin(page_url, link[1])) as answer:
        wheel = answer.read()
    found = hashlib.sha256(wheel).hexdigest()
    if found != PIP_SHA256:
        sys.exit(f"{PIP}: sha256 found {found}, needed {PIP_SHA256}")
    path = Path(folder, PIP)
    path.write_bytes(wheel)
    return path


def main(target: str) -> None:
    """Create the environment at ``target``, anew if it is there."""
    if importlib.util.find_spec("ensurepip"):
        subprocess.run([sys.executable, "-m", "venv", "--clear", target], check=True)
        return
    subprocess.run([sys.executable, "-m", "venv", "--clear", "--without-pip", target], check=True)
    python = Path(target, "bin", "python")
    with tempfile.TemporaryDirectory() as folder:
        wheel = fetch_pip(folder)
        install: list[str | Path] = [python, wheel / "pip", "install", "--quiet", "--no-index"]
        subprocess.run([*install, wheel], check=True)


if __name__ == "__main__":
    main(sys.argv[1])
