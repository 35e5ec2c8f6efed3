"""A whole calibration: fit, check on tasks that were held out, fit again on all, replay both."""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace

import numpy as np

from sim.calibration.checks import CORRELATION_MOST, COST_MOST, Check, agreement, checks
from sim.calibration.fit import DEFAULT_INTENT, Fit, fit, intents_of, yaml_text
from sim.calibration.simulated import simulated
from sim.facts import Fault, ScenarioError
from sim.replay.run import Settings, replay
from sim.replay.table import Table, joined
from sim.replay.training import Training

FOLDS = 5
SIMULATED_TASKS = 20_000
ANSWERS_MOST = 400_000
TASKS_LEAST = 50


@dataclass(frozen=True)
class Calibration:
    """What a calibration found.

    Args:
        fit: on all tasks. held_out: checks of each fifth against a fit on the other four, pooled.
        replayed: checks of replay on the table, its domains the fit's intents, against replay on
            as many tasks simulated from ``fit``.
        needs: what the simulator would need to come nearer; empty where nothing is missing.
        simulation: the simulated table.
    """

    table: Table
    fit: Fit
    held_out: tuple[Check, ...]
    replayed: tuple[Check, ...]
    needs: tuple[str, ...]
    simulation: Table

    def yaml(self) -> str:
        """The fit as a scenario file, to run or to extend."""
        table = self.table
        good = sum(each.ok for each in self.held_out)
        comment = [
            f"Fitted to {table.name}: {len(table.tasks)} tasks, {len(table.models)} models.",
            f"On tasks held out, {good} of {len(self.held_out)} figures agree.",
            "Run it, or build on it: `extends: THIS-FILE`, then models and groups of your own.",
        ]
        if self.fit.costs.nominal:
            comment.append("Token counts are nominal: they carry the costs, not the lengths.")
        return yaml_text(self.fit.document, comment)

    def document(self) -> dict[str, object]:
        """The same, ready for JSON."""
        response = self.fit.response
        return {
            "table": {"name": self.table.name, "tasks": len(self.table.tasks),
                      "models": list(self.table.models)},
            "intents": list(self.fit.intents),
            "discrimination": [round(each, 5) for each in response.discrimination.tolist()],
            "tokens": "nominal" if self.fit.costs.nominal else "measured",
            "held_out": [asdict(each) for each in self.held_out],
            "replay": [asdict(each) for each in self.replayed],
            "needs": list(self.needs),
        }  # fmt: skip


def calibrate(
    table: Table,
    seed: int = 1,
    routers: Sequence[str] = (),
    intent: str = DEFAULT_INTENT,
    on_step: Callable[[str], None] = lambda _: None,
) -> Calibration:
    """Fits the simulator to a table and checks the fit.

    Args:
        routers: for the comparison of replays, beside the models alone, a coin and the oracle.
        intent: the intent's name where the table has no domains.

    Raises:
        ScenarioError: too few tasks, or a router that does not fit.
    """
    if len(table.tasks) < TASKS_LEAST:
        found = f"{len(table.tasks)} tasks"
        raise ScenarioError((Fault(table.name, found, f"at least {TASKS_LEAST}, to fit to"),))
    settings = Settings(seed)
    on_step("replay on the table")
    measured = replay(regrouped(table, intent), routers, settings)
    tasks = min(SIMULATED_TASKS, max(2000, ANSWERS_MOST // len(table.models)))
    compared = _held_out(table, seed, intent, tasks, on_step)
    on_step("fit on all")
    whole = fit(table, intent)
    simulation = _table_of(whole, table, min(len(table.tasks), tasks), seed + 1)
    on_step("replay on a simulated table")
    replayed = agreement(measured, replay(simulation, routers, settings))
    lacking = tuple(needs(whole, table, compared))
    return Calibration(table, whole, tuple(compared), tuple(replayed), lacking, simulation)


def _held_out(
    table: Table, seed: int, intent: str, tasks: int, on_step: Callable[[str], None]
) -> list[Check]:
    """Every fold of tasks against what a fit on the other folds makes, all folds together."""
    training = Training(table, seed, FOLDS)
    parts = []
    for number in range(training.folds):
        on_step(f"fit without fold {number + 1} of {training.folds}")
        rest = table.take(np.flatnonzero(training.fold != number))
        part = seed + number * training.folds
        parts.append(_table_of(fit(rest, intent), table, tasks // training.folds, part))
    return checks(table, joined(parts))


def regrouped(table: Table, intent: str) -> Table:
    """A table whose domains are the intents of its fit, as they are in a simulated one."""
    which, intents = intents_of(table, intent)
    order = sorted(range(len(intents)), key=intents.__getitem__)
    rank = np.empty(len(intents), np.int64)
    rank[order] = np.arange(len(intents))
    return replace(table, domains=tuple(intents[at] for at in order), domain=rank[which])


def _table_of(made: Fit, table: Table, tasks: int, seed: int) -> Table:
    """A simulated table that calls the models as the measured one does."""
    names = dict(zip(made.names, table.models, strict=True))
    scenario = made.scenario(seed)
    return simulated(scenario, tasks, tuple(names[each] for each in scenario.models))


def needs(made: Fit, table: Table, found: Sequence[Check]) -> list[str]:
    """What the simulator lacks, in words: parameters, and what they would be."""
    said = []
    for model, misfit in zip(table.models, made.costs.misfit.tolist(), strict=True):
        if misfit > COST_MOST:
            said.append(f"a spread of cost that {model}'s prices reach: off by {misfit:.0%}")
    apart = [
        each for each in found
        if each.figure == "correlation"
        and abs(each.measured - each.simulated) > max(CORRELATION_MOST, 3 * each.error)
    ]  # fmt: skip
    if apart:
        worst = max(apart, key=lambda each: abs(each.measured - each.simulated))
        said.append(
            f"a second dimension of difficulty: {len(apart)} pairs correlate otherwise, as "
            f"{worst.of}, {worst.measured:.2f} not {worst.simulated:.2f}"
        )
    return said
