"""A node for each test, a client with money in escrow there, and an authority that answers it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.authority_helpers import Served, client_with_escrow, node_file
from tests.telegraph_client import Client


@pytest.fixture
def file(tmp_path: Path) -> Iterator[Path]:
    with node_file(tmp_path) as path:
        yield path


@pytest.fixture
def client(file: Path) -> Client:
    return client_with_escrow(file)


@pytest.fixture
def served(file: Path) -> Served:
    return Served(file)
