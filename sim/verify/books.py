"""Books: identities that hold to the last unit, in a busy market in which about all happens."""

import tempfile
from pathlib import Path
from typing import Annotated, ClassVar, Literal

import numpy as np
import polars as pl
from pydantic import Field

from sim.record.frames import Frames
from sim.scenario import Scenario
from sim.units import BPS, MICROS_PER_USD
from sim.verify.case import Case, Found, Known, Tasks
from sim.verify.markets import INTENT, Part, agents, market, model, ran

FEE_BPS = 137
DIGITS = 12
SIZES = ("input_tokens", "reference_tokens", "difficulty")
SEED = 1
RailKind = Literal[
    "transfer", "x402-exact", "prepaid", "batch", "epoch-root", "channel", "escrow-job"
]


def busy(tasks: int, seed: int, extra: int = 0, **changes: object) -> Scenario:
    """A market of retries, outages, queues, refusals and odd prices; ``extra`` agents more."""
    models = {
        "big": model(4, price=_per_token("1.5", "0.15", "6.01"), quality={INTENT: 0.8},
                     capacity={"slots": 2, "queue": 1}, cache_hit_share=0.3),
        "mid": model(2, price=_per_token("0.77", "0.11", "2.003"), quality={INTENT: 0.6},
                     capacity={"slots": 1, "queue": 2}),
        "small": model(3, price=_per_token("0.1", "0.01", "0.3"), quality={INTENT: 0.4},
                       capacity={"slots": 2, "queue": 4},
                       outages={"mean_up_h": 0.05, "mean_down_min": 1}),
    }  # fmt: skip
    sizes = {name: {"median": 900, "sigma": 0.8} for name in ("input_tokens", "output_tokens")}
    asked = {"intents": {INTENT: sizes}, "max_price_usd": "0.02", "deadline_s": 15}
    groups = {
        "one": agents(0.3, 3, retries=2, budget_usd="0.5", **asked),
        "two": agents(0.2, 2, retries=1, budget_usd=1000, **asked),
    }
    if extra:
        groups["extra"] = agents(0.1 * extra, extra, budget_usd=1000, **asked)
    rail: Part = {"kind": "batch", "size": 16, "interval_s": 30, "fee_bps": FEE_BPS}
    return market(models, groups, tasks, seed, **{"rail": rail, **changes})


def _per_token(fresh: str, cached: str, output: str) -> Part:
    return {"kind": "per_token", "input_usd_per_mtok": fresh, "cached_usd_per_mtok": cached,
            "output_usd_per_mtok": output}  # fmt: skip


