"""What the laws look at; what several of them ask of the record is worked out once."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np
import numpy.typing as npt
import polars as pl

from sim.agents import Ways
from sim.facts import Reason
from sim.ledger import Ledger
from sim.metrics import Figures
from sim.record import Calls, OwnAnswers, Tasks
from sim.record.asides import own_answers_from_frame
from sim.record.frames import Frames, Names, calls_from_frame, tasks_from_frame
from sim.scenario.phases import phases
from sim.units import Int64Array

PART = ["task_id", "step", "clone"]
BLOCK_TASKS: Final = 65_536


@dataclass(frozen=True)
class Parity:
    """What the audit of the chain found; ``faults`` counts all that is wrong."""

    difference_micros: int
    calls_missing: int
    calls_unexpected: int
    calls_differing: int
    faults: int


@dataclass(frozen=True)
class Evidence:
    """What the laws look at: the record, its figures after it was saved and before, ledger, chain.

    A record that is not saved needs no figures, nor one without a chain parity.
    """

    frames: Frames
    figures: Figures | None
    figures_before: Figures | None
    parity: Parity | None
    ledger: Ledger
    names: Names
    calls: Calls
    tasks: Tasks

    @classmethod
    def gather(
        cls, frames: Frames, figures: Figures | None, figures_before: Figures | None,
        parity: Parity | None, ledger: Ledger,
    ) -> "Evidence":  # fmt: skip
        """Evidence, with the columns behind the frames."""
        calls, tasks = calls_from_frame(frames.calls), tasks_from_frame(frames.tasks)
        names = Names(frames.scenario)
        return cls(frames, figures, figures_before, parity, ledger, names, calls, tasks)

    @cached_property
    def balances(self) -> dict[str, dict[str, int]]:
        """What each account but the issuer has in the end: by asset, then by the account's name."""
        moved, found = self.frames.transfers.lazy(), defaultdict[str, dict[str, int]](dict)
        amount = pl.col("amount").sum()
        sides = pl.collect_all(
            [moved.group_by("asset", side).agg(amount) for side in ("source", "target")]
        )
        for sign, sums in zip((-1, 1), sides, strict=True):
            for asset, account, total in sums.iter_rows():
                found[asset][account] = found[asset].get(account, 0) + sign * int(total)
        for accounts in found.values():
            accounts.pop("issuer", None)
        return found

    def answers(self) -> Iterator[tuple[range, pl.DataFrame]]:
        """Every answer asked for, of the market or of an agent's own machines, part by part.

        Block by block of tasks, with those that they are of: a long run's are never all there.
        """
        own, calls = own_answers_from_frame(self.frames.own_answers), self.calls
        right = (own.reason == Reason.NONE).astype(np.int64)
        own_by_task, asked = _by_task(own.task_id), np.concatenate([calls.task_id, own.task_id])
        for number in np.unique(asked // BLOCK_TASKS).tolist():
            block = range(number * BLOCK_TASKS, (number + 1) * BLOCK_TASKS)
            mine, theirs = (_places(each, block) for each in (self.calls_by_task, own_by_task))
            answers = [
                _answers(calls, mine, calls.posted_us, calls.success, calls.reason),
                _answers(own, theirs, own.started_us, right, own.reason),
            ]
            yield block, pl.concat(answers).sort(*PART, "attempt", maintain_order=True)

    @cached_property
    def hired(self) -> tuple[Int64Array, npt.NDArray[np.bool_]] | None:
        """Of each call, the share of tasks that are jobs, in ppm, as it was posted; and if it was.

        None where there can be no on-chain jobs.
        """
        protocol = self.frames.scenario.protocol
        if protocol is None or protocol.jobs is None:
            return None
        every = phases(self.frames.scenario)
        ruling = [phase.scenario.protocol for phase in every]
        shares = [each.jobs.share_ppm if each and each.jobs else 0 for each in ruling]
        job = np.isin(self.calls.call_id, self.frames.jobs["call_id"].to_numpy())
        return np.array(shares, np.int64)[every.of(self.calls.posted_us)], job

    @cached_property
    def ways(self) -> Ways:
        """The flows that tasks take, by number."""
        return Ways(self.frames.scenario)

    @cached_property
    def taken(self) -> Int64Array:
        """The number of the flow that each task takes."""
        tasks = self.tasks
        groups = self.names.group_of_agent[tasks.agent]
        return self.ways.of(tasks.posted_us, groups, tasks.intent)

    @cached_property
    def calls_by_task(self) -> tuple[Int64Array, Int64Array]:
        """The places of the calls, task by task; and the tasks that they are of."""
        return _by_task(self.calls.task_id)

    def calls_of(self, task_id: int) -> list[int]:
        """The places of a task's calls, in the order of their ids."""
        found: list[int] = _places(self.calls_by_task, range(task_id, task_id + 1)).tolist()
        return found


def _by_task(task_id: Int64Array) -> tuple[Int64Array, Int64Array]:
    places = np.argsort(task_id, kind="stable")
    return places, task_id[places]


def _places(by_task: tuple[Int64Array, Int64Array], block: range) -> Int64Array:
    places, tasks = by_task
    return places[slice(*np.searchsorted(tasks, (block.start, block.stop)))]


def _answers(
    rows: Calls | OwnAnswers, places: Int64Array, asked_us: Int64Array, won: Int64Array,
    reason: Int64Array,
) -> pl.DataFrame:  # fmt: skip
    columns = {name: getattr(rows, name)[places] for name in (*PART, "attempt", "finished_us")}
    lost = reason[places] == Reason.OUTAGE
    return pl.DataFrame({**columns, "asked_us": asked_us[places], "won": won[places], "lost": lost})
