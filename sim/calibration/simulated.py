"""A table as the simulator makes it: every model's answer to every task of a scenario."""

from itertools import islice

import numpy as np

from sim.agents import agents
from sim.facts import Task
from sim.models import Endpoint, Pool
from sim.replay.table import Table
from sim.scenario.schema import Scenario
from sim.units import MICROS_PER_USD, US_PER_S


def simulated(scenario: Scenario, tasks: int, names: tuple[str, ...] = ()) -> Table:
    """The outcomes of all models on the first tasks of a scenario's first agent.

    The draws are those of a run: each model's answer to a task is the one it would give there, on
    the first attempt, with no queue before it.

    Args:
        names: of the scenario's models, in their order, where the table is to call them otherwise.
    """
    posted = list(islice(agents(scenario)[0].tasks, tasks))
    endpoints = Pool(scenario).endpoints
    used = sorted({task.intent for task in posted})
    place = {intent: at for at, intent in enumerate(used)}
    answers = np.array(
        [[_answer(endpoint, task) for endpoint in endpoints] for task in posted], np.float64
    )
    width = len(str(tasks))
    prompts = np.array([task.input_tokens for task in posted], np.float64)
    models = names or tuple(scenario.models)
    order = sorted(range(len(models)), key=models.__getitem__)
    right, cost, tokens, seconds = np.moveaxis(answers[:, order], 2, 0)
    return Table(
        scenario.name, tuple(f"{number:0{width}}" for number in range(tasks)),
        tuple(models[at] for at in order), tuple(scenario.intents[intent] for intent in used),
        np.array([place[task.intent] for task in posted], np.int64), right, cost,
        np.repeat(prompts[:, None], len(order), axis=1), tokens, seconds,
    )  # fmt: skip


def _answer(endpoint: Endpoint, task: Task) -> tuple[float, float, float, float]:
    answer = endpoint.answer(task, 0)
    return (
        float(answer.right), endpoint.charge_micros(task, answer, endpoint.tariff) / MICROS_PER_USD,
        float(answer.output_tokens), answer.service_us / US_PER_S,
    )  # fmt: skip
