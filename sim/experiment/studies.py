"""Optuna's studies: which points to try next, and their outcomes in storage that can be shared."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Final

from sim.chance import key
from sim.experiment.conditions import Condition, Objective
from sim.experiment.measures import Number
from sim.experiment.provenance import code_version
from sim.experiment.space import Space
from sim.facts import Fault, ScenarioError, ToolError

if TYPE_CHECKING:
    import optuna

EXTRA: Final = "telex tune needs Optuna: pip install 'telex[tune]'"
POPULATION: Final = (8, 50)
SEEDS: Final = 2**32


@dataclass(frozen=True)
class Outcome:
    """A finished trial: its point, and each metric's value by replication; or why it failed.

    ``guessed`` marks a point that the response surface held to be best.
    """

    number: int
    point: dict[str, Number]
    values: dict[str, list[float]]
    error: str | None = None
    guessed: bool = False


class Study:
    """One tuning question's trials.

    Args:
        key: of the question; a study of the same name in the storage must have it.
        url: what Optuna takes: ``sqlite:///file.db``, a PostgreSQL or MySQL address, ...
        alone: nobody else can be using the storage, so that trials left under way are dead.

    Raises:
        ScenarioError: the storage has a study of another question, or of other code.
        ToolError: Optuna is missing, or the storage out of reach.
    """

    def __init__(
        self, space: Space, objectives: Sequence[Objective], key: str, url: str, alone: bool
    ) -> None:
        self.space, self.objectives = space, objectives
        self.trials: dict[int, optuna.Trial] = {}
        try:
            self.optuna = import_module("optuna")
        except ImportError as error:
            raise ToolError(EXTRA) from error
        self.optuna.logging.set_verbosity(self.optuna.logging.WARNING)
        name = f"telex-{space.scenario.name}-{key[:8]}"
        try:
            self._study: optuna.Study = self.optuna.create_study(
                storage=url,
                study_name=name,
                load_if_exists=True,
                directions=["maximize" if each.maximise else "minimize" for each in objectives],
            )
            self._agree(key, url)
            if alone:
                self._give_up_dead()
        except (ScenarioError, ToolError):
            raise
        except Exception as error:  # whatever the database driver raises
            msg = f"storage {url} cannot be used: {str(error).splitlines()[0]}"
            raise ToolError(msg) from error

    def _agree(self, key: str, url: str) -> None:
        ours = {"key": key, "telex": code_version()}
        theirs = {name: self._study.user_attrs.get(name) for name in ours}
        if not any(theirs.values()):
            for name, value in ours.items():
                self._study.set_user_attr(name, value)
        elif theirs != ours:
            found = f"a study of {'other code' if theirs['key'] == key else 'another question'}"
            fault = Fault(f"--storage {url}", f"{found}: {theirs}", str(ours))
            raise ScenarioError((fault,))

    def _give_up_dead(self) -> None:
        """Ends trials that nobody runs any more; their points are tried again first."""
        running, failed = self.optuna.trial.TrialState.RUNNING, self.optuna.trial.TrialState.FAIL
        for trial in self._study.get_trials(states=[running]):
            self._study.tell(trial.number, state=failed)
            if trial.params:
                self._study.enqueue_trial(trial.params)

    def outcomes(self) -> list[Outcome]:
        """The finished trials, whoever ran them."""
        states = self.optuna.trial.TrialState
        found = self._study.get_trials(states=[states.COMPLETE, states.FAIL])
        told = [trial for trial in found if "values" in trial.user_attrs]
        return [_outcome(self.space, trial) for trial in told]

    def ask(
        self, points: Sequence[Mapping[str, Number]] | None, count: int, trials: int
    ) -> list[Outcome]:
        """Trials to run: at given points, or at ``count`` that the sampler chooses.

        The Tree-structured Parzen Estimator (Bergstra et al. 2011; multivariate) for one objective,
        NSGA-II (Deb et al. 2002) for several; seeded with the scenario's seed and the number of
        trials so far.
        """
        for point in points or ():
            self._study.enqueue_trial(dict(point))
        so_far = len(self._study.trials)
        self._study.sampler = self._sampler(so_far, trials)
        asked = []
        for _ in range(count if points is None else len(points)):
            trial = self._study.ask()
            self.trials[trial.number] = trial
            values = [self._suggest(trial, index) for index in range(len(self.space.parameters))]
            point = self.space.point(values)
            guessed = points is not None and point == points[0]
            asked.append(Outcome(trial.number, point, {}, None, guessed))
        return asked

    def _sampler(self, so_far: int, trials: int) -> "optuna.samplers.BaseSampler":
        seed = key(f"{self.space.scenario.seed}/tune/{so_far}") % SEEDS
        samplers = self.optuna.samplers
        if len(self.objectives) > 1:
            least, most = POPULATION
            size = min(most, max(least, trials // 6))
            nsga: optuna.samplers.BaseSampler = samplers.NSGAIISampler(
                population_size=size, seed=seed
            )
            return nsga
        first = 4 + 2 * len(self.space.parameters)
        tpe: optuna.samplers.BaseSampler = samplers.TPESampler(
            seed=seed, n_startup_trials=first, multivariate=True
        )
        return tpe

    def _suggest(self, trial: "optuna.Trial", index: int) -> float:
        parameter = self.space.parameters[index]
        if parameter.values:
            choices = [self.space.rounded(parameter.path, value) for value in parameter.values]
            return float(trial.suggest_categorical(parameter.path, choices))
        if self.space.whole(parameter.path):
            low, high = round(parameter.low), round(parameter.high)
            return trial.suggest_int(parameter.path, low, high, log=parameter.log)
        return trial.suggest_float(parameter.path, parameter.low, parameter.high, log=parameter.log)

    def tell(self, outcome: Outcome, conditions: Sequence[Condition]) -> None:
        """Stores what became of a trial."""
        trial = self.trials.pop(outcome.number)
        trial.set_user_attr("values", json.dumps(outcome.values))
        trial.set_user_attr("guessed", outcome.guessed)
        if outcome.error is not None:
            trial.set_user_attr("error", outcome.error)
            self._study.tell(trial, state=self.optuna.trial.TrialState.FAIL)
            return
        means = {name: sum(values) / len(values) for name, values in outcome.values.items()}
        for condition in conditions:
            trial.set_constraint(condition.text, condition.excess(means[condition.metric]))
        self._study.tell(trial, [means[each.metric] for each in self.objectives])


def _outcome(space: Space, trial: "optuna.trial.FrozenTrial") -> Outcome:
    point = space.point([trial.params[each.path] for each in space.parameters])
    values = json.loads(trial.user_attrs["values"])
    error = trial.user_attrs.get("error")
    return Outcome(trial.number, point, values, error, trial.user_attrs["guessed"])
