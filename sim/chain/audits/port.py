"""The audit of the port: its registry and its epochs, field by field and in their order."""

from collections.abc import Iterator, Sequence
from typing import Final

from eth_abi.abi import decode

from sim.chain.accounts import AccountKind, accounts
from sim.chain.acts import Acts
from sim.chain.audits.events import Seen, Source, events
from sim.chain.contracts import contract, integer
from sim.chain.deployment import Deployment
from sim.chain.local.miners import MINER
from sim.chain.merkle import WORD, keccak
from sim.chain.registering import deeds, digest_of, url_of
from sim.chain.rpc import Rpc

REGISTERED, DEREGISTERED, SETTLED = "MinerRegistered", "MinerDeregistered", "EpochSubmitted"
FIELDS: Final = (
    "miner", "yamlUrl", "yamlHash", "active", "intentId", "feeAddress", "minPriceUsdc",
    "supportedIntents",
)  # fmt: skip
"""What ``getMiner`` tells, in its order."""
Step = tuple[str, int]
"""An event of the port's, and the id of the registration or the epoch that it names."""


def port_faults(rpc: Rpc, deployment: Deployment, acts: Acts, last: int) -> list[str]:
    """Everything in which registrations and epochs differ from the record, in words.

    What others register after block ``last``, a run's last one, is none of it.
    """
    source = Source("Port", deployment.port, (REGISTERED, DEREGISTERED, SETTLED))
    seen = list(events(rpc, (source,), deployment.deploy_block, last))
    return [
        *_order(seen, acts),
        *_registrations(rpc, deployment.port, seen, acts),
        *_epochs(rpc, deployment.port, acts),
    ]


def _order(seen: Sequence[Seen], acts: Acts) -> Iterator[str]:
    """The first step at the port that is another than the record's."""
    timed = [
        (deed.time_us, 0, step)
        for deed in deeds(acts)
        for step in ((DEREGISTERED, deed.ended), (REGISTERED, deed.made))
        if step[1]
    ]
    timed += [(epoch.ended_us, 1, (SETTLED, at)) for at, epoch in enumerate(acts.epochs, 1)]
    needed = [step for *_, step in sorted(timed, key=lambda each: each[:2])]
    found = [(each.name, each.indexed[0]) for each in seen]
    for at in range(max(len(found), len(needed))):
        one, other = (steps[at] if at < len(steps) else None for steps in (found, needed))
        if one != other:
            yield f"step {at} at the port is {_words(one)}, {_words(other)} in the record"
            return


def _words(step: Step | None) -> str:
    return "none" if step is None else f"{step[0]} {step[1]}"


def _registrations(rpc: Rpc, place: str, seen: Sequence[Seen], acts: Acts) -> Iterator[str]:
    """Each registration as the port has it, against the record's."""
    port = contract("Port")
    count = sum(each.name == REGISTERED for each in seen)
    if count != len(acts.registrations):
        yield f"{count} registrations at the port, {len(acts.registrations)} in the record"
    numbers = range(1, len(acts.registrations) + 1)
    answers = rpc.views(place, [port.call("getMiner", number) for number in numbers])
    blocks = {each.indexed[0]: each.block for each in seen if each.name == REGISTERED}
    owners = [owner.address.lower() for owner in accounts(AccountKind.MODEL, len(acts.miners))]
    for number, each, answer in zip(numbers, acts.registrations, answers, strict=True):
        miner, owner = acts.miners[each.model], owners[each.model]
        url = url_of(miner.model)
        asked_by = bytes.fromhex(owner[2:]) + digest_of(url)
        own_intent = keccak(asked_by + blocks.get(number, 0).to_bytes(WORD, "big"))
        needed = (
            owner, url, digest_of(url), each.left_us is None, own_intent, owner,
            each.floor_micros, miner.intents,
        )  # fmt: skip
        for field, has, wanted in zip(FIELDS, decode(MINER, answer), needed, strict=True):
            if has != wanted:
                yield (
                    f"registration {number} of {miner.model}: {field} is {_shown(has)} at the "
                    f"port, {_shown(wanted)} in the record"
                )


def _shown(value: object) -> str:
    return value.hex() if isinstance(value, bytes) else str(value)


def _epochs(rpc: Rpc, place: str, acts: Acts) -> Iterator[str]:
    """Each epoch's root and sums, and that none is settled that has not ended."""
    port = contract("Port")
    roots = [epoch.root for epoch in acts.epochs] + [bytes(WORD)]
    calls = [port.call("epochRoot", number) for number in range(1, len(roots) + 1)]
    for number, (has, root) in enumerate(zip(rpc.views(place, calls), roots, strict=True), 1):
        if has != root:
            yield f"epoch {number} has the root {has.hex()}, {root.hex()} by the record"
    sums = (
        ("micros were charged", "epochTotalUSDC", [each.ledger_micros for each in acts.epochs]),
        ("wei were bought", "epochTotalMachina", [each.bought_wei for each in acts.epochs]),
    )
    for what, view, needed in sums:
        calls = [port.call(view, number) for number in range(1, len(needed) + 1)]
        for number, (answer, amount) in enumerate(
            zip(rpc.views(place, calls), needed, strict=True), 1
        ):
            counted = integer(answer)
            if amount is not None and counted != amount:
                yield f"epoch {number}: {counted} {what} by the port, {amount} by the record"
