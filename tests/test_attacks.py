"""What a market of strangers does to a settlement: attacks that need agents, routers and money.

Those of one contract alone are in contracts/test/Attacks.t.sol; docs/security.md has the list.
"""

from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest

import sim
from sim.chain import Rpc, Settler
from sim.chain.accounts import ROUTER_INDEX, AccountKind, account
from sim.chain.blocks import OwnBlocks
from sim.chain.contracts import contract, integers
from sim.chain.node import CHAIN_ID
from sim.chain.pack import GAS_LIMIT, pack
from sim.chain.sender import Sender
from sim.chain.settlement import GENESIS_UNIX
from sim.facts import Batch
from sim.runner import Run
from tests.chain_helpers import (
    DEPOSIT,
    FEE_BPS,
    MAX_PRICE,
    audit_at,
    batches,
    of_run,
    record,
    setup,
)

# -- Reputation from calls nobody paid for ---------------------------------------------------------

REVIEWS = "bought-reviews"
NO_MONEY = {"groups.reviewers.budget_usd": "0.000001"}
NOBODY = {"groups.reviewers.arrival.per_hour": 1e-6}


def of_buyers(run: Run) -> pl.DataFrame:
    """What became of the buyers' calls; ids, which the others' calls shift, are left out."""
    calls: pl.DataFrame = run.calls.filter(pl.col("group") == "buyers")
    return calls.select("agent", "model", "posted_us", "finished_us", "success", "score_ppm")


def test_reviewers_without_money_move_no_score_and_no_call() -> None:
    """A score may cite only settled calls: who cannot pay is not asked, and so not counted."""
    without = sim.run(REVIEWS, set=NOBODY, chain="none")
    crowd = sim.run(REVIEWS, set=NO_MONEY, chain="none")
    reviewers = crowd.summary.groups["reviewers"]
    assert (reviewers.posted > 2_000, reviewers.succeeded) == (True, 0)
    assert of_buyers(crowd).equals(of_buyers(without))
    assert len(crowd.calls) == len(without.calls)
    for model, figures in without.summary.models.items():
        assert crowd.summary.models[model].score == figures.score


def test_bought_reviews_lift_a_bad_model_for_the_price_of_the_fee() -> None:
    """What no settlement stops: strangers who pay their own model lose the fee, and no more."""
    honest = sim.run(REVIEWS, set=NO_MONEY, chain="none").summary
    bought = sim.run(REVIEWS, chain="none")
    summary = bought.summary
    before, after = (found.groups["buyers"].success_rate for found in (honest, summary))
    assert before is not None
    assert after is not None
    assert before - after > 0.10
    assert honest.models["shill"].share_calls < 0.10 < 0.50 < summary.models["shill"].share_calls
    paid = bought.calls.filter(pl.col("group") == "reviewers")
    assert set(paid["model"].cast(str)) == {"shill"}
    spent, fees = paid["charge_micros"].sum(), paid["fee_micros"].sum()
    assert fees == spent * FEE_BPS // 10_000  # all that the reviewers and their model lose


def test_spot_checks_undo_bought_reviews() -> None:
    """Two epochs of Telegraph's protocol: its own tasks say what a bought score does not."""
    rich = {"groups.buyers.budget_usd": 500, "groups.reviewers.budget_usd": 500, "horizon_h": 48}
    success = []
    for tasks in (0, 400):
        protocol = {"protocol.kind": "telegraph", "protocol.spot_checks.tasks": tasks}
        summary = sim.run(REVIEWS, set={**rich, **protocol}, chain="none").summary
        found = summary.groups["buyers"].success_rate
        assert found is not None
        success.append(found)
    unchecked, checked = success
    assert unchecked < 0.66
    assert checked > 0.72


# -- A router that invents calls -------------------------------------------------------------------


def invented(agent: int, quote: int, charge: int, count: int, first: int) -> Batch:
    """Calls that nobody made, of one agent's, in favour of the first model."""
    zeros = np.zeros(count, np.int64)
    return Batch(
        99, 0, first, zeros, zeros + agent, zeros, zeros + quote, zeros + charge, zeros, zeros,
        zeros, zeros, np.full((count, 32), 0xBA, np.uint8),
    )  # fmt: skip


@pytest.mark.chain
def test_a_router_that_invents_calls_takes_no_more_than_mandates_and_is_found_out(
    tmp_path: Path,
) -> None:
    made = batches([40])
    with Settler(setup(tmp_path)) as settler:
        for batch in made:
            settler.send(batch)
        found = settler.finish()
        deployment, ledger = found.ready.deployment, contract("CallLedger")
        with Rpc(found.ready.url) as rpc:
            router = account(AccountKind.OPERATOR, ROUTER_INDEX)
            sender = Sender(rpc, router, CHAIN_ID, free=True)
            blocks = OwnBlocks(rpc, sender, GENESIS_UNIX, None)
            ids = np.arange(1, 6), np.arange(6, 9)
            view = ledger.call("account", 1)
            balance, cap, price, _ = integers(rpc.view(deployment.call_ledger, view))
            assert (price, cap) == (MAX_PRICE, balance)
            dear, honest_looking = MAX_PRICE + 1, MAX_PRICE
            for quote, count, first in ((dear, 10, 40), (honest_looking, 10, 50)):
                packed = pack(invented(0, quote, quote, count, first), slice(None), *ids, False)
                data = packed.calldata(ledger.selector("settleBatch"), first)
                ready = sender.prepare(deployment.call_ledger, data, GAS_LIMIT)
                blocks.submit([ready], 10_000 + first)
            left, *_ = integers(rpc.view(deployment.call_ledger, view))
        of_all = replace(of_run(found, record(made)), last_block=None)
        result = audit_at(found.ready.url, deployment, of_all)
    assert balance - left == 10 * MAX_PRICE  # the ten that the mandate allows; the dear ones: none
    assert balance <= DEPOSIT
    assert not result.parity
    assert set(result.unexpected) == set(range(40, 60))
    assert result.missing == ()
