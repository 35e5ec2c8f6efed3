"""Rules: what the agents of a group go by, where that is more than to ask again."""

from collections.abc import Mapping
from dataclasses import dataclass

from sim.agents.choosing import Choice
from sim.agents.flow import Flow
from sim.agents.outside import Outsider
from sim.agents.worth import Worth


@dataclass(frozen=True)
class Rules:
    """What the agents of a group go by.

    Args:
        retries: how often an answer is asked for again. choices: applied in this order.
        task_micros, day_micros: the budgets of a task and of a day. counts_days: whether what a
            day costs is counted, because in some phase there is a budget for it.
        keep_us, reuse_ppm: how long and how well a session's prompts are cached; None without one.
        give_up_after: answers asked for. beyond_value: whether to drop what costs more than it is
            worth. worth: what is left of a task's value, by the time since it was posted.
    """

    flows: Mapping[int, Flow]
    retries: int
    choices: tuple[Choice, ...]
    outsider: Outsider
    task_micros: int | None
    day_micros: int | None
    counts_days: bool
    keep_us: int | None
    reuse_ppm: int
    give_up_after: int | None
    beyond_value: bool
    worth: Worth
