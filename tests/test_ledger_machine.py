"""Python ledger and contracts, driven together: short here, long in a soak."""

from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test

from sim.chain import Rpc
from sim.chain.node import Node
from tests.ledger_machine import LedgerMachine

pytestmark = pytest.mark.chain


@pytest.fixture(scope="module", autouse=True)
def node() -> Iterator[None]:
    with Node() as node, Rpc(node.url) as rpc:
        LedgerMachine.rpc = rpc
        yield


def run(examples: int, steps: int) -> None:
    limits = settings(
        max_examples=examples,
        stateful_step_count=steps,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    run_state_machine_as_test(LedgerMachine, settings=limits)


def test_every_balance_is_the_same_in_python_and_on_chain_after_every_step() -> None:
    run(examples=8, steps=30)


@pytest.mark.soak
@pytest.mark.timeout(7_200)
def test_every_balance_is_the_same_after_thousands_of_steps() -> None:
    run(examples=150, steps=80)