class Books(Case):
    """No micro is made or lost, and none stays in escrow; rounding is on the payer's side."""

    kind: Literal["books"] = "books"
    tasks: Tasks = 300

    def known(self) -> list[Known]:
        """Four identities."""
        return [
            Known("micros made or lost", "balances - budgets", 0, "exact"),
            Known("micros left in escrow", "holds - releases - refunds", 0, "exact"),
            Known("micros paid and not earned", "charges - models' - fees", 0, "exact"),
            Known("fees not rounded down", "floor(charge x bps / 10^4)", 0, "exact"),
        ]

    def observe(self, seed: int) -> Found:
        """One run."""
        frames = ran(busy(self.tasks, seed)).frames
        balances = _balances(frames)
        budgets = sum(int(g.budget_usd * MICROS_PER_USD) * g.count
                      for g in frames.scenario.groups.values())  # fmt: skip
        charges = frames.calls["charge_micros"].to_numpy()
        earned = sum(micros for name, micros in balances.items() if name.startswith("model:"))
        fees = frames.calls["fee_micros"].to_numpy()
        due = np.array([charge * FEE_BPS // BPS for charge in charges.tolist()])
        return Found(
            [
                float(sum(balances.values()) - budgets),
                float(balances.get("escrow", 0)),
                float(charges.sum() - earned - balances.get("treasury", 0)),
                float(np.count_nonzero(fees != due)),
            ]
        )


def _balances(frames: Frames) -> dict[str, int]:
    """USDC in micros of every account but the issuer's, from the transfers alone."""
    moved = frames.transfers.filter(pl.col("asset") == "USDC")
    found: dict[str, int] = {}
    for side, sign in (("source", -1), ("target", 1)):
        sums = moved.group_by(pl.col(side).cast(pl.String)).agg(pl.col("amount").sum())
        for account, amount in sums.iter_rows():
            found[account] = found.get(account, 0) + sign * int(amount)
    found.pop("issuer", None)
    return found


class SameRecord(Case):
    """One seed makes one record: in this process, and in whichever the replications run."""

    kind: Literal["same-record"] = "same-record"
    tasks: Tasks = 200

    def known(self) -> list[Known]:
        """The digest of a run here."""
        words = "digest of this seed in any process"
        return [Known("digest, first 48 bits", words, self._digest(), "exact")]

    def observe(self, seed: int) -> Found:
        """Another run, of another seed, and then the one in question."""
        ran(busy(self.tasks, seed))
        return Found([self._digest()])

    def _digest(self) -> float:
        return float(int(ran(busy(self.tasks, SEED)).frames.digest[:DIGITS], 16))


class NobodyShifts(Case):
    """Agents who are added shift nobody else's tasks: when they come, how large, how hard."""

    kind: Literal["nobody-shifts"] = "nobody-shifts"
    extra: Annotated[int, Field(ge=1, le=100)] = 3
    tasks: Tasks = 300

    def known(self) -> list[Known]:
        """None."""
        return [Known("times and sizes of others that change", "streams by name", 0, "exact")]

    def observe(self, seed: int) -> Found:
        """One run without them and one with them."""
        before, after = (
            ran(busy(self.tasks, seed, extra)).frames for extra in (0, self.extra)
        )  # fmt: skip
        changed = 0
        for agent in before.tasks["agent"].cast(pl.String).unique().sort().to_list():
            one, two = (_tasks_of(frames, agent) for frames in (before, after))
            common = min(len(one), len(two))
            for column in one.columns:
                known = one[column].head(common), two[column].head(common)
                changed += int((known[0] != known[1]).sum())
        return Found([float(changed)])


def _tasks_of(frames: Frames, agent: str) -> pl.DataFrame:
    """When each of an agent's tasks was posted; its size and difficulty, if it came to a call."""
    sizes = frames.calls.unique("task_id", keep="first").select("task_id", *SIZES)
    posted = frames.tasks.filter(pl.col("agent") == agent).sort("task_id")
    both = posted.join(sizes, on="task_id", how="left", maintain_order="left")
    return both.select("posted_us", *SIZES)


class Parity(Case):
    """A run that is settled on a local chain: its balances there are those of the ledger."""

    repeats: ClassVar[int | None] = 1
    kind: Literal["parity"] = "parity"
    rail: RailKind = "batch"
    tasks: Tasks = 300

    def known(self) -> list[Known]:
        """No difference, account by account, and no call that is missing."""
        return [
            Known("micros of difference", "ledger - contracts", 0, "exact"),
            Known("calls not on chain", "settled - on chain", 0, "exact"),
        ]

    def observe(self, seed: int) -> Found:
        """One run on an Anvil of its own."""
        from sim.runner import run

        with tempfile.TemporaryDirectory() as folder:
            rail: Part = {"kind": self.rail, "fee_bps": FEE_BPS}
            ended = run(busy(self.tasks, seed, rail=rail), out=Path(folder) / "run", chain="anvil")
            if ended.failure is not None:
                raise ended.failure
            chain, settled = ended.summary.chain, ended.summary.calls.settled
        difference = chain.difference_micros
        assert difference is not None, "a run on a chain has been audited"
        return Found([float(difference), float(settled - chain.calls_settled)])
