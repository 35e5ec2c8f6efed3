"""Telegraph's contracts in a run: MACHINA, its pool, the port; and a protocol's acts on them."""

from collections import Counter, deque
from collections.abc import Sequence
from dataclasses import replace
from itertools import chain, groupby
from typing import Final

from sim.chain.accounts import TREASURY_INDEX, Account, AccountKind, account, accounts
from sim.chain.acts import Acts, Bought
from sim.chain.blocks import Blocks
from sim.chain.contracts import contract, created_address, integer
from sim.chain.deployer import WITHDRAW_DELAY_S
from sim.chain.deployment import Deployment
from sim.chain.endowing import endow
from sim.chain.hiring import NOBODY, Hiring
from sim.chain.local.uniswap import POOL_FEE_PPM, deploy_exchange
from sim.chain.local.work import CALL_GAS, FOREIGN_GAS, Work, failed
from sim.chain.registering import BEFORE, Registering, deeds
from sim.chain.sender import Transaction, Wallets
from sim.facts import ChainError

PER_BLOCK: Final = 64
GAS: Final = 3_000_000
NEVER: Final = 2**40
ALL: Final = 2**255
JOB_LIFETIME_S: Final = 86_400
TO_BEGIN_WITH: Final = 1  # an approval; the treasury gives back


