"""What everybody has, rebuilt from events alone, where money is in wallets until it is due."""

from collections import defaultdict
from dataclasses import dataclass

import numpy as np

from sim.chain.accounts import AccountKind, accounts
from sim.chain.audits.events import Seen, Source
from sim.chain.contracts import contract, integer, integers
from sim.chain.deployment import Deployment
from sim.chain.rpc import Rpc
from sim.chain.settlement import AuditRecord
from sim.units import Int64Array

TRANSFERS = ("Transfer",)
SPLITTER = ("Claimed", "FeesClaimed")


@dataclass(frozen=True)
class Balances:
    """What agents have, models have earned and the treasury has taken, in micros."""

    agents: Int64Array
    models: Int64Array
    fees: int


class Books:
    """The state of a token and of one splitter (CallHub, JobEscrow) as their events imply it.

    ``held`` is what contracts keep for each agent, and may give back.
    """

    def __init__(self, deployment: Deployment, splitter: Source, record: AuditRecord) -> None:
        self.splitter, self._usdc = splitter, deployment.usdc
        self.agents = accounts(AccountKind.AGENT, len(record.agent_balance_micros))
        self.models = accounts(AccountKind.MODEL, len(record.model_earned_micros))
        self.agent_at = {int(one.address, 16): at for at, one in enumerate(self.agents)}
        self.model_at = {int(one.address, 16): at for at, one in enumerate(self.models)}
        self.token: defaultdict[int, int] = defaultdict(int)
        self.held = [0] * len(self.agents)
        self.earned: defaultdict[int, int] = defaultdict(int)
        self.claimed: defaultdict[int, int] = defaultdict(int)
        self.fees = self.fees_claimed = self.calls = 0

    def balances(self) -> Balances:
        """What everybody has now."""
        agents = [
            self.token[int(one.address, 16)] + held
            for one, held in zip(self.agents, self.held, strict=True)
        ]
        models = [self.earned[int(one.address, 16)] for one in self.models]
        return Balances(np.array(agents, np.int64), np.array(models, np.int64), self.fees)

    def move(self, seen: Seen) -> None:
        """Applies a transfer of the token."""
        (source, target), (micros,) = seen.indexed, seen.values
        self.token[source] -= micros
        self.token[target] += micros

    def earn(self, model: int, charge: int, fee: int) -> None:
        """A call was paid for: the model earns the charge less the fee."""
        self.earned[model] += charge - fee
        self.fees += fee
        self.calls += 1

    def pay_out(self, seen: Seen) -> None:
        """Applies a claim of earnings or fees."""
        if seen.name == "FeesClaimed":
            self.fees_claimed += seen.values[0]
        else:
            self.claimed[seen.indexed[0]] += seen.values[0]

    def owed(self) -> int:
        """What the splitter keeps for models and treasury, in micros."""
        earned = sum(self.earned.values()) - sum(self.claimed.values())
        return earned + self.fees - self.fees_claimed

    def differences(self, rpc: Rpc, counter: str) -> tuple[int, list[str]]:
        """Against the contracts' own views: the sum of differences in micros, each in words."""
        views, place = contract(self.splitter.contract), self.splitter.place
        owners = [*self.agents, *self.models]
        token = contract("USDC")
        wallets = rpc.views(self._usdc, [token.call("balanceOf", one.address) for one in owners])
        earnings = rpc.views(place, [views.call("earnings", one.address) for one in self.models])
        names = ("fees", "feesClaimed", counter)
        found = [integer(answer) for answer in rpc.views(place, [views.call(n) for n in names])]
        pairs = [
            (f"wallet of {one.address}", integer(answer), self.token[int(one.address, 16)])
            for one, answer in zip(owners, wallets, strict=True)
        ]
        for one, answer in zip(self.models, earnings, strict=True):
            earned, claimed = integers(answer)
            number = int(one.address, 16)
            pairs.append((f"earnings of {one.address}", earned, self.earned[number]))
            pairs.append((f"claims of {one.address}", claimed, self.claimed[number]))
        needed = (self.fees, self.fees_claimed, self.calls)
        pairs += zip(names, found, needed, strict=True)
        words = [
            f"{name}: the contract has {view}, its history implies {rebuilt}"
            for name, view, rebuilt in pairs
            if view != rebuilt
        ]
        return sum(abs(view - rebuilt) for _, view, rebuilt in pairs), words
