"""Rounds of consensus: the answers since the last one, judged by the whole jury at once."""

from collections.abc import Callable, Iterator
from dataclasses import fields
from typing import Final, NamedTuple

import numpy as np

from sim.chance import key, mix
from sim.clock import Clock
from sim.facts import Task
from sim.models import Call
from sim.protocol.discipline import Tribunal
from sim.protocol.jury import Jury
from sim.protocol.noise import Bits, Flags
from sim.protocols import Consensus
from sim.record import Calls
from sim.units import PPM, Int64Array, us_from_seconds_nearest
from sim.validators import Validators

JUDGES: Final = key("protocol/judges")
LEADER: Final = key("protocol/leader")
COLUMNS: Final = [field.name for field in fields(Calls)]
SCORE: Final = COLUMNS.index("score_ppm")
CALL = COLUMNS.index("call_id")
CHARGE, FEE = COLUMNS.index("charge_micros"), COLUMNS.index("fee_micros")
NO_ROW: Final = -1
AT_ONCE: Final = 4096


class Answer(NamedTuple):
    """What waits for a verdict: an answer, or the share of right ones among so many.

    ``row`` is its place among the rows that wait to be recorded, or -1; ``judgement_ppm`` the error
    that the scenario's own validators made of it, which stands where there is no jury; ``task``
    what was asked, but for reference tasks.
    """

    row: int
    intent: int
    model: int
    truth_ppm: int
    draw: int
    tasks: int
    judgement_ppm: int
    checked: bool
    task: Task | None


class Verdict(NamedTuple):
    """What a round found of one model at one intent: its mean score on so many tasks."""

    intent: int
    model: int
    score_ppm: int
    tasks: int
    checked: bool


class Rounds:
    """Gathers answers, and has them judged when a round is held.

    ``rows`` are the market's rows, into which scores are written. ``exact`` says of each intent
    whether it is tier A: nobody errs about its answers. ``ratings`` holds, per model
    and validator, in how many rounds it was judged and the sum of these scores in ppm.
    ``on_earned`` is told each judged call's id and model, and what it has brought that, the fee
    taken off;
    ``on_verdict``, for routers that learn, the task, the model and the score.
    """

    def __init__(
        self, clock: Clock, rules: Consensus, rule: Validators, rows: list[tuple[int, ...]],
        draws: Iterator[int], jury: Jury | None, tribunal: Tribunal | None, models: int,
        exact: Flags,
    ) -> None:  # fmt: skip
        self.clock, self.rows = clock, rows
        self.adopt(rules, rule, exact)
        self.jury, self.tribunal, self._draws = jury, tribunal, draws
        self.waiting: list[Answer] = []
        self.held = self.failed = self.reduced = self._failures = 0
        judges = len(jury.names) if jury else 0
        self.ratings = np.zeros((2, models, judges), np.int64)
        self.on_earned: Callable[[int, int, int], None] | None = None
        self.on_verdict: Callable[[Task, int, int], None] | None = None
        self._late_s = 0.0

    def adopt(self, rules: Consensus, rule: Validators, exact: Flags) -> None:
        """The next round is held by these rules; the one under way keeps its length."""
        self.rules, self.rule, self.exact = rules, rule, exact

    @property
    def length_us(self) -> int:
        """How long the round that begins now is."""
        rules = self.rules
        return us_from_seconds_nearest(rules.commit_s + rules.reveal_s + self._late_s)

    def take(self, call: Call, right: bool) -> int:
        """A call's answer waits for its verdict; until then its score is 0."""
        task = call.task
        draw = mix(task.draw, JUDGES, call.attempt)
        truth_ppm = PPM if right else 0
        self.waiting.append(
            Answer(len(self.rows), task.intent, call.model.index, truth_ppm, draw, 1,
                   task.judgement_ppm, False, task)
        )  # fmt: skip
        return 0

    def examine(
        self, intent: int, model: int, share_ppm: int, tasks: int, draw: int, *, checked: bool
    ) -> None:
        """Answers to reference tasks wait for their verdict; ``checked`` if it is a spot check."""
        self.waiting.append(
            Answer(
                NO_ROW, intent, model, share_ppm, mix(draw, JUDGES, model), tasks, 0, checked, None
            )
        )

    def hold(self) -> list[Verdict]:
        """Judges all that waits; nothing, if there is none or the quorum is not met."""
        draw, self._late_s = next(self._draws), 0.0
        if not self.waiting:
            return []
        if self.jury is None:
            columns = _Columns(self.waiting)
            errors_ppm = np.where(self.exact[columns.intent], 0, columns.judgement_ppm)
            found = np.clip(columns.truth_ppm + errors_ppm, 0, PPM)
        else:
            who = self.jury.present(draw, self.clock.now)
            self._follow(draw, who)
            if not self._quorate(len(who)):
                if self.tribunal is not None:
                    self.tribunal.round_failed(who)
                return []
            columns = _Columns(self.waiting)
            found = self._agreed(self.jury, who, draw, columns)
        self._write(found)
        self.waiting = []
        return columns.verdicts(found)

    def finish(self) -> None:
        """Judges what is left when a run ends, by whoever is there: nobody waits any longer."""
        if self.jury is not None and self.waiting:
            draw = next(self._draws)
            who = self.jury.present(draw, self.clock.now)
            columns = _Columns(self.waiting)
            if len(who):
                self._write(self._agreed(self.jury, who, draw, columns))
            self.waiting = []
        self.hold()

    def _follow(self, draw: int, who: Int64Array) -> None:
        """The leader, by turns at random; the round takes longer if it is not there."""
        assert self.jury is not None
        seated = self.jury.seated
        if len(seated) and seated[mix(draw, LEADER, 0) % len(seated)] not in who:
            self._late_s = self.rules.failover_s

    def _quorate(self, present: int) -> bool:
        needed = self.rules.quorum
        if self._failures >= self.rules.reduced_after:
            needed = self.rules.reduced_quorum
        self.held += 1
        if present < needed:
            self._failures += 1
            self.failed += 1
            return False
        self.reduced += present < self.rules.quorum
        self._failures = 0
        return True

    def _agreed(self, jury: Jury, who: Int64Array, draw: int, columns: "_Columns") -> Int64Array:
        """The results, for which every validator answers that took part."""
        found, local = self._judge(jury, who, columns)
        agreed, model = columns.mean(found), columns.model[columns.firsts]
        off: Flags = (np.abs(local - agreed[:, None]) > self._off_ppm).any(axis=0)
        counts, sums = self.ratings
        for place, of_model in enumerate(model.tolist()):
            counts[of_model, who] += 1
            sums[of_model, who] += local[place]
        if self.tribunal is not None:
            self.tribunal.round_held(who, off)
            self.tribunal.audit(draw, who, jury.fabricated(who, model))
        return found

    def _judge(
        self, jury: Jury, who: Int64Array, columns: "_Columns"
    ) -> tuple[Int64Array, Int64Array]:
        """The results, and per place the mean of what each validator reports.

        A block at a time: what has waited for a quorum may be a hundred times a round's answers.
        """
        weights, found = jury.weights(who), np.empty_like(columns.truth_ppm)
        sums = np.zeros((len(columns.firsts), len(who)), np.int64)
        for block in columns.blocks():
            at, tasks = block.answers, columns.tasks[block.answers]
            reports = jury.observed(
                who, columns.truth_ppm[at], columns.model[at], columns.draws[at], tasks,
                self.exact[columns.intent[at]],
            )  # fmt: skip
            found[at] = np.clip(self.rule.agreed(reports, weights), 0, PPM)
            weighed = np.clip(reports, 0, PPM) * tasks[:, None]
            sums[block.places] += np.add.reduceat(weighed, block.starts, axis=0)
        return found, sums // columns.sums[:, None]

    @property
    def _off_ppm(self) -> int:
        return round(self.tribunal.rules.strike_off * PPM) if self.tribunal else PPM

    def _write(self, scores_ppm: Int64Array) -> None:
        """Writes the scores of what waits into its rows, and tells who is to be told."""
        rows = self.rows
        for answer, score_ppm in zip(self.waiting, scores_ppm.tolist(), strict=True):
            if answer.task is None:
                continue
            row = rows[answer.row]
            rows[answer.row] = (*row[:SCORE], score_ppm, *row[SCORE + 1 :])
            if self.on_earned is not None:
                self.on_earned(row[CALL], answer.model, row[CHARGE] - row[FEE])
            if self.on_verdict is not None:
                self.on_verdict(answer.task, answer.model, score_ppm)


