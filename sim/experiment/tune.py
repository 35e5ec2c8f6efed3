"""Tuning: the best values of some parameters for one objective, or the Pareto front of several."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from sim.chance import key
from sim.experiment.conditions import Condition, Objective
from sim.experiment.jobs import Job, Row
from sim.experiment.measures import Number
from sim.experiment.replicate import at_least
from sim.experiment.session import Session
from sim.experiment.space import Space
from sim.experiment.statistics import Interval, difference, interval
from sim.experiment.store import Experiment
from sim.experiment.studies import Outcome, Study
from sim.experiment.surface import around, best_guess

BATCH: Final = 4
DATABASE: Final = "study.db"
EXPLORED: Final = 0.6
"""The share of the trials that the sampler chooses; the rest looks closely around the best."""
STEPS: Final = (0.1, 0.05)
"""How closely, as a share of each range: the first half of the rest, then the second."""


@dataclass(frozen=True)
class Question:
    """What is tuned: objectives over a space, under conditions, by means over ``reps`` seeds."""

    space: Space
    objectives: Sequence[Objective]
    conditions: Sequence[Condition]
    reps: int

    def experiment(self) -> Experiment:
        """The experiment; those with its key may share a study."""
        settings = {
            "parameters": repr(self.space.parameters),
            "objectives": ", ".join(map(str, self.objectives)),
            "conditions": ", ".join(condition.text for condition in self.conditions),
            "reps": str(self.reps),
        }
        scenario = self.space.scenario
        return Experiment(kind="tune", designs={scenario.name: scenario}, settings=settings)

    def study(self, session: Session, url: str | None) -> Study:
        """Its study, in the storage at ``url``: by default ``study.db`` in the directory."""
        own = f"sqlite:///{session.store.directory / DATABASE}"
        key = session.store.experiment.key()
        return Study(self.space, self.objectives, key, url or own, alone=url is None)

    @property
    def metrics(self) -> list[str]:
        """The metrics of objectives and conditions."""
        every = [each.metric for each in self.objectives]
        return list(dict.fromkeys([*every, *(each.metric for each in self.conditions)]))


@dataclass(frozen=True)
class Trial:
    """A point that was tried, the intervals of its metrics, and whether it keeps all conditions."""

    number: int
    point: dict[str, Number]
    metrics: dict[str, Interval]
    feasible: bool


@dataclass(frozen=True)
class Tuned:
    """What tuning found: the best trial, or the front by the first objective; none if none is good.

    ``trials`` are all that ended well, ``failed`` counts the others.
    """

    best: list[Trial]
    trials: list[Trial]
    failed: int


def tune(question: Question, study: Study, session: Session, trials: int) -> Tuned:
    """Goes on with a study until it has ``trials`` trials, and says what is best.

    The sampler (see `studies`) chooses the first 60 %. With one objective the rest are spent near
    the best: at the vertex of a quadratic fitted there (response surface method, Box and Wilson
    1951) and around it. The least of many noisy means is flattered by its noise; so the last vertex
    that was tried is preferred unless it is surely worse, pair by pair, than that least.

    Raises:
        ScenarioError: fewer than one trial or replication. ToolError: storage lost, a full disk.
    """
    at_least("--trials", trials, 1)
    at_least("--reps", question.reps, 1)
    while (left := trials - len(study.outcomes())) > 0:
        count = min(BATCH, left)
        asked = study.ask(_closer(question, study.outcomes(), count, trials), count, trials)
        session.note = f"trial {asked[0].number + 1} of {trials}"
        rows = session.rows(_jobs(question, session, asked))
        for place, outcome in enumerate(asked):
            mine = rows[place * question.reps : (place + 1) * question.reps]
            study.tell(_judged(question, outcome, mine), question.conditions)
    return _found(question, study.outcomes())


def _jobs(question: Question, session: Session, asked: Sequence[Outcome]) -> list[Job]:
    """The runs of some trials; a point that has been run before keeps its number, and its rows."""
    numbers = {_place(row.labels): row.point for row in session.store.rows.values()}
    jobs = []
    for outcome in asked:
        place = _place(outcome.point)
        number = numbers.setdefault(place, max(numbers.values(), default=-1) + 1)
        jobs += [
            Job(number, rep, question.space.scenario, outcome.point, outcome.point)
            for rep in range(question.reps)
        ]
    return jobs


def _place(point: Mapping[str, object]) -> tuple[tuple[str, object], ...]:
    return tuple(sorted(point.items()))


def _judged(question: Question, outcome: Outcome, rows: Sequence[Row]) -> Outcome:
    values: dict[str, list[float]] = {metric: [] for metric in question.metrics}
    for row in rows:
        for metric, found in values.items():
            value = row.numbers.get(metric)
            if value is None:
                return replace(outcome, error=row.error or f"a run has no {metric}")
            found.append(float(value))
    return replace(outcome, values=values)


def _closer(
    question: Question, outcomes: Sequence[Outcome], count: int, trials: int
) -> list[dict[str, Number]] | None:
    """Points near the best, the vertex first; None while the sampler is to choose."""
    space = question.space
    good = [trial for trial in _trials(question, outcomes) if trial.feasible]
    explored = len(outcomes) >= EXPLORED * trials and len(question.objectives) == 1 and good
    if not explored or any(parameter.values for parameter in space.parameters):
        return None
    objective = question.objectives[0]
    points = [space.shares(trial.point) for trial in good]
    step = STEPS[int(2 * len(outcomes) >= (1 + EXPLORED) * trials)]
    centre = best_guess(points, [_score(objective, trial) for trial in good], step)
    seed = key(f"{space.scenario.seed}/tune/{len(outcomes)}")
    return [space.at(shares) for shares in around(centre, count, step, seed)]


def _score(objective: Objective, trial: Trial) -> float:
    return objective.sign * trial.metrics[objective.metric].mean


def _trials(question: Question, outcomes: Sequence[Outcome]) -> list[Trial]:
    trials = []
    for outcome in outcomes:
        if outcome.error is None:
            metrics = {name: interval(values) for name, values in outcome.values.items()}
            kept = all(each.excess(metrics[each.metric].mean) <= 0 for each in question.conditions)
            trials.append(Trial(outcome.number, outcome.point, metrics, kept))
    return trials


def _found(question: Question, outcomes: Sequence[Outcome]) -> Tuned:
    trials = _trials(question, outcomes)
    good = [trial for trial in trials if trial.feasible]
    if len(question.objectives) == 1 and good:
        best = [_preferred(question.objectives[0], good, outcomes)]
    else:
        best = front(question.objectives, good)
    return Tuned(best, trials, len(outcomes) - len(trials))


def _preferred(objective: Objective, good: Sequence[Trial], outcomes: Sequence[Outcome]) -> Trial:
    least = min(good, key=lambda trial: _score(objective, trial))
    by_number = {outcome.number: outcome for outcome in outcomes}
    guessed = [trial for trial in good if by_number[trial.number].guessed]
    if not guessed:
        return least
    ours, theirs = (
        by_number[trial.number].values[objective.metric] for trial in (least, guessed[-1])
    )
    gap = difference(ours, theirs)
    worse = gap.half_width is None or gap.mean * objective.sign > gap.half_width
    return least if worse else guessed[-1]


def front(objectives: Sequence[Objective], trials: Sequence[Trial]) -> list[Trial]:
    """The trials that no other beats in one objective without losing in another; one per point."""
    scored = {trial.number: tuple(_score(each, trial) for each in objectives) for trial in trials}
    kept: dict[tuple[float, ...], Trial] = {}
    for trial in trials:
        mine = scored[trial.number]
        beaten = any(
            theirs != mine and all(b <= a for a, b in zip(mine, theirs, strict=True))
            for theirs in scored.values()
        )
        if not beaten:
            kept.setdefault(mine, trial)
    return [kept[scores] for scores in sorted(kept)]
