"""The audit of bonds: what models posted and were slashed, by events of token and vault alone."""

from collections import Counter

import numpy as np

from sim.chain.accounts import Account, AccountKind, accounts
from sim.chain.audits.events import Seen, Source, events
from sim.chain.audits.order import compare_in_order
from sim.chain.audits.withdrawals import agent_ids
from sim.chain.beside import Bonded
from sim.chain.contracts import contract, integer
from sim.chain.deployment import Deployment
from sim.chain.funding import vault_of
from sim.chain.rpc import Rpc
from sim.chain.settlement import AuditRecord

MINTED_BY = 0


class BondAudit:
    """The bond accounts of one run, from its first block to its last."""

    def __init__(
        self, rpc: Rpc, deployment: Deployment, record: AuditRecord, bonded: Bonded
    ) -> None:
        self._rpc, self._deployment, self._record, self._bonded = rpc, deployment, record, bonded
        count = len(bonded.posted_micros)
        self._models = accounts(AccountKind.MODEL, count)
        self._bonds = accounts(AccountKind.BOND, count)
        self._model_at, self._bond_at = _places(self._models), _places(self._bonds)
        self._vault = vault_of(deployment, record.rail)
        self._posted: Counter[int] = Counter()
        self._kept: Counter[int] = Counter()
        self._paid_to: dict[str, tuple[int, int]] = {}
        self._slashes: list[tuple[int, int, int]] = []

    def run(self) -> tuple[int, list[str]]:
        """The sum of differences in micros, and all that is wrong in words."""
        sources = (
            Source("USDC", self._deployment.usdc, ("Transfer",)),
            Source(self._vault.contract, self._vault.place, ("Deposited",)),
        )
        last = self._record.last_block or self._rpc.block().number
        for seen in events(self._rpc, sources, self._record.first_block, last):
            if seen.name == "Deposited":
                self._paid_to[seen.transaction] = (seen.indexed[0], seen.values[0])
            else:
                self._move(seen)
        posted, posted_words = self._check_posted()
        slashed, slashed_words = self._check_slashes()
        return posted + slashed, [*posted_words, *slashed_words, *self._check_purses()]

    def _move(self, seen: Seen) -> None:
        """Applies a transfer of the token, where a model or its bond has a part in it."""
        (source, target), (micros,) = seen.indexed, seen.values
        if source == MINTED_BY and target in self._model_at:
            self._posted[self._model_at[target]] += micros
        if target in self._bond_at:
            self._kept[self._bond_at[target]] += micros
        if source in self._bond_at:
            model = self._bond_at[source]
            self._kept[model] -= micros
            to, credited = self._paid_to.get(seen.transaction, (0, 0))
            vault = target == int(self._vault.place, 16)
            self._slashes.append((to if vault and credited == micros else 0, model, micros))

    def _check_posted(self) -> tuple[int, list[str]]:
        wrong = [
            (f"bond of model {at}: {self._posted[at]} micros posted, {needed} in the record",
             abs(self._posted[at] - needed))
            for at, needed in enumerate(self._bonded.posted_micros.tolist())
            if self._posted[at] != needed
        ]  # fmt: skip
        return sum(micros for _, micros in wrong), [words for words, _ in wrong]

    def _check_slashes(self) -> tuple[int, list[str]]:
        """Every slash is there once: those of an instant have no order, so all are sorted."""
        bonded = self._bonded
        ids = agent_ids(self._rpc, self._vault, len(self._record.agent_balance_micros))
        to = ids[bonded.agent] if len(bonded.agent) else bonded.agent
        order = np.lexsort((bonded.micros, bonded.model, to))
        needed = {"agent": to[order], "model": bonded.model[order], "micros": bonded.micros[order]}
        rows = sorted(self._slashes)
        found = {name: [row[at] for row in rows] for at, name in enumerate(needed)}
        compared = compare_in_order("slashes", bonded.call_id[order], found, needed)
        apart = abs(sum(found["micros"]) - int(bonded.micros.sum()))
        return apart, compared.words

    def _check_purses(self) -> list[str]:
        token = contract("USDC")
        asked = [token.call("balanceOf", one.address) for one in self._bonds]
        views = map(integer, self._rpc.views(self._deployment.usdc, asked))
        return [
            f"bond account of model {at}: it has {view} micros, its history implies "
            f"{self._kept[at]}"
            for at, view in enumerate(views)
            if view != self._kept[at]
        ]


def _places(owners: tuple[Account, ...]) -> dict[int, int]:
    """Positions by address."""
    return {int(one.address, 16): at for at, one in enumerate(owners)}
