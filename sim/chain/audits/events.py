"""What happened on several contracts, from their events alone, in the chain's own order."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from sim.chain.contracts import contract, integers
from sim.chain.rpc import Rpc

BLOCKS_PER_QUERY = 1_000


@dataclass(frozen=True, slots=True)
class Seen:
    """An event: whose (``source``) and which; ``indexed`` and ``values`` are its fields as ints."""

    source: str
    name: str
    block: int
    transaction: str
    indexed: tuple[int, ...]
    values: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Source:
    """A contract at a place, and the events of it that matter."""

    contract: str
    place: str
    names: tuple[str, ...]

    def topics(self) -> Mapping[bytes, str]:
        """The names of its events by their first topic."""
        return {contract(self.contract).topic(name): name for name in self.names}


def events(rpc: Rpc, sources: tuple[Source, ...], first: int, last: int) -> Iterator[Seen]:
    """All events of the sources in blocks first to last, in order."""
    for start in range(first, last + 1, BLOCKS_PER_QUERY):
        end = min(last, start + BLOCKS_PER_QUERY - 1)
        found = []
        for source in sources:
            names = source.topics()
            for log in rpc.logs(source.place, list(names), start, end):
                indexed = tuple(int.from_bytes(topic, "big") for topic in log.topics[1:])
                seen = Seen(
                    source.contract, names[log.topics[0]], log.block, log.transaction, indexed,
                    tuple(integers(log.data)),
                )  # fmt: skip
                found.append((log.block, log.index, seen))
        yield from (seen for _, _, seen in sorted(found, key=lambda item: item[:2]))
