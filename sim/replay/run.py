"""A whole replay: baselines and routers on one table, and the figures of each."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from decimal import Decimal

import numpy as np

from sim.facts import Fault, ScenarioError
from sim.replay import baselines, measures
from sim.replay.asked import COIN, ORACLE, SINGLE, Asked, asked
from sim.replay.measures import Bootstrap, Span
from sim.replay.play import Played, Terms, play
from sim.replay.table import Floats, Table, mean
from sim.replay.training import Training
from sim.report.hull import Point, concave_hull, quality_at
from sim.units import micros_from_usd_exact

HALF, MOST = 0.5, 0.8
CURVE_POINTS = 200


@dataclass(frozen=True)
class Settings:
    """How to replay.

    Args:
        seed: of folds, luck and resamples. folds: of the cross-validation by task.
        value_usd: what a right answer is worth, for routers that weigh it against cost.
        retries: calls after a wrong answer, all paid.
    """

    seed: int = 1
    folds: int = 5
    value_usd: Decimal = Decimal("0.40")
    retries: int = 0

    def terms(self) -> Terms:
        """The same in the simulation's units; raises `ScenarioError` for what is none."""
        faults = []
        if not 0 <= self.retries <= 100:
            faults.append(Fault("--retries", str(self.retries), "from 0 to 100"))
        micros = 0
        try:
            micros = micros_from_usd_exact(self.value_usd)
        except ValueError as error:
            faults.append(Fault("--value-usd", str(self.value_usd), str(error)))
        if micros < 0:
            faults.append(Fault("--value-usd", str(self.value_usd), "0 or more"))
        if faults:
            raise ScenarioError(tuple(faults))
        return Terms(micros, self.retries)


@dataclass(frozen=True)
class Row:
    """The figures of one router; what the table or the number of models cannot give is None.

    Args:
        label: its name, and what of its parameters is not as it is by default.
        success: mean over tasks of the last answer's success; with a 95 % bootstrap interval.
        cost_usd_per_task, cost_usd_per_success: all calls paid, over tasks, over successes.
        aiq: see `measures.aiq`; of the whole curve where the router ranks tasks.
        zero_gap: success less that of the Zero router at the same cost.
        gap_to_oracle: the oracle's success less its own.
        strong_share, pgr, apgr, cpt_50, cpt_80: with two models; without a ranking of its own a
            router's curve is the mix of it with either model.
        shares: of calls, by model. exact: nothing in it was learnt or drawn.
    """

    name: str
    label: str
    params: Mapping[str, object]
    success: float
    success_interval: Span
    cost_usd_per_task: float | None
    cost_usd_per_task_interval: Span
    cost_usd_per_success: float | None
    cost_usd_per_success_interval: Span
    aiq: float | None
    zero_gap: float | None
    arena_score: float | None
    gap_to_oracle: float
    strong_share: float | None
    pgr: float | None
    apgr: float | None
    cpt_50: float | None
    cpt_80: float | None
    calls_per_task: float
    latency_s: float | None
    shares: Mapping[str, float]
    exact: bool


@dataclass(frozen=True)
class Replay:
    """What a replay found.

    Args:
        zero: corners of the Zero router, the non-decreasing concave hull of the single models over
            (dollars per task, success); empty without costs.
        curves: by row label, the (dollars per task, success) of every threshold of a router that
            ranks tasks.
    """

    table: Table
    settings: Settings
    rows: tuple[Row, ...]
    zero: tuple[Point, ...]
    zero_aiq: float | None
    curves: Mapping[str, Sequence[Point]]

    def document(self) -> dict[str, object]:
        """``{"table": {...}, "routers": [...]}``, ready for JSON."""
        table, pair = self.table, self.table.pair
        about = {
            "name": table.name, "tasks": len(table.tasks), "models": list(table.models),
            "rows": table.success.size, "columns": list(table.known),
            "domains": len(table.domains) if "domain" in table.known else 0,
            "seed": self.settings.seed, "folds": min(self.settings.folds, len(table.tasks)),
            "retries": self.settings.retries, "value_usd": float(self.settings.value_usd),
            "weak": table.models[pair[0]], "strong": table.models[pair[1]],
            "zero_router": [list(corner) for corner in self.zero], "aiq": self.zero_aiq,
        }  # fmt: skip
        return {"table": about, "routers": [asdict(row) for row in self.rows]}


def replay(
    table: Table,
    routers: Sequence[str] = (),
    settings: Settings | None = None,
    on_router: Callable[[str], None] = lambda _: None,
) -> Replay:
    """Plays every model alone, a coin, the oracle, and the routers asked for.

    Args:
        routers: as ``quality-floor:floor=0.6``; see `asked`.
        on_router: told the name of each as its turn comes.

    Raises:
        ScenarioError: a router that is not known, does not fit, or asks for what is not recorded.
    """
    settings = settings or Settings()
    terms, wanted = settings.terms(), _wanted(routers, table)
    training = Training(table, settings.seed, settings.folds)
    judge = _Judge(table, settings.seed)
    rows = []
    for each in wanted:
        on_router(each.label)
        rows.append(judge.row(each, _played(each, training, terms)))
    return Replay(table, settings, tuple(rows), judge.zero, judge.zero_aiq, judge.curves)


