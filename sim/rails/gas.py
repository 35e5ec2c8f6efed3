"""What transactions of rails and of the port cost in gas, by the contracts' own gas tests."""

from functools import cache
from pathlib import Path

from pydantic import BaseModel


class SplitGas(BaseModel):
    """``CallHub.split``, the end of every rail that pays the hub."""

    split_base: int
    split_per_call: int
    split_per_model: int

    def split(self, calls: int, models: int) -> int:
        """One ``split`` of so many calls to so many distinct models."""
        return self.split_base + calls * self.split_per_call + models * self.split_per_model


class PaymentGas(SplitGas):
    """A payment per call to the hub, plain or by a signed authorization."""

    per_call: int


class ChannelGas(SplitGas):
    """``VoucherChannels``: claims by voucher, then one payment to the hub."""

    claim_base: int
    claim_per_voucher: int
    settle: int
    deposit: int


class JobGas(BaseModel):
    """``JobEscrow``: the three transactions of a job."""

    open: int
    deliver: int
    release: int


class DeductGas(BaseModel):
    """``CallLedger.deduct``."""

    per_call: int
    per_call_event: int


class BatchGas(DeductGas):
    """``CallLedger.settleBatch``."""

    base: int
    per_agent: int
    per_model: int


class EpochGas(BaseModel):
    """``EpochRoot.settleEpoch``."""

    base: int
    per_agent: int
    per_model: int


class PortGas(BaseModel):
    """``Port``: what a job takes of an agent, which pays in for it and opens it, and to end it.

    Registrations are of one intent; each more takes ``miner_intent``.
    """

    deposit: int
    create_job: int
    terminal: int
    register_miner: int
    update_miner: int
    deregister_miner: int
    miner_intent: int

    def registration(self, intents: int, *, replaces: bool) -> int:
        """A model's registration for so many intents: its first, or one that replaces another."""
        first = self.update_miner if replaces else self.register_miner
        return first + (intents - 1) * self.miner_intent

    @property
    def per_job(self) -> int:
        """What settles a job; paying in is none of it, as deposits are not."""
        return self.create_job + self.terminal


class Gas(BaseModel):
    """``contracts/gas.json``, which the contracts' gas tests keep true."""

    transfer: PaymentGas
    x402_exact: PaymentGas
    escrow_job: JobGas
    prepaid: DeductGas
    batch: BatchGas
    channel: ChannelGas
    epoch_root: EpochGas
    port: PortGas


@cache
def gas() -> Gas:
    """The committed gas figures of every rail, and of the port."""
    installed = Path(__file__).parents[1] / "gas.json"
    checkout = Path(__file__).parents[2] / "contracts" / "gas.json"
    return Gas.model_validate_json((installed if installed.exists() else checkout).read_bytes())


def port_gas() -> PortGas:
    """What on-chain jobs and registrations take in gas, which goes by no rail."""
    return gas().port
