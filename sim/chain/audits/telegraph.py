"""The audit of a protocol: what its contracts say, against what the record says they must."""

from sim.chain.accounts import TREASURY_INDEX, AccountKind, account, accounts
from sim.chain.acts import Acts
from sim.chain.audits.hired import job_faults
from sim.chain.audits.port import port_faults
from sim.chain.contracts import contract, integer
from sim.chain.deployment import Deployment
from sim.chain.hiring import NOBODY
from sim.chain.rpc import Rpc


def protocol_faults(rpc: Rpc, deployment: Deployment, acts: Acts, last: int) -> list[str]:
    """Everything in which MACHINA, its pool and the port differ from the record, in words.

    ``last`` is the run's last block.
    """
    return [
        *_balances(rpc, deployment, acts),
        *port_faults(rpc, deployment, acts, last),
        *job_faults(rpc, deployment, acts, last),
    ]


def _balances(rpc: Rpc, deployment: Deployment, acts: Acts) -> list[str]:
    models = accounts(AccountKind.MODEL, len(acts.miners))
    bought = [0] * len(models)
    for each in acts.bought:
        bought[each.model] += each.wei
    holders = accounts(AccountKind.HOLDER, len(acts.given))
    treasury = account(AccountKind.OPERATOR, TREASURY_INDEX).address
    pool = deployment.uniswap_pool or NOBODY
    needed = {
        **{owner.address: wei for owner, wei in zip(models, bought, strict=True)},
        **{owner.address: wei for owner, wei in zip(holders, acts.given, strict=True)},
        treasury: acts.treasury_wei,
        pool: acts.pool_left[1],
    }
    token = contract("USDC")
    views = [token.call("balanceOf", owner) for owner in needed]
    found = [integer(answer) for answer in rpc.views(deployment.machina, views)]
    faults = [
        f"{owner} has {has} wei of MACHINA, {wei} in the record"
        for (owner, wei), has in zip(needed.items(), found, strict=True)
        if has != wei
    ]
    supply = integer(rpc.view(deployment.machina, contract("MACHINA").call("totalSupply")))
    whole = sum(needed.values()) + acts.bonds_wei
    if supply != whole:
        faults.append(f"{supply} wei of MACHINA in all, {whole} in the record")
    dollars = integer(rpc.view(deployment.usdc, token.call("balanceOf", pool)))
    if dollars != acts.pool_left[0]:
        faults.append(f"the pool has {dollars} micros of USDC, {acts.pool_left[0]} in the record")
    return faults