def _wanted(routers: Sequence[str], table: Table) -> list[Asked]:
    faults: list[Fault] = []
    own = []
    for text in routers:
        try:
            own.append(asked(text, table))
        except ScenarioError as error:
            faults += error.faults
    if faults:
        raise ScenarioError(tuple(faults))
    names = {each.name for each in own}
    base = [Asked(SINGLE, {"model": model}) for model in table.models]
    base += [Asked(COIN)] * (COIN not in names)
    every = [*base, Asked(ORACLE), *own]
    return list({each.label: each for each in every}.values())


def _played(each: Asked, training: Training, terms: Terms) -> Played:
    table = training.table
    if each.player is not None:
        return play(each.label, each.player, training, terms)
    if each.name == SINGLE:
        return baselines.single(table, table.models.index(str(each.params["model"])))
    return baselines.oracle(table) if each.name == ORACLE else baselines.coin(table)


class _Judge:
    """Turns what was played into figures."""

    def __init__(self, table: Table, seed: int) -> None:
        self.table, self.curves = table, dict[str, Sequence[Point]]()
        self.bootstrap = Bootstrap(len(table.tasks), seed)
        self.best = mean(baselines.oracle(table).success)
        self.quality = [mean(column) for column in table.success.T]
        self.zero: tuple[Point, ...] = ()
        self.least = self.most = 0.0
        self.zero_aiq: float | None = None
        if table.cost_usd is not None:
            costs = [mean(column) for column in table.cost_usd.T]
            self.least, self.most = min(costs), max(costs)
            points = list(zip(costs, self.quality, strict=True))
            self.zero = tuple(concave_hull(points))
            self.zero_aiq = measures.mean_quality(self.zero, self.least, self.most)

    def row(self, each: Asked, played: Played) -> Row:
        """The figures of one router."""
        boot, success = self.bootstrap, mean(played.success)
        cost = None if played.cost_usd is None else mean(played.cost_usd)
        calls = played.calls.sum(axis=0)
        spent = played.cost_usd
        return Row(
            each.name, each.label, each.params, success, boot.mean(played.success), cost,
            None if spent is None else boot.mean(spent),
            cost / success if cost is not None and success else None,
            None if spent is None else boot.ratio(spent, played.success),
            *self._of_cost(each, played, success, cost), self.best - success,
            *self._of_pair(played, success),
            calls_per_task=float(calls.sum()) / len(self.table.tasks),
            latency_s=None if played.latency_s is None else mean(played.latency_s),
            shares=dict(zip(self.table.models, (calls / calls.sum()).tolist(), strict=True)),
            exact=played.exact,
        )  # fmt: skip

    def _of_cost(
        self, each: Asked, played: Played, success: float, cost: float | None
    ) -> tuple[float | None, float | None, float | None]:
        """AIQ, the gap to the Zero router, and the arena score."""
        if cost is None:
            return None, None, None
        points = [(cost, success)]
        if played.need is not None and self.table.cost_usd is not None:
            by_success = self._curve(played, self.table.success)
            by_cost = self._curve(played, self.table.cost_usd)
            points += [(c, q) for (_, c), (_, q) in zip(by_cost, by_success, strict=True)]
            self.curves[each.label] = thinned(points[1:])
        zero = quality_at(self.zero, cost)
        gap = None if zero is None else success - zero
        quality = measures.aiq(points, self.least, self.most)
        return quality, gap, measures.arena_score(success, cost)

    def _curve(self, played: Played, values: Floats) -> list[Point]:
        weak, strong = self.table.pair
        assert played.need is not None
        return measures.curve(played.need, values[:, weak], values[:, strong])

    def _of_pair(
        self, played: Played, success: float
    ) -> tuple[float | None, float | None, float | None, float | None, float | None]:
        """Share of strong calls, PGR, APGR, CPT(50 %), CPT(80 %)."""
        if len(self.table.models) != 2:
            return None, None, None, None, None
        weak, strong = self.table.pair
        share = mean(np.minimum(played.calls[:, strong], 1))
        low, high = self.quality[weak], self.quality[strong]
        if high <= low:
            return share, None, None, None, None
        points: list[Point] = [(0.0, low), (share, success), (1.0, high)]
        if played.need is not None:
            points = self._curve(played, self.table.success)
        gained = measures.recovered(points, low, high)
        pgr = (success - low) / (high - low)
        return (share, pgr, measures.apgr(gained), measures.cpt(gained, HALF),
                measures.cpt(gained, MOST))  # fmt: skip


def thinned(points: Sequence[Point]) -> list[Point]:
    """At most `CURVE_POINTS` of a curve's points, both ends among them."""
    if len(points) <= CURVE_POINTS:
        return list(points)
    chosen = np.unique(np.linspace(0, len(points) - 1, CURVE_POINTS).round().astype(np.int64))
    return [points[at] for at in chosen.tolist()]
