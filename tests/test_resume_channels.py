"""A run of channels that goes on where claims landed and their split did not."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from sim.chain import Settler, serve
from sim.chain.contracts import contract
from sim.chain.settlement import Resumed
from sim.facts import ChainError
from sim.rails import rail_like
from tests.chain_helpers import (
    FEE_BPS,
    Answer,
    audited,
    batches,
    forwarding,
    record,
    server,
    settled,
    setup,
)

pytestmark = pytest.mark.chain
MADE = batches([20, 15, 20])


def without_second_split(url: str) -> Answer:
    """Passes requests to a node; of the second batch its split gets lost, and so does the node."""
    pass_on, split = forwarding(url, lambda _: False), contract("CallHub").selector("split").hex()
    seen: list[bytes] = []

    def answer(body: bytes) -> tuple[int, bytes]:
        if len(seen) < 2 and b"eth_sendRawTransaction" in body and split.encode() in body:
            seen.append(body)
            if len(seen) == 2:
                kept = [one for one in json.loads(body) if split not in one["params"][0]]
                pass_on(json.dumps(kept).encode())
        return (0, b"") if len(seen) == 2 else pass_on(body)

    return answer


def test_what_was_claimed_of_channels_and_not_split_is_not_claimed_again(tmp_path: Path) -> None:
    with serve(fee_bps=FEE_BPS) as node:
        run = setup(tmp_path)
        run = replace(run, rail=rail_like(run.rail, "channel"))
        with (
            server(without_second_split(node.url)) as url,
            Settler(replace(run, backend=url)) as settler,
        ):
            ready = settler.wait_ready()
            for batch in MADE:
                settler.send(batch)
            with pytest.raises(ChainError, match="cannot be reached"):
                settler.finish()
        resumed = Resumed(ready.first_call, ready.first_block)
        with settled(MADE, replace(run, backend=node.url, resumed=resumed)) as found:
            assert [batch.count for batch in found.batches] == list(map(len, MADE))
            result = audited(found, replace(record(MADE), rail="channel"))
    assert (result.faults, result.calls_on_chain) == ((), sum(map(len, MADE)))