class Performance:
    """Does a protocol's acts on a chain, after its calls are settled.

    The router is the minter and the settlement authority. What it mints for validators, authors and
    treasury it hands on at the end; bonded stakes stay with it. On a node of somebody else's, whose
    clock is its own, all epochs have ended by now, and the router gives models and treasury the ETH
    that their transactions take.
    """

    def __init__(self, blocks: Blocks, deployment: Deployment, acts: Acts, genesis: int) -> None:
        self._blocks, self._deployment, self._acts = blocks, deployment, acts
        self._own = blocks.sender.on_own_chain
        self._after_s = len(acts.epochs) * acts.epoch_s
        start = genesis if self._own else blocks.rpc.block().timestamp - self._after_s
        self._genesis_unix = start - acts.epochs_before * acts.epoch_s
        self._work, self._chain_id = Work.on(blocks, self._after_s), deployment.chain_id
        self._models = accounts(AccountKind.MODEL, len(acts.miners))
        self._genesis_run, self._token = genesis, contract("USDC")

    def run(self) -> Deployment:
        """The deployment with Telegraph's contracts; raises `ChainError` if a transaction fails."""
        if self._genesis_unix < 0:
            raise ChainError(f"{self._acts.epochs_before} epochs before now began before 1970")
        if not self._own:
            self._endow()
        self._sellers = self._wallets(self._models)
        machina, acts = self._mint(), self._acts
        made = replace(self._deployment, machina=machina)
        if acts.pool_micros:
            sides = (made.usdc, acts.pool_micros), (machina, acts.pool_wei)
            exchange = deploy_exchange(self._work, *sides)
            made = replace(made, uniswap_pool=exchange.pool, swap_router=exchange.swap_router)
        made = replace(made, port=self._port(made))
        self._take_course(made)
        self._hand_on(machina)
        return made

    def _endow(self) -> None:
        """Gives everybody who sends something the ETH that it takes at most."""
        sends = Counter(bought.model for bought in self._acts.bought)
        sends.update(deed.model for deed in deeds(self._acts))
        price = self._gas_price_wei
        wei = {
            owner.address: GAS * price * (TO_BEGIN_WITH + sends[at])
            for at, owner in enumerate([*self._models, self._treasury])
        }
        endow(self._blocks, wei, self._after_s, "models register and buy")

    @property
    def _gas_price_wei(self) -> int:
        return 0 if self._own else self._work.sender.gas_price_wei

    def _wallets(self, owners: Sequence[Account]) -> Wallets:
        return Wallets(self._blocks.rpc, owners, self._chain_id, self._gas_price_wei)

    def _mint(self) -> str:
        """MACHINA, with every epoch that has ended minted to the router; USDC is token 0."""
        work, usdc = self._work, self._deployment.usdc
        while True:
            place = created_address(work.sender.address, work.sender.nonce)
            if int(place, 16) > int(usdc, 16):
                break
            work.add("a nonce", usdc, self._token.call("approve", work.sender.address, 0), CALL_GAS)
        router = work.sender.address
        terms = (router, self._treasury.address, self._genesis_unix, self._acts.epoch_s)
        work.add("MACHINA", None, contract("MACHINA").creation(*terms))
        minted = contract("MACHINA").call("mintEpoch", [router], [router], [1])
        for _ in range(
            self._acts.epochs_before + len(self._acts.epochs) if self._acts.mints else 0
        ):
            work.add("an epoch of MACHINA", place, minted, CALL_GAS)
        if micros := self._acts.pool_micros:
            work.add("USDC for the pool", usdc, self._token.call("mint", router, micros), CALL_GAS)
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
            wallets = self._wallets([self._treasury])
            data = self._token.call("transfer", self._work.sender.address, over)
            self._submit([("the treasury's part", wallets.prepare(0, machina, data, GAS))])
        elif over < 0:
            data = self._token.call("transfer", self._treasury.address, -over)
            self._work.add("the treasury's part", machina, data, CALL_GAS)
            self._work.do()

    def _port(self, made: Deployment) -> str:
        work = self._work
        place = created_address(work.sender.address, work.sender.nonce)
        terms = (
            made.usdc, made.machina, self._treasury.address, work.sender.address,
            made.swap_router or NOBODY, POOL_FEE_PPM, WITHDRAW_DELAY_S, JOB_LIFETIME_S,
        )  # fmt: skip
        work.add("Port", None, contract("Port").creation(terms))
        work.do()
        return place

    def _take_course(self, made: Deployment) -> None:
        """Models register and leave, buy and end jobs, and epochs are settled, as the run had it.

        All that models buy for with calls' earnings is claimed before, and so is what agents pay
        for jobs taken out of their accounts.
        """
        registering = Registering(self._acts, made.port, [each.address for each in self._models])
        self._register(registering, BEFORE)
        hiring = Hiring(self._blocks, self._deployment, self._acts, made.port)
        self._prepare_trade(made, hiring)
        bought = deque(self._acts.bought)
        for number, epoch in enumerate(self._acts.epochs, 1):
            self._register(registering, epoch.ended_us)
            self._trade(made, hiring, _until(bought, epoch.ended_us))
            paid = epoch.ledger_micros or 0, epoch.ledger_wei
            data = contract("Port").call("submitEpoch", number, epoch.root, [], *paid)
            self._work.add("an epoch's root", made.port, data, CALL_GAS)
        self._register(registering, None)
        self._trade(made, hiring, list(bought))
        self._work.do()

    def _register(self, registering: Registering, time_us: int | None) -> None:
        """What models do at the registry up to a time; each for itself where order is not kept."""
        groups = registering.until(time_us)
        if groups:
            self._work.do()
        ready = [[registering.prepare(deed, self._sellers) for deed in some] for some in groups]
        for some in [list(chain(*ready))] if self._own else ready:
            self._submit(some)

    def _prepare_trade(self, made: Deployment, hiring: Hiring) -> None:
        """Models have what they buy for, the exchange may take it, and agents pay for jobs."""
        buyers = sorted({bought.model for bought in self._acts.bought if bought.job is None})
        self._claim(buyers)
        if buyers:
            approval = self._token.call("approve", made.swap_router, ALL)
            self._submit(
                [
                    ("an approval", self._sellers.prepare(at, made.usdc, approval, GAS))
                    for at in buyers
                ]
            )
        for step, seconds in hiring.pay_in(self._genesis_run):
            self._submit(step, seconds)

    def _trade(self, made: Deployment, hiring: Hiring, swaps: Sequence[Bought]) -> None:
        """Models buy MACHINA, and jobs are made and ended, each swap for what the record says."""
        if not swaps:
            return
        self._work.do()
        ready: list[tuple[str, Transaction]] = []
        for bought in swaps:
            if bought.job is not None:
                ready += hiring.work_off(bought.job)
                continue
            terms = (
                made.usdc, made.machina, POOL_FEE_PPM, self._models[bought.model].address, NEVER,
                bought.micros, bought.wei, 0,
            )  # fmt: skip
            data = contract("SwapRouter").call("exactInputSingle", terms)
            swap = self._sellers.prepare(bought.model, made.swap_router, data, GAS)
            ready.append((f"a purchase of {self._acts.miners[bought.model].model}", swap))
        self._submit_in_order(ready, swaps)

    def _claim(self, models: Sequence[int]) -> None:
        """Models have what their calls have earned."""
        ledger, place = contract("CallLedger"), self._deployment.call_ledger
        for at in models:
            view = ledger.call("idOf", self._models[at].address)
            number = integer(self._blocks.rpc.view(place, view))
            self._work.add("a claim", place, ledger.call("claim", number), CALL_GAS)
        if models:
            self._work.do()

    def _hand_on(self, machina: str) -> None:
        """Validators and authors get what is theirs."""
        owners = accounts(AccountKind.HOLDER, len(self._acts.given))
        for owner, wei in zip(owners, self._acts.given, strict=True):
            if wei:
                self._work.add(
                    "a reward", machina, self._token.call("transfer", owner.address, wei), CALL_GAS
                )
        self._work.do()

    def _submit_in_order(
        self, ready: Sequence[tuple[str, Transaction]], swaps: Sequence[Bought]
    ) -> None:
        """As `_submit`; only in a block of our own do many senders' come in the order given."""
        if self._own:
            self._submit(ready)
            return
        models = iter(swaps)
        for _, some in groupby(ready, lambda _: next(models).model):
            self._submit(list(some))

    def _submit(self, ready: Sequence[tuple[str, Transaction]], seconds: int = 0) -> None:
        """Has others' transactions mined; raises `ChainError` naming the first that failed.

        ``seconds`` after simulated time 0 at the earliest, but not before what has been done.
        """
        size = PER_BLOCK if self._own else FOREIGN_GAS // GAS
        for start in range(0, len(ready), size):
            part = ready[start : start + size]
            transactions = [transaction for _, transaction in part]
            self._blocks.submit(transactions, max(self._after_s, seconds))
            failed(self._blocks.rpc, [(name, transaction.hash) for name, transaction in part])


def _until(swaps: deque[Bought], time_us: int) -> list[Bought]:
    """Takes those up to a time, that included."""
    taken = []
    while swaps and swaps[0].time_us <= time_us:
        taken.append(swaps.popleft())
    return taken
