"""Telegraph's contracts in a run: MACHINA, its pool, the port; and a protocol's acts on them."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from sim.chain.accounts import TREASURY_INDEX, Account, AccountKind, account, accounts
from sim.chain.acts import Acts
from sim.chain.blocks import Blocks
from sim.chain.contracts import contract, created_address, integer
from sim.chain.deployer import WITHDRAW_DELAY_S
from sim.chain.deployment import Deployment
from sim.chain.local.uniswap import POOL_FEE_PPM, Exchange, deploy_exchange
from sim.chain.local.work import Work, failed
from sim.chain.merkle import keccak
from sim.chain.sender import Transaction, Wallets

PER_BLOCK: Final = 64
GAS: Final = 3_000_000
NEVER: Final = 2**40
ALL: Final = 2**255
JOB_LIFETIME_S: Final = 86_400


class Performance:
    """Does a protocol's acts on a chain of ours, after its calls are settled.

    The router is the minter and the settlement authority. What it mints for validators, authors and
    treasury it hands on at the end; bonded stakes stay with it.
    """

    def __init__(self, blocks: Blocks, deployment: Deployment, acts: Acts, genesis: int) -> None:
        self._blocks, self._deployment, self._acts = blocks, deployment, acts
        self._genesis_unix = genesis - acts.epochs_before * acts.epoch_s
        self._after_s = len(acts.roots) * acts.epoch_s
        self._work, self._chain_id = Work.on(blocks, self._after_s), deployment.chain_id
        self._models = accounts(AccountKind.MODEL, len(acts.miners))
        self._token = contract("USDC")

    def run(self) -> Deployment:
        """The deployment with Telegraph's contracts; raises `ChainError` if a transaction fails."""
        machina, acts = self._mint(), self._acts
        sides = (self._deployment.usdc, acts.pool_micros), (machina, acts.pool_wei)
        exchange = deploy_exchange(self._work, *sides)
        port = self._port(machina, exchange)
        self._register(port)
        self._purchase(machina, exchange)
        for number, root in enumerate(acts.roots, 1):
            data = contract("Port").call("submitEpoch", number, root, [])
            self._work.add("an epoch's root", port, data)
        self._hand_on(machina)
        return replace(
            self._deployment, machina=machina, port=port, uniswap_pool=exchange.pool,
            swap_router=exchange.swap_router,
        )  # fmt: skip

    def _mint(self) -> str:
        """MACHINA, with every epoch that has ended minted to the router; USDC is token 0."""
        work, usdc = self._work, self._deployment.usdc
        while True:
            place = created_address(work.sender.address, work.sender.nonce)
            if int(place, 16) > int(usdc, 16):
                break
            work.add("a nonce", usdc, self._token.call("approve", work.sender.address, 0))
        router = work.sender.address
        terms = (router, self._treasury.address, self._genesis_unix, self._acts.epoch_s)
        work.add("MACHINA", None, contract("MACHINA").creation(*terms))
        minted = contract("MACHINA").call("mintEpoch", [router], [router], [1])
        for _ in range(self._acts.epochs_before + len(self._acts.roots)):
            work.add("an epoch of MACHINA", place, minted)
        micros = self._acts.pool_micros
        work.add("USDC for the pool", usdc, self._token.call("mint", router, micros))
        work.do()
        self._level(place)
        return place

    @property
    def _treasury(self) -> Account:
        return account(AccountKind.OPERATOR, TREASURY_INDEX)

    def _level(self, machina: str) -> None:
        """Gives the treasury what the record says it has, or takes the rest from it."""
        view = self._token.call("balanceOf", self._treasury.address)
        has = integer(self._blocks.rpc.view(machina, view))
        over = has - self._acts.treasury_wei
        if over > 0:
            wallets = Wallets(self._blocks.rpc, [self._treasury], self._chain_id)
            data = self._token.call("transfer", self._work.sender.address, over)
            self._submit([("the treasury's part", wallets.prepare(0, machina, data, GAS))])
        elif over < 0:
            data = self._token.call("transfer", self._treasury.address, -over)
            self._work.add("the treasury's part", machina, data)
            self._work.do()

    def _port(self, machina: str, exchange: Exchange) -> str:
        work, usdc = self._work, self._deployment.usdc
        place = created_address(work.sender.address, work.sender.nonce)
        terms = (
            usdc, machina, self._treasury.address, work.sender.address, exchange.swap_router,
            POOL_FEE_PPM, WITHDRAW_DELAY_S, JOB_LIFETIME_S,
        )  # fmt: skip
        work.add("Port", None, contract("Port").creation(terms))
        work.do()
        return place

    def _register(self, port: str) -> None:
        """Every model registers itself, with its floor."""
        wallets = Wallets(self._blocks.rpc, self._models, self._chain_id)
        ready = []
        for at, (miner, owner) in enumerate(zip(self._acts.miners, self._models, strict=True)):
            url = f"telex:{miner.model}"
            data = contract("Port").call(
                "registerMiner", url, keccak(url.encode()), owner.address, miner.floor_micros,
                miner.intents,
            )  # fmt: skip
            ready.append(
                (f"the registration of {miner.model}", wallets.prepare(at, port, data, GAS))
            )
        self._submit(ready)

    def _purchase(self, machina: str, exchange: Exchange) -> None:
        """Models claim what they have earned and buy MACHINA, each for what the record says."""
        acts, usdc = self._acts, self._deployment.usdc
        ledger, buyers = contract("CallLedger"), sorted({bought.model for bought in acts.bought})
        wallets = Wallets(self._blocks.rpc, self._models, self._chain_id)
        for at in buyers:
            view = ledger.call("idOf", self._models[at].address)
            number = integer(self._blocks.rpc.view(self._deployment.call_ledger, view))
            claim = ledger.call("claim", number)
            self._work.add("a claim", self._deployment.call_ledger, claim)
        if buyers:
            self._work.do()
        approval = self._token.call("approve", exchange.swap_router, ALL)
        ready = [("an approval", wallets.prepare(at, usdc, approval, GAS)) for at in buyers]
        for bought in acts.bought:
            terms = (
                usdc, machina, POOL_FEE_PPM, self._models[bought.model].address, NEVER,
                bought.micros, bought.wei, 0,
            )  # fmt: skip
            data = contract("SwapRouter").call("exactInputSingle", terms)
            swap = wallets.prepare(bought.model, exchange.swap_router, data, GAS)
            ready.append((f"a purchase of {acts.miners[bought.model].model}", swap))
        self._submit(ready)

    def _hand_on(self, machina: str) -> None:
        """Validators and authors get what is theirs."""
        owners = accounts(AccountKind.HOLDER, len(self._acts.given))
        for owner, wei in zip(owners, self._acts.given, strict=True):
            if wei:
                self._work.add(
                    "a reward", machina, self._token.call("transfer", owner.address, wei)
                )
        self._work.do()

    def _submit(self, ready: Sequence[tuple[str, Transaction]]) -> None:
        """Has others' transactions mined; raises `ChainError` naming the first that failed."""
        for start in range(0, len(ready), PER_BLOCK):
            part = ready[start : start + PER_BLOCK]
            self._blocks.submit([transaction for _, transaction in part], self._after_s)
            failed(self._blocks.rpc, [(name, transaction.hash) for name, transaction in part])
