"""The course of the protocol: what happens when, from the first epoch to the last."""

from collections.abc import Callable, Iterator
from typing import Final

import numpy as np

from sim.chance import BlockSizes, below, key, mix, stream
from sim.clock import Clock
from sim.models import Call, FloorPool, JobPool, Pool
from sim.protocol.board import Board, Standing
from sim.protocol.books import Books
from sim.protocol.chronicle import Chronicle
from sim.protocol.demand import Demand
from sim.protocol.discipline import Tribunal
from sim.protocol.jobs import JobBook
from sim.protocol.jury import Jury
from sim.protocol.mint import Mint
from sim.protocol.noise import Flags
from sim.protocol.purchasing import Purchasing
from sim.protocol.reference import right_answers
from sim.protocol.registry import Registry
from sim.protocol.rounds import Rounds, Verdict
from sim.protocols import Registration, Telegraph
from sim.record.protocol import ProtocolFrames, protocol_frames
from sim.scenario.schema import Scenario
from sim.units import PPM, us_from_hours_nearest, us_from_seconds_nearest

LUCK: Final = key("protocol/luck")
ONCE: Final = Registration(at_h=0)


class Course:
    """Epochs, rounds, registrations and spot checks of one run, on the market's clock.

    Args:
        rows: the market's rows of ended calls, into which the rounds write their scores.
    """

    def __init__(
        self, clock: Clock, pool: Pool, protocol: Telegraph, scenario: Scenario,
        rows: list[tuple[int, ...]],
    ) -> None:  # fmt: skip
        self.clock, self.pool, self.protocol = clock, pool, protocol
        self.position = {name: at for at, name in enumerate(scenario.models)}
        self._scenario = scenario
        late = {name for name, model in self._scenario.models.items() if not model.listed}
        absent = frozenset(map(self.position.__getitem__, late | protocol.registrations.keys()))
        self.board, self.registry = Board(pool, absent), Registry(scenario, absent)
        self.books = Books()
        self.jury = Jury(protocol, list(scenario.models)) if protocol.validators else None
        self.tribunal: Tribunal | None = None
        if self.jury is not None:
            self.tribunal = Tribunal(clock, self.jury, protocol.discipline, self.books)
        self.rounds = Rounds(
            clock, protocol.consensus, scenario.validators, rows, _draws(scenario.seed, "rounds"),
            self.jury, self.tribunal, len(scenario.models), _tier_a(protocol, scenario.intents),
        )  # fmt: skip
        self._money(scenario)
        self.chronicle = Chronicle(scenario)
        self.on_judged: Callable[[], None] = lambda: None
        pricing = protocol.pricing
        self.demand: Demand | None = None
        if pricing is not None and isinstance(pool, FloorPool):
            self.demand = Demand(pricing, pool, len(scenario.intents))
        self.jobs: JobBook | None = None
        if self.demand is not None and isinstance(pool, JobPool):
            self.jobs = JobBook(clock, pool, self.purchasing, self.demand.volume)
            self.rounds.on_earned = self.jobs.earned
        self._keys = {
            (intent, model): key(f"protocol/{scenario.intents[intent]}/{pool.ids[model]}")
            for intent, model in self.board.pairs
        }
        self._registered_us: dict[int, int] = {}
        self._checking = False
        self._tournaments = _draws(scenario.seed, "tournaments")
        self._checks = _draws(scenario.seed, "spot-checks")
        self._found: list[Verdict] = []

    def _money(self, scenario: Scenario) -> None:
        bonded = sum(self.jury.stakes) if self.jury else 0
        self.purchasing: Purchasing | None = None
        if self.protocol.purchases is not None:
            self.purchasing = Purchasing(
                self.clock, self.protocol.purchases, self.books, list(scenario.models),
                scenario.seed,
            )  # fmt: skip
            self.rounds.on_earned = self.purchasing.earned
        pooled = self.purchasing.exchange.reserve1 if self.purchasing else 0
        self.mint = Mint(self.protocol.emission, self.books, bonded, pooled)

    def start(self) -> None:
        """Sets the first event of each kind."""
        self.clock.after(us_from_hours_nearest(self.protocol.epoch_h), self._end_epoch, None)
        self.clock.after(self.rounds.length_us, self._round, None)
        for name, registration in self.protocol.registrations.items():
            at_us = us_from_hours_nearest(registration.at_h)
            self.clock.after(at_us, self._register, (self.position[name], registration))
        if self.purchasing is not None:
            self.purchasing.start()
        self._await_check()

    def finish(self) -> None:
        """Judges what is left, and writes down the epoch under way; no event follows."""
        self.rounds.finish()
        if self.jobs is not None:
            self.jobs.finish()
        self._write_down(over=False)

    def frames(self) -> ProtocolFrames:
        """What the record keeps of it, once it has finished."""
        judges = self.jury.names if self.jury else []
        return protocol_frames(
            self.chronicle.epochs, self.chronicle.validators, self.rounds.ratings, judges,
            self.chronicle.models, self.registry.rows,
        )  # fmt: skip

    def judge(self, call: Call, right: bool) -> int:
        """An answer waits for the next round; its score is 0 until then."""
        if self.demand is not None:
            self.demand.answered(call.task.intent, self.clock.now)
        return self.rounds.take(call, right)

    # Rounds ----------------------------------------------------------------------------------

    def _round(self, _: None) -> None:
        """One round ends: its result counts. The next begins, with what was answered meanwhile."""
        self._count()
        self._found = self.rounds.hold()
        if self.demand is not None:
            self.demand.tell(self.clock.now)
        self._judged()
        self.clock.after(self.rounds.length_us, self._round, None)

    def _judged(self) -> None:
        if not self.rounds.waiting:
            self.on_judged()

    def _count(self) -> None:
        keep_ppm = PPM - round(self.protocol.spot_checks.revoke_below_percent * PPM / 100)
        for intent, model, score_ppm, tasks, checked in self._found:
            standing = self.board.standing[intent, model]
            if standing is Standing.ABSENT:
                continue
            self.board.judged(intent, model, score_ppm, tasks)
            least = self.pool.scores[intent][model] * keep_ppm
            if checked and standing is Standing.RANKED and score_ppm * PPM < least:
                self.board.revoke(intent, model)
                self.chronicle.revoked(intent, model, self.clock.now)
        self._found = []

    # Epochs ----------------------------------------------------------------------------------

    def _end_epoch(self, _: None) -> None:
        self._count()
        draw, tasks = next(self._tournaments), self.protocol.tournament_tasks
        for intent, model in self.board.pairs:
            if self.board.standing[intent, model] is not Standing.ABSENT:
                self._examine(intent, model, tasks, draw, checked=False)
        self._found = self.rounds.hold()
        self._count()
        self._write_down(over=True)
        self._judged()
        self.clock.after(us_from_hours_nearest(self.protocol.epoch_h), self._end_epoch, None)

    def _write_down(self, *, over: bool) -> None:
        judged, rewards = dict(self.board.tasks), []
        if over:
            self.board.settle()
            uses = self.chronicle.uses(judged)
            rewards = self.mint.end_epoch(self.clock.now, self.jury, self.tribunal, uses)
        self.chronicle.end_epoch(self.clock.now, self.board, judged, self.rounds, self.demand)
        if self.demand is not None:
            self.demand.end_epoch()
        if self.jury is not None and self.tribunal is not None:
            self.chronicle.end_validators(self.jury, self.tribunal, rewards)
            if over:
                self.tribunal.end_epoch()

    # Registrations and spot checks -----------------------------------------------------------

    def _register(self, what: tuple[int, Registration]) -> None:
        """A model that is on offer registers; one that is not has left, until its release."""
        model, registration = what
        if self._scenario.models[self.pool.ids[model]].listed:
            self.board.register(model)
            self.registry.register(model, self._scenario, self.clock.now)
            self._registered_us[model] = self.clock.now
            grace_us = us_from_hours_nearest(self.protocol.grace_h)
            self.clock.after(grace_us, self._graduate, (model, self.clock.now))
        if registration.again_every_h is not None:
            again_us = us_from_hours_nearest(registration.again_every_h)
            self.clock.after(again_us, self._register, what)

    def adopt(self, scenario: Scenario) -> None:
        """A later phase: who is listed now registers, who is no longer leaves the tables.

        Under floors, so does a model that asks another one than before: it registers anew.
        """
        before, self._scenario = self._scenario, scenario
        if scenario.protocol is not None:
            self._take_rules(scenario.protocol, scenario)
        for name, model in scenario.models.items():
            at, was = self.position[name], before.models[name]
            if not model.listed:
                self.board.leave(at)
                self.registry.leave(at, self.clock.now)
                continue
            there = any(self.board.standing[pair] for pair in self.board.of(at))
            repriced = self.demand is not None and model.price != was.price
            if not was.listed or (there and repriced):
                self._register((at, ONCE))

    def _take_rules(self, protocol: Telegraph, scenario: Scenario) -> None:
        """What is under way (a round, an epoch, grace, unbonding) ends when it was to end."""
        self.protocol = protocol
        exact = _tier_a(protocol, scenario.intents)
        self.rounds.adopt(protocol.consensus, scenario.validators, exact)
        if self.jury is not None and self.tribunal is not None:
            self.jury.adopt(protocol)
            self.tribunal.rules = protocol.discipline
        self.mint.rules = protocol.emission
        if self.purchasing is not None and protocol.purchases is not None:
            self.purchasing.adopt(protocol.purchases)
        if self.demand is not None and protocol.pricing is not None:
            self.demand.adopt(protocol.pricing, self.clock.now)
        self._await_check()

    def _graduate(self, what: tuple[int, int]) -> None:
        model, registered_us = what
        if self._registered_us[model] == registered_us:
            self.board.graduate(model)

    def _await_check(self) -> None:
        """Sets the next spot check, if there are any and none is set."""
        checks = self.protocol.spot_checks
        if checks.tasks and not self._checking:
            self._checking = True
            self.clock.after(us_from_seconds_nearest(checks.every_s), self._check, None)

    def _check(self, _: None) -> None:
        self._checking, checks = False, self.protocol.spot_checks
        if not checks.tasks:
            return
        draw = next(self._checks)
        intent, model = self.board.pairs[below(draw, len(self.board.pairs))]
        if self.board.standing[intent, model] is not Standing.ABSENT:
            self._examine(intent, model, checks.tasks, draw, checked=True)
            self.chronicle.checked(intent, model)
        self._await_check()

    def _examine(self, intent: int, model: int, tasks: int, draw: int, *, checked: bool) -> None:
        """A model answers so many reference tasks; the share of right ones waits for a verdict."""
        chance_ppm = self.pool.endpoints[model].reference_ppm(intent)
        luck = mix(draw ^ LUCK, self._keys[intent, model], 0)
        share_ppm = right_answers(tasks, chance_ppm, luck) * PPM // tasks
        self.rounds.examine(intent, model, share_ppm, tasks, draw, checked=checked)


def _tier_a(protocol: Telegraph, intents: tuple[str, ...]) -> Flags:
    """Which intents have one right answer."""
    return np.array([intent in protocol.tier_a for intent in intents], np.bool_)


def _draws(seed: int, purpose: str) -> Iterator[int]:
    """64 uniform bits for each event of a kind, for ever."""
    random, sizes = stream(seed, "protocol", purpose), BlockSizes()
    while True:
        yield from random.integers(0, 2**64, size=sizes.next(), dtype=np.uint64).tolist()
