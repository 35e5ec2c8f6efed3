"""What a run was asked to do is known whenever it is killed or interrupted, its clock included."""

from dataclasses import replace
from pathlib import Path

import pytest

from sim import runner
from sim.auditing import going_on
from sim.chain.began import load_began
from sim.chain.settlement import Resumed
from sim.facts import ToolError
from sim.record.archive import ChainPlace, save
from sim.record.begun import load_begun
from tests.chain_helpers import anvil, batches, settled, setup
from tests.scenarios_for_tests import lively, ran


@pytest.mark.parametrize("warp", [True, False])
def test_a_run_killed_while_it_is_saved_was_asked_what_it_was_asked(
    warp: bool, tmp_path: Path
) -> None:
    place = ChainPlace(
        backend="http://127.0.0.1:8545", first_call=5, first_block=1, last_block=9, head="0x00",
        calls=7, halted=False, warp=warp,
    )  # fmt: skip
    (tmp_path / "tasks.parquet").mkdir()  # nothing can be written there
    with pytest.raises(ToolError, match="cannot write the record"):
        save(tmp_path, ran(lively(20)), place)
    begun = load_begun(tmp_path)
    assert begun is not None
    assert (begun.chain, begun.warp) == (place.backend, warp)


@pytest.mark.chain
def test_a_warped_run_that_goes_on_keeps_its_clock(tmp_path: Path) -> None:
    made = batches([20, 15, 20, 9])
    with anvil() as url:
        run = replace(setup(tmp_path), backend=url, warp=True)
        with settled(made[:2], run) as begun:
            first = begun.batches[0].timestamp
            ready = begun.ready
        began = load_began(tmp_path)
        resumed = replace(run, resumed=Resumed(ready.first_call, ready.first_block))
        with settled(made, resumed) as found:
            assert [row.timestamp - first for row in found.batches] == [0, 60, 120, 180]
        assert load_began(tmp_path) == began


@pytest.mark.chain
def test_a_saved_run_that_goes_on_still_warps(tmp_path: Path) -> None:
    with anvil() as url:
        runner.run("hello-market", set={"tasks": 20}, out=tmp_path / "run", chain=url, warp=True)
    _, place = going_on(tmp_path / "run", allow_remote=False)
    assert (place.chain, place.warp) == (url, True)
