"""The tables: per intent, which models are ranked, in grace or revoked, and by which score."""

from collections.abc import Iterator
from enum import IntEnum

from sim.models import Pool


class Standing(IntEnum):
    """Where a model stands with an intent."""

    ABSENT = 0
    GRACE = 1
    RANKED = 2
    REVOKED = 3


class Board:
    """The table of every intent, kept in the pool: its scores, its newcomers, who is barred.

    ``pairs`` are the (intent, model) there are; verdicts since a table was last settled gather in
    sums of score times tasks.
    """

    def __init__(self, pool: Pool, absent: frozenset[int]) -> None:
        self.pool = pool
        self.pairs = [
            (intent, endpoint.index)
            for endpoint in pool.endpoints
            for intent in sorted(endpoint.abilities)
        ]
        self.standing = dict.fromkeys(self.pairs, Standing.RANKED)
        self._sums = dict.fromkeys(self.pairs, 0)
        self.tasks = dict.fromkeys(self.pairs, 0)
        for pair in self.pairs:
            if pair[1] in absent:
                self._stand(pair, Standing.ABSENT)

    def of(self, model: int) -> Iterator[tuple[int, int]]:
        """The pairs of a model."""
        return (pair for pair in self.pairs if pair[1] == model)

    def judged(self, intent: int, model: int, score_ppm: int, tasks: int) -> None:
        """Takes the mean verdict on so many tasks."""
        self._sums[intent, model] += score_ppm * tasks
        self.tasks[intent, model] += tasks

    def register(self, model: int) -> None:
        """A model comes anew: in grace, and nothing is known of it."""
        for pair in self.of(model):
            self._forget(pair)
            self._stand(pair, Standing.GRACE)

    def leave(self, model: int) -> None:
        """A model is no longer there."""
        for pair in self.of(model):
            if self.standing[pair] is not Standing.ABSENT:
                self._forget(pair)
                self._stand(pair, Standing.ABSENT)

    def graduate(self, model: int) -> None:
        """Grace is over: the score since the registration ranks the model."""
        for pair in self.of(model):
            if self.standing[pair] is Standing.GRACE:
                self._rank(pair)

    def revoke(self, intent: int, model: int) -> None:
        """A model leaves an intent's table until it is settled again."""
        self._stand((intent, model), Standing.REVOKED)

    def settle(self) -> None:
        """Ranks every model that is not in grace by what was judged since the last time."""
        for pair in self.pairs:
            if self.standing[pair] in (Standing.RANKED, Standing.REVOKED):
                self._rank(pair)

    def rank(self, intent: int, model: int) -> int | None:
        """A ranked model's place from 1, equals sharing the best; None if it is not ranked."""
        if self.standing[intent, model] is not Standing.RANKED:
            return None
        scores = self.pool.scores[intent]
        return 1 + sum(
            scores[other] > scores[model]
            for its, other in self.pairs
            if its == intent and self.standing[its, other] is Standing.RANKED
        )

    def _rank(self, pair: tuple[int, int]) -> None:
        intent, model = pair
        if self.tasks[pair]:
            self.pool.scores[intent][model] = self._sums[pair] // self.tasks[pair]
        self._forget(pair)
        self._stand(pair, Standing.RANKED)

    def _forget(self, pair: tuple[int, int]) -> None:
        self._sums[pair] = self.tasks[pair] = 0

    def _stand(self, pair: tuple[int, int], standing: Standing) -> None:
        intent, model = pair
        self.standing[pair] = standing
        newcomers = self.pool.newcomers.get(intent, frozenset())
        if standing is Standing.GRACE:
            self.pool.newcomers[intent] = newcomers | {model}
        elif model in newcomers:
            self.pool.newcomers[intent] = newcomers - {model}
        self.pool.bar(intent, model, standing in (Standing.ABSENT, Standing.REVOKED))
