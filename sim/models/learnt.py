"""What a market that runs teaches its router: verdicts, one by one, and who was paid how much."""

from collections import deque
from collections.abc import Sequence

from sim.facts import Task
from sim.routers import Lesson


class Learnt:
    """Verdicts and spending by intent and model; see `sim.routers.MarketPool`."""

    online = True

    def __init__(self, models: int, intents: int) -> None:
        self.tried = [[0] * models for _ in range(intents)]
        self.won = [[0] * models for _ in range(intents)]
        self.notes: dict[int, object] = {}
        self._lessons: dict[int, list[Lesson]] = {}
        self._spent: list[deque[tuple[int, int, int]]] = [deque() for _ in range(intents)]
        self._totals = [[0] * models for _ in range(intents)]

    def learn(self, task: Task, model: int, score_ppm: int) -> None:
        """Takes note of a verdict; only told where the router learns."""
        self.tried[task.intent][model] += 1
        self.won[task.intent][model] += score_ppm
        if task.intent in self._lessons:
            self._lessons[task.intent].append(Lesson(task, model, score_ppm))

    def lessons(self, intent: int) -> list[Lesson]:
        """Verdicts since this was last asked; kept from the first time on."""
        found = self._lessons.get(intent, [])
        self._lessons[intent] = []
        return found

    def book(self, task: Task, model: int, charge_micros: int) -> None:
        """Takes note of a charge; only told where the router follows the money."""
        self._spent[task.intent].append((task.posted_us, model, charge_micros))
        self._totals[task.intent][model] += charge_micros

    def spend(self, intent: int, models: Sequence[int], since_us: int) -> list[int]:
        """Micros charged per model for tasks of an intent posted since ``since_us``."""
        spent, totals = self._spent[intent], self._totals[intent]
        while spent and spent[0][0] < since_us:
            _, model, micros = spent.popleft()
            totals[model] -= micros
        return [totals[model] for model in models]
