"""The course of the protocol: what happens when, from the first epoch to the last."""

from collections.abc import Iterator

import numpy as np

from sim.chance import BlockSizes, below, key, mix, stream
from sim.clock import Clock
from sim.models import Call, Pool
from sim.protocol.board import Board, Standing
from sim.protocol.reference import right_answers
from sim.protocols import Registration, SpotChecks, Telegraph
from sim.scenario.schema import Scenario
from sim.units import PPM, us_from_hours_nearest, us_from_seconds_nearest
from sim.validators import verdict_ppm

LUCK = key("protocol/luck")


class Course:
    """Epochs, registrations and spot checks of one run, on the market's clock."""

    def __init__(self, clock: Clock, pool: Pool, protocol: Telegraph, scenario: Scenario) -> None:
        self.clock, self.pool, self.protocol, self.scenario = clock, pool, protocol, scenario
        self.position = {name: at for at, name in enumerate(scenario.models)}
        self.board = Board(pool, frozenset(map(self.position.__getitem__, protocol.registrations)))
        self.epoch = 0
        self._keys = {
            (intent, model): key(f"protocol/{scenario.intents[intent]}/{pool.ids[model]}")
            for intent, model in self.board.pairs
        }
        self._registered_us: dict[int, int] = {}
        self._tournaments = _draws(scenario.seed, "tournaments")
        self._checks = _draws(scenario.seed, "spot-checks")

    def start(self) -> None:
        """Sets the first event of each kind."""
        self.clock.after(us_from_hours_nearest(self.protocol.epoch_h), self._end_epoch, None)
        for name, registration in self.protocol.registrations.items():
            at_us = us_from_hours_nearest(registration.at_h)
            self.clock.after(at_us, self._register, (self.position[name], registration))
        checks = self.protocol.spot_checks
        if checks.tasks:
            self.clock.after(us_from_seconds_nearest(checks.every_s), self._check, checks)

    def judge(self, call: Call, right: bool) -> int:
        """The verdict on a call's answer, in ppm; it counts when the table is settled."""
        score_ppm = verdict_ppm(right, call.task.judgement_ppm)
        self.board.judged(call.task.intent, call.model.index, score_ppm, 1)
        return score_ppm

    def _end_epoch(self, _: None) -> None:
        draw = next(self._tournaments)
        for intent, model in self.board.pairs:
            if self.board.standing[intent, model] is not Standing.ABSENT:
                tasks = self.protocol.tournament_tasks
                score_ppm = self._examine(intent, model, tasks, draw)
                self.board.judged(intent, model, score_ppm, tasks)
        self.board.settle()
        self.epoch += 1
        self.clock.after(us_from_hours_nearest(self.protocol.epoch_h), self._end_epoch, None)

    def _register(self, what: tuple[int, Registration]) -> None:
        model, registration = what
        self.board.register(model)
        self._registered_us[model] = self.clock.now
        grace_us = us_from_hours_nearest(self.protocol.grace_h)
        self.clock.after(grace_us, self._graduate, (model, self.clock.now))
        if registration.again_every_h is not None:
            again_us = us_from_hours_nearest(registration.again_every_h)
            self.clock.after(again_us, self._register, what)

    def _graduate(self, what: tuple[int, int]) -> None:
        model, registered_us = what
        if self._registered_us[model] == registered_us:
            self.board.graduate(model)

    def _check(self, checks: SpotChecks) -> None:
        draw = next(self._checks)
        intent, model = self.board.pairs[below(draw, len(self.board.pairs))]
        standing = self.board.standing[intent, model]
        if standing is not Standing.ABSENT:
            score_ppm = self._examine(intent, model, checks.tasks, draw)
            self.board.judged(intent, model, score_ppm, checks.tasks)
            keep = PPM - round(checks.revoke_below_percent * PPM / 100)
            least = self.pool.scores[intent][model] * keep
            if standing is Standing.RANKED and score_ppm * PPM < least:
                self.board.revoke(intent, model)
        self.clock.after(us_from_seconds_nearest(checks.every_s), self._check, checks)

    def _examine(self, intent: int, model: int, tasks: int, draw: int) -> int:
        """The share of reference tasks that a model gets right, in ppm, rounded down."""
        chance_ppm = self.pool.endpoints[model].reference_ppm(intent)
        luck = mix(draw ^ LUCK, self._keys[intent, model], 0)
        return right_answers(tasks, chance_ppm, luck) * PPM // tasks


def _draws(seed: int, purpose: str) -> Iterator[int]:
    """64 uniform bits for each event of a kind, for ever."""
    random, sizes = stream(seed, "protocol", purpose), BlockSizes()
    while True:
        yield from random.integers(0, 2**64, size=sizes.next(), dtype=np.uint64).tolist()
