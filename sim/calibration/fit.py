"""A table fitted as a scenario: models with quality, price, latency; a group that asks alike."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

import numpy as np

from sim.calibration.response import Response, fitted
from sim.calibration.sizes import Costs, costs_of
from sim.intents import INTENTS
from sim.replay.known import RIGHT
from sim.replay.speed import Speed, speeds_of
from sim.replay.table import Floats, Table
from sim.scenario.schema import Scenario
from sim.units import Int64Array

GROUP = "measured"
TASKS_LEAST = 30
DEFAULT_INTENT, OTHER = "TASK_COMPLETION", "OTHER_TASK"
OWN_LEAST = 0.005
Document = dict[str, "Json"]
Json = str | int | float | bool | Decimal | list["Json"] | Document


@dataclass(frozen=True)
class Fit:
    """What was fitted, and the scenario it makes.

    Args:
        names: the scenario's id of each of the table's models.
        intents: names, by position. response: of models to tasks, costs: what they ask.
        document: the scenario as a mapping.
    """

    names: tuple[str, ...]
    intents: tuple[str, ...]
    response: Response
    costs: Costs
    document: Document

    def scenario(self, seed: int | None = None) -> Scenario:
        """The fit as a checked scenario."""
        from sim.scenario import from_mapping

        return from_mapping(self.document, seed=seed)


def fit(table: Table, intent: str = DEFAULT_INTENT) -> Fit:
    """Fits the simulator's laws to a table.

    Every domain of at least 30 tasks becomes an intent with qualities of its own, all others
    together one more. In the simulator an answer is right or wrong: a graded score counts as right
    from 0.5 on, and the qualities are moved by what that adds to the mean score.

    Args:
        intent: the intent's name where the table has no domains.
    """
    which, intents = intents_of(table, intent)
    right = (table.success >= RIGHT).astype(np.float64)
    grades = _means(table.success - right, which, len(intents))
    chosen = fitted(right, which, len(intents)).moved(grades)
    costs, speeds = costs_of(table, which, len(intents)), speeds_of(table)
    names = tuple(names_of(table.models))
    document = _document(table, names, intents, chosen, costs, speeds)
    return Fit(names, intents, chosen, costs, document)


def _means(values: Floats, which: Int64Array, intents: int) -> Floats:
    sums = [np.bincount(which, column, minlength=intents) for column in values.T]
    means: Floats = np.stack(sums, axis=1) / np.bincount(which, minlength=intents)[:, None]
    return means


def intents_of(table: Table, intent: str) -> tuple[Int64Array, tuple[str, ...]]:
    """Each task's intent, and the intents' names."""
    count = np.bincount(table.domain, minlength=len(table.domains))
    large = [at for at in range(len(table.domains)) if count[at] >= TASKS_LEAST]
    if len(table.domains) == 1 or not large:
        return np.zeros_like(table.domain), (intent,)
    rest = int(count.sum() - count[large].sum())
    place = np.full(len(table.domains), len(large), np.int64)
    place[large] = np.arange(len(large))
    names = [table.domains[at] for at in large] + [OTHER] * (rest > 0)
    return place[table.domain], tuple(_distinct([_upper(name) for name in names]))


def _upper(name: str) -> str:
    text = re.sub(r"[^A-Z0-9]+", "_", name.upper()).strip("_")[:56]
    return text if text[:1].isalpha() else f"INTENT_{text}".rstrip("_")


def names_of(models: Sequence[str]) -> list[str]:
    """Ids that a scenario takes, one per model, different from each other."""
    texts = [re.sub(r"[^A-Za-z0-9._-]+", "-", name)[:56].strip("-._") for name in models]
    return _distinct([text or "model" for text in texts])


def _distinct(names: Sequence[str]) -> list[str]:
    found: list[str] = []
    for name in names:
        tries = (name, *(f"{name}_{number}" for number in range(2, len(names) + 2)))
        found.append(next(each for each in tries if each not in found))
    return found


def _document(
    table: Table, names: Sequence[str], intents: Sequence[str], response: Response, costs: Costs,
    speeds: Sequence[Speed] | None,
) -> Document:  # fmt: skip
    models: Document = {
        name: _model(at, intents, response, costs, speeds) for at, name in enumerate(names)
    }
    own: Document = {} if set(intents) <= set(INTENTS) else {"intents": [*intents]}
    dearest = Decimal(1) if table.cost_usd is None else _decimal(table.cost_usd.max() * 10, 6)
    steep = float(np.median(response.discrimination))
    return {
        "version": 1,
        "tasks": 5000,
        **own,
        "item_response": {"discrimination": _decimal(steep, 5)},
        "models": models,
        "groups": {GROUP: _group(costs, intents, max(dearest, Decimal("0.01")))},
        "router": {"kind": "random"},
    }


def _model(
    at: int, intents: Sequence[str], response: Response, costs: Costs,
    speeds: Sequence[Speed] | None,
) -> Document:  # fmt: skip
    flat, made = costs.per_call[at], Document()
    if flat is None:
        made["price"] = {
            "kind": "per_token",
            "input_usd_per_mtok": _decimal(costs.per_input[at], 6),
            "output_usd_per_mtok": _decimal(costs.per_output[at], 6),
        }
    else:
        made["price"] = {"kind": "per_call", "usd_per_call": _decimal(flat / 1e6, 6)}
    quality = response.quality[:, at]
    made["quality"] = {
        name: _decimal(share, 5) for name, share in zip(intents, quality, strict=True)
    }
    made["verbosity"] = _decimal(costs.verbosity[at], 5)
    if costs.own_sigma[at] >= OWN_LEAST:
        made["output_sigma"] = _decimal(costs.own_sigma[at], 5)
    if not response.common:
        made["discrimination"] = _decimal(response.discrimination[at], 5)
    if speeds is not None:
        speed = speeds[at]
        made["latency"] = {
            "first_token_ms": _decimal(speed.first_token_ms, 3),
            "tokens_per_s": _decimal(speed.tokens_per_s, 3),
            "sigma": _decimal(speed.sigma, 5),
        }
    return made


def _group(costs: Costs, intents: Sequence[str], dearest: Decimal) -> Document:
    inputs, outputs = costs.input.lognormal(), costs.output.lognormal()
    demands: Document = {}
    for at, name in enumerate(intents):
        demands[name] = {
            "share": _decimal(costs.input.share[at], 6),
            "input_tokens": _size(inputs[at]),
            "output_tokens": _size(outputs[at]),
        }
    return {
        "count": 10, "arrival": {"kind": "poisson", "per_hour": 60}, "intents": demands,
        "budget_usd": 1_000_000, "value_usd": dearest, "max_price_usd": 1000,
        "deadline_s": 86_400,
    }  # fmt: skip


def _size(law: tuple[float, float]) -> Document:
    return {"median": _decimal(law[0], 4), "sigma": _decimal(law[1], 5)}


def _decimal(value: float, places: int) -> Decimal:
    """A figure as it is written: to so many places, never an exponent."""
    return round(Decimal(repr(float(value))), places)


def yaml_text(document: Mapping[str, Json], comment: Sequence[str]) -> str:
    """A document as YAML: comment lines, then blocks down to mappings of plain values."""
    head = "".join(f"# {line}\n" for line in comment)
    return head + "".join(_block(key, value, 0) for key, value in document.items())


def _block(key: str, value: Json, depth: int) -> str:
    indent = "  " * depth
    nested = isinstance(value, dict) and any(isinstance(each, dict) for each in value.values())
    if isinstance(value, dict) and (nested or depth == 0):
        inner = "".join(_block(name, each, depth + 1) for name, each in value.items())
        return f"{indent}{_name(key)}:\n{inner}"
    return f"{indent}{_name(key)}: {_flow(value)}\n"


def _flow(value: Json) -> str:
    if isinstance(value, dict):
        return f"{{{', '.join(f'{_name(key)}: {_flow(each)}' for key, each in value.items())}}}"
    if isinstance(value, list):
        return f"[{', '.join(map(_flow, value))}]"
    if isinstance(value, str):
        return _name(value)
    return f"{value:f}" if isinstance(value, Decimal) else str(value)


def _name(text: str) -> str:
    """A plain word, in quotes where YAML would take it for something else."""
    plain = re.fullmatch(r"[A-Za-z_][A-Za-z0-9_.-]*", text)
    return text if plain and text.lower() not in ("true", "false", "null") else f'"{text}"'
