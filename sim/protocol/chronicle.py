"""The chronicle: what the record keeps of the protocol, epoch by epoch."""

from decimal import Decimal

from sim.protocol.board import Board, Standing
from sim.protocol.demand import Demand
from sim.protocol.discipline import Tribunal
from sim.protocol.jury import Jury
from sim.protocol.rounds import Rounds
from sim.scenario.schema import Scenario

Row = dict[str, object]


class Chronicle:
    """Rows for ``epochs.parquet`` and ``validators.parquet`` (see `sim.record.protocol`)."""

    def __init__(self, scenario: Scenario) -> None:
        self.intents, self.models = scenario.intents, list(scenario.models)
        self.epoch = 0
        self.epochs: list[Row] = []
        self.validators: list[Row] = []
        self._checks: dict[tuple[int, int], int] = {}
        self._revoked_us: dict[tuple[int, int], int] = {}
        self._rounds = (0, 0, 0)

    def checked(self, intent: int, model: int) -> None:
        """A spot check was made."""
        self._checks[intent, model] = self._checks.get((intent, model), 0) + 1

    def revoked(self, intent: int, model: int, now_us: int) -> None:
        """A model's routing was revoked."""
        self._revoked_us[intent, model] = now_us

    def end_epoch(
        self, now_us: int, board: Board, judged: dict[tuple[int, int], int], rounds: Rounds,
        demand: Demand | None,
    ) -> None:  # fmt: skip
        """Writes down how the tables stand now that they are settled, if the epoch is over.

        Args:
            judged: on how many tasks each (intent, model) was judged before that.
        """
        before, self._rounds = self._rounds, (rounds.held, rounds.failed, rounds.reduced)
        held, failed, reduced = (now - then for now, then in zip(self._rounds, before, strict=True))
        for intent, model in board.pairs:
            pair = intent, model
            self.epochs.append(
                {
                    "epoch": self.epoch,
                    "ended_us": now_us,
                    "intent": self.intents[intent],
                    "model": self.models[model],
                    "standing": Standing(board.standing[pair]).name.lower(),
                    "rank": board.rank(intent, model),
                    "score_ppm": board.pool.scores[intent][model],
                    "judged": judged[pair],
                    "spot_checks": self._checks.get(pair, 0),
                    "revoked_us": self._revoked_us.get(pair),
                    "volume": demand.volume(intent) if demand else None,
                    "multiplier_tenths": board.pool.tenths[intent],
                    "multiplier_tenths_max": (
                        demand.highest_tenths(intent) if demand else board.pool.tenths[intent]
                    ),
                    "rounds": held,
                    "rounds_failed": failed,
                    "rounds_reduced": reduced,
                }
            )
        self._checks, self._revoked_us = {}, {}
        self.epoch += 1

    def uses(self, judged: dict[tuple[int, int], int]) -> dict[str, int]:
        """By intent, on how many tasks its script judged answers."""
        found: dict[str, int] = {}
        for (intent, _), tasks in judged.items():
            name = self.intents[intent]
            found[name] = found.get(name, 0) + tasks
        return found

    def end_validators(self, jury: Jury, tribunal: Tribunal, rewards: list[int]) -> None:
        """Writes down what each validator did in the epoch that `end_epoch` has just ended.

        Args:
            rewards: in wei; none if the epoch was not over.
        """
        for at, name in enumerate(jury.names):
            self.validators.append(
                {
                    "epoch": self.epoch - 1,
                    "validator": name,
                    "seat": jury.seats[at].name.lower(),
                    "left_us": tribunal.left_us[at],
                    "stake_wei": Decimal(jury.stakes[at]),
                    "rounds": int(tribunal.held[at]),
                    "attended": int(tribunal.attended[at]),
                    "rewarded": int(tribunal.rewarded[at]),
                    "strikes": int(tribunal.strikes[at]),
                    "slashed_wei": Decimal(tribunal.slashed_wei[at]),
                    "reward_wei": Decimal(rewards[at] if rewards else 0),
                    "work_wei": Decimal(tribunal.work_wei[at]),
                }
            )
