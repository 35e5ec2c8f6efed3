"""What experiments found, as JSON: what ``--json`` prints and ``result.json`` keeps."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Final, TypeAlias

from sim.experiment.capacity import Capacity
from sim.experiment.compare import Comparison, Difference
from sim.experiment.jobs import Row
from sim.experiment.measures import direction
from sim.experiment.replicate import Replicated
from sim.experiment.selection import Selected
from sim.experiment.sensitivity import Indices
from sim.experiment.statistics import Interval
from sim.experiment.tune import Trial as TunedTrial
from sim.experiment.tune import Tuned

RESULT: Final = "result.json"
Json: TypeAlias = "dict[str, Json] | list[Json] | str | int | float | bool | None"
Document: TypeAlias = dict[str, Json]


def of_interval(found: Interval | None) -> Document | None:
    """``mean``, ``half_width``, ``low``, ``high``, ``reps``, ``level``."""
    if found is None:
        return None
    return {
        "mean": found.mean,
        "half_width": found.half_width,
        "low": found.low,
        "high": found.high,
        "reps": found.reps,
        "level": found.level,
    }


def of_rows(rows: Sequence[Row]) -> Document:
    """Counts of ``runs``, by how they ended and what their verdict was, and the errors."""
    verdicts = [row.verdict for row in rows if row.verdict]
    return {
        "runs": len(rows),
        "failed": sum(row.error is not None for row in rows),
        "laws_broken": sum(row.laws_ok is False for row in rows),
        "verdicts": {verdict: verdicts.count(verdict) for verdict in dict.fromkeys(verdicts)},
        "errors": list(dict.fromkeys(row.error for row in rows if row.error)),
    }


def of_replicated(found: Replicated, warm_up_us: int) -> Document:
    """Every metric's mean and interval."""
    metrics: Document = {name: of_interval(each) for name, each in found.metrics.items()}
    seeds: list[Json] = [row.seed for row in found.rows]
    return {
        **of_rows(found.rows),
        "reps": len(found.rows),
        "seeds": seeds,
        "precision_reached": found.reached,
        "warm_up_us": warm_up_us,
        "metrics": metrics,
    }


def of_comparison(found: Comparison, selected: Selected | None) -> Document:
    """Means by design, differences from the base by design and metric, and the ranking, if any."""
    means: Document = {
        design: {name: of_interval(each) for name, each in metrics.items()}
        for design, metrics in found.means.items()
    }
    differences: Document = {
        design: {name: _difference(each) for name, each in metrics.items()}
        for design, metrics in found.differences.items()
    }
    return {
        **of_rows(found.rows),
        "base": found.base,
        "designs": list(found.means),
        "means": means,
        "differences": differences,
        "selection": None if selected is None else _selected(selected, list(found.means)),
    }


def _difference(found: Difference) -> Document:
    return {
        "difference": of_interval(found.difference),
        "relative": of_interval(found.relative),
        "direction": direction(found.metric).name.lower(),
        "winner": found.winner,
        "words": found.words,
    }


def _selected(found: Selected, names: Sequence[str]) -> Document:
    return {
        "best": names[found.best],
        "order": [names[design] for design in found.order],
        "reps": {names[design]: reps for design, reps in enumerate(found.reps)},
        "confidence": found.confidence,
    }


def of_tuned(found: Tuned) -> Document:
    """The best trial, or the front, and how many were tried."""
    return {
        "best": [_trial(trial) for trial in found.best],
        "trials": len(found.trials) + found.failed,
        "failed": found.failed,
        "feasible": sum(trial.feasible for trial in found.trials),
        "tried": [_trial(trial) for trial in found.trials],
    }


def _trial(trial: TunedTrial) -> Document:
    metrics: Document = {name: of_interval(each) for name, each in trial.metrics.items()}
    return {
        "trial": trial.number,
        "parameters": {**trial.point},
        "metrics": metrics,
        "feasible": trial.feasible,
    }


def of_indices(found: Sequence[Indices]) -> Document:
    """By metric and parameter, each index with its half width."""
    return {
        "method": found[0].method,
        "runs": found[0].runs,
        "metrics": {
            each.metric: {
                name: {symbol: {**asdict(index)} for symbol, index in indices.items()}
                for name, indices in each.of.items()
            }
            for each in found
        },
    }


def of_capacity(found: Capacity, per_hour: float) -> Document:
    """The two loads, as multiples and in tasks per hour, and every probe."""
    return {
        "slo": found.condition.text,
        "metric": found.condition.metric,
        "limit": found.condition.limit,
        "holds": found.holds,
        "fails": found.fails,
        "holds_per_hour": None if found.holds is None else found.holds * per_hour,
        "sure": all(probe.sure for probe in found.probes),
        "probes": [
            {
                "load": probe.load,
                "value": of_interval(probe.value),
                "holds": probe.holds,
                "sure": probe.sure,
                "verdict": probe.verdict,
            }
            for probe in found.probes
        ],
    }