class _Block(NamedTuple):
    """Some answers by position, the places they belong to, and where each of these begins."""

    answers: Int64Array
    places: slice
    starts: Int64Array


class _Columns:
    """Answers as columns, and the (intent, model) that they belong to, spot checks apart."""

    def __init__(self, answers: list[Answer]) -> None:
        _, intent, model, truth, draws, tasks, judgement, checked, _ = zip(*answers, strict=True)
        self.intent, self.model = np.array(intent), np.array(model)
        self.truth_ppm, self.tasks = np.array(truth), np.array(tasks)
        self.judgement_ppm, self.checked = np.array(judgement), np.array(checked)
        self.draws: Bits = np.array(draws, np.uint64)
        places = (self.intent << 32) + (self.model << 1) + self.checked
        self.order = np.argsort(places, kind="stable")
        placed = places[self.order]
        self.starts = np.flatnonzero(np.concatenate([[True], placed[1:] != placed[:-1]]))
        self.firsts = self.order[self.starts]
        self.sums = np.add.reduceat(self.tasks[self.order], self.starts)

    def blocks(self) -> Iterator[_Block]:
        """All answers in the order of their places, at most so many at once."""
        for first in range(0, len(self.order), AT_ONCE):
            last = min(first + AT_ONCE, len(self.order))
            low = int(np.searchsorted(self.starts, first, side="right")) - 1
            high = int(np.searchsorted(self.starts, last))
            starts = np.maximum(self.starts[low:high] - first, 0)
            yield _Block(self.order[first:last], slice(low, high), starts)

    def mean(self, found: Int64Array) -> Int64Array:
        """Per place, the mean result of its tasks."""
        weighed = (found * self.tasks)[self.order]
        mean: Int64Array = np.add.reduceat(weighed, self.starts) // self.sums
        return mean

    def verdicts(self, found: Int64Array) -> list[Verdict]:
        """The mean result of every place."""
        columns = (self.intent, self.model, self.mean(found), self.sums, self.checked)
        at = self.firsts
        picked = (columns[0][at], columns[1][at], columns[2], columns[3], columns[4][at])
        return [
            Verdict(intent, model, score, tasks, bool(checked))
            for intent, model, score, tasks, checked in zip(
                *(each.tolist() for each in picked), strict=True
            )
        ]
