"""Allocation: what the right answers of a run could have been worth to others who waited then."""

from heapq import heappop, heappush

import numpy as np

from sim.record import ANSWERED
from sim.record.frames import Frames, codes
from sim.scenario.phases import phases
from sim.units import Int64Array, us_from_seconds_nearest

NEVER = np.iinfo(np.int64).max


def greatest_value_micros(frames: Frames) -> int:
    """The value of tasks succeeded, had each answer gone to whoever valued it most, in micros.

    That is, at the time at which the first answer to each was begun, to the most valuable of the
    tasks that were posted by then, whose deadline had not come, and that had none: of those that
    succeeded, and of those that no model ever answered. What models can do, agents pay and routers
    know is left out. Not below what the value was, which by luck may be more.
    """
    tasks = frames.tasks
    value, posted = codes(tasks["value_micros"]), codes(tasks["posted_us"])
    won = (tasks["outcome"] == "succeeded").to_numpy()
    begun, total = _begun_us(frames), int(value[won].sum())
    served, unserved = won & (begun < NEVER), ~won & (begun == NEVER)
    if value[unserved].max(initial=0) <= value[served].min(initial=NEVER):
        return total
    rows = np.flatnonzero(served | unserved)
    rows = rows[np.argsort(posted[rows], kind="stable")]
    best = _by_value(np.sort(begun[served]), posted[rows], _deadlines_us(frames)[rows], value[rows])
    return max(total, best + int(value[won & ~served].sum()))


def _by_value(
    begun: Int64Array, posted: Int64Array, deadline: Int64Array, value: Int64Array
) -> int:
    """What the answers begun at these times are worth, each to the most valuable task alive.

    Tasks are in the order in which they were posted.
    """
    alive: list[tuple[int, int]] = []
    came, total = np.searchsorted(posted, begun, side="right").tolist(), 0
    coming = zip((-value).tolist(), deadline.tolist(), strict=True)
    before = 0
    for now, count in zip(begun.tolist(), came, strict=True):
        for _ in range(count - before):
            heappush(alive, next(coming))
        before = count
        while alive and alive[0][1] < now:
            heappop(alive)
        if alive:
            total -= heappop(alive)[0]
    return total


def _begun_us(frames: Frames) -> Int64Array:
    """When the first answer to each task was begun; `NEVER` if none was."""
    calls, tasks = frames.calls, codes(frames.tasks["task_id"])
    answered = np.isin(codes(calls["reason"]), ANSWERED)
    ids, times = codes(calls["task_id"])[answered], codes(calls["started_us"])[answered]
    begun = np.full(1 + max(ids.max(initial=-1), tasks.max(initial=-1)), NEVER, np.int64)
    np.minimum.at(begun, ids, times)
    first: Int64Array = begun[tasks]
    return first


def _deadlines_us(frames: Frames) -> Int64Array:
    """Until when each task's agent waits."""
    every, tasks = phases(frames.scenario), frames.tasks
    patience = np.array(
        [
            [us_from_seconds_nearest(group.deadline_s) for group in phase.scenario.groups.values()]
            for phase in every
        ]
    )
    posted, group = codes(tasks["posted_us"]), codes(tasks["group"])
    deadlines: Int64Array = posted + patience[every.of(posted), group]
    return deadlines
