"""The authority's service: jobs as they come, answers as they are due, each settled once.

It keeps nothing of its own: which jobs wait stands on the chain, and the port takes one answer to
each. So it can be ended at any instant and started again: no job is lost, none is served twice.
"""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import Enum

from sim.authority.answering import Answered, Answering, Asked, Refused
from sim.chain import Rpc
from sim.chain.answers import Block
from sim.chain.local import Funded, Jobs, Settling, authority, model_miners, register_missing
from sim.chain.local.jobs import OnChainData
from sim.chain.merkle import keccak
from sim.chain.rpc import RefusedError
from sim.facts import ChainError
from sim.scenario import Scenario

BLOCKS_PER_LOOK = 5_000
LOOK_S = 0.05
UNSETTLED_TIMEOUT_S = 60.0
CHARACTERS_PER_TOKEN = 4
US_PER_S = 10**6


class Outcome(Enum):
    """What has become of a job."""

    ASKED = "asked"
    ANSWERED = "answered"
    REFUSED = "refused"
    SETTLED = "settled"
    NOT_TAKEN = "not taken"


@dataclass(frozen=True, slots=True)
class Event:
    """Something that the authority did, for people to read."""

    job: int
    outcome: Outcome
    words: str


class Authority:
    """Serves the jobs of one port with the models of one scenario.

    Args:
        clock_us: the time by which models answer, in us, never falling; the machine's if None.

    ``miners`` are the scenario's models as the port knows them.

    Raises:
        ChainError: there is no port there, or it has another settlement authority.
    """

    def __init__(
        self,
        rpc: Rpc,
        port: str,
        scenario: Scenario,
        clock_us: Callable[[], int] | None = None,
    ) -> None:
        self._answering = Answering(scenario)
        self._jobs = Jobs(rpc, port, authority())
        try:
            ours = self._jobs.is_authority()
        except RefusedError as refused:
            raise ChainError(f"{port} is no Port: {refused}") from None
        if not ours:
            raise ChainError(f"{port} on {rpc.url} has another settlement authority than ours")
        registered = register_missing(rpc, port, model_miners(scenario.models, scenario.name))
        self.miners = tuple(registered)
        self._miners = {miner.model: miner.address for miner in registered}
        self._single = {miner.intent: miner.model for miner in registered}
        self._named = {keccak(name.encode()): name for name in self._answering.intents}
        self._serves = {name: tuple(model.quality) for name, model in scenario.models.items()}
        start = time.monotonic()
        self._clock_us = clock_us or (lambda: int((time.monotonic() - start) * US_PER_S))
        self._looked = -1
        self._tip: Block | None = None
        self._waiting: dict[int, Funded] = {}
        self._sent: list[Settling] = []

    def run(self, alive: Callable[[], bool], tell: Callable[[Event], None]) -> None:
        """Serves for as long as ``alive`` says; raises `ChainError` if the node is lost."""
        self.settle_down()
        while alive():
            for event in self.step():
                tell(event)
            time.sleep(LOOK_S)

    def settle_down(self) -> None:
        """Waits until nothing of an earlier authority's is still to be mined."""
        end = time.monotonic() + UNSETTLED_TIMEOUT_S
        while self._jobs.under_way:
            if time.monotonic() > end:
                raise ChainError(
                    f"what an earlier authority sent to {self._jobs.rpc.url} is not mined after "
                    f"{UNSETTLED_TIMEOUT_S:g} s: does the node mine?"
                )
            time.sleep(LOOK_S)

    def step(self) -> Iterator[Event]:
        """One look at the chain: new jobs are asked, due answers sent, mined ones ticked off."""
        now_us = self._clock_us()
        yield from self._settle(now_us)
        for job in self._new():
            yield from self._ask(job)
        yield from self._settle(now_us)
        yield from self._tick_off()
        self._tip = self._jobs.rpc.block()

    def _new(self) -> Iterator[Funded]:
        head = self._jobs.rpc.quantity("eth_blockNumber")
        if self._turned_back(head):  # what it has now is looked at again
            self._looked = -1
            self._sent = [sent for sent in self._sent if self._jobs.knows(sent)]
        under_way = {*self._waiting, *(sent.number for sent in self._sent)}
        while self._looked < head:
            last = min(head, self._looked + BLOCKS_PER_LOOK)
            for job in self._jobs.created(self._looked + 1, last):
                if job.number not in under_way:
                    yield job
            self._looked = last

    def _turned_back(self, head: int) -> bool:
        """Whether the last block seen is not in the chain any more."""
        tip = self._tip
        return tip is not None and (
            head < tip.number or self._jobs.rpc.block(tip.number).hash != tip.hash
        )

    def _ask(self, job: Funded) -> Iterator[Event]:
        model = self._single.get(job.intent)
        intent = self._named.get(job.intent)
        if model is not None:
            intent = next(name for name in self._answering.intents if name in self._serves[model])
        if intent is None:
            words = f"0x{job.intent.hex()} is no intent that a model serves; it can be cancelled"
            yield Event(job.number, Outcome.REFUSED, words)
            return
        self._waiting[job.number] = job
        asked = Asked(job.number, intent, model, tokens_of(job.question), job.budget_micros)
        self._answering.ask(asked)
        yield Event(job.number, Outcome.ASKED, intent if model is None else f"{intent} of {model}")

    def _settle(self, now_us: int) -> Iterator[Event]:
        for result in self._answering.until(now_us):
            job = self._waiting.pop(result.number)
            if isinstance(result, Refused):
                words = f"{result.reason}; it can be cancelled"
                yield Event(job.number, Outcome.REFUSED, words)
                continue
            words = f"by {result.model}, {'right' if result.right else 'wrong'}"
            yield Event(job.number, Outcome.ANSWERED, words)
            miner = self._miners[result.model]
            try:
                self._sent.append(self._jobs.settle(job, miner, response(result, miner)))
            except RefusedError as refused:
                yield Event(job.number, Outcome.NOT_TAKEN, refused.message)

    def _tick_off(self) -> Iterator[Event]:
        still = []
        for sent in self._sent:
            taken = self._jobs.ended(sent)
            if taken is None:
                still.append(sent)
            else:
                outcome = Outcome.SETTLED if taken else Outcome.NOT_TAKEN
                yield Event(sent.number, outcome, f"in {sent.transaction}")
        self._sent = still


def tokens_of(question: OnChainData) -> int | None:
    """The prompt's size: four characters make a token; None if there is no text in it."""
    characters = sum(map(len, question.strings))
    return -(-characters // CHARACTERS_PER_TOKEN) or None


def response(answer: Answered, miner: str) -> OnChainData:
    """A simulated answer as a client gets it.

    addresses: the miner. integers: score in ppm, prompt and answer in tokens, service time in us.
    strings: words that say that it is simulated, and the model's name. bools: whether it is right.
    """
    words = f"Simulated answer of {answer.model}: {answer.output_tokens} tokens."
    sizes = (answer.input_tokens, answer.output_tokens, answer.service_us)
    return OnChainData(
        addresses=(miner,),
        integers=(answer.score_ppm, *sizes),
        strings=(words, answer.model),
        bools=(answer.right,),
    )
