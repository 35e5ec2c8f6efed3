"""The audit of withdrawals: what agents asked for and had, by events of their vault alone."""

import numpy as np

from sim.chain.accounts import AccountKind, accounts
from sim.chain.audits.events import Source, events
from sim.chain.audits.order import compare_in_order
from sim.chain.beside import Withdrawn
from sim.chain.contracts import contract, integer
from sim.chain.deployment import Deployment
from sim.chain.funding import Vault, vault_of
from sim.chain.rpc import Rpc
from sim.chain.settlement import AuditRecord
from sim.units import Int64Array

STEPS = ("WithdrawRequested", "Withdrawn")


def agent_ids(rpc: Rpc, vault: Vault, count: int) -> Int64Array:
    """The chain's ids of a run's agents, as their vault has them."""
    asked = [
        contract(vault.contract).call("idOf", one.address)
        for one in accounts(AccountKind.AGENT, count)
    ]
    return np.array([integer(view) for view in rpc.views(vault.place, asked)], np.int64)


def withdrawal_faults(
    rpc: Rpc, deployment: Deployment, record: AuditRecord, withdrawn: Withdrawn
) -> tuple[int, list[str]]:
    """The sum of differences in micros of what agents had back, and all that is wrong in words."""
    vault = vault_of(deployment, record.rail)
    source = Source(vault.contract, vault.place, STEPS)
    last = record.last_block or rpc.block().number
    seen = list(events(rpc, (source,), record.first_block, last))
    found = {
        "agent": [each.indexed[0] for each in seen],
        "executed": [STEPS.index(each.name) for each in seen],
        "micros": [each.values[0] for each in seen],
    }
    ids = agent_ids(rpc, vault, len(record.agent_balance_micros))
    agent = ids[withdrawn.agent] if len(withdrawn.agent) else withdrawn.agent
    needed = {"agent": agent, "executed": withdrawn.executed, "micros": withdrawn.micros}
    steps = np.arange(len(agent))
    compared = compare_in_order("withdrawals", steps, found, needed, row="withdrawal")
    paid = sum(each.values[0] for each in seen if each.name == "Withdrawn")
    needed_micros = int(withdrawn.micros[withdrawn.executed == 1].sum())
    return abs(paid - needed_micros), compared.words
