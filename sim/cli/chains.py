"""``telex deploy`` and ``telex node``: contracts on a user's node, and a node with contracts."""

from dataclasses import asdict
from pathlib import Path

from sim.cli.output import emit_json, people, say
from sim.cli.tables import facts


def deploy_to(url: str, fee_bps: int, out: Path, allow_remote: bool, as_json: bool) -> None:
    """Deploys to a node; prints and saves the addresses."""
    from sim.chain import Rpc, deploy

    rpc = Rpc(url, allow_remote=allow_remote)
    deployment = deploy(rpc, fee_bps)
    deployment.save(out)
    if as_json:
        emit_json({"node": url, **asdict(deployment)})
    _show(url, asdict(deployment))
    say(f"saved in {out}. Now: telex run FILE --chain {url} --deployment {out}")


def _show(url: str, deployment: dict[str, object]) -> None:
    rows = [("node", url), *((key, str(value)) for key, value in deployment.items())]
    people().print(facts("Contracts", rows))


def serve_node(port: int, fee_bps: int, out: Path | None, as_json: bool) -> None:
    """Starts an Anvil with contracts and money in its accounts; returns when interrupted."""
    from sim.chain import serve

    with serve(port, fee_bps=fee_bps) as served:
        deployment = asdict(served.deployment)
        if out is not None:
            served.deployment.save(out)
        if as_json:
            owners = [{"address": a.address, "key": f"0x{a.key.hex()}"} for a in served.accounts]
            emit_json({"node": served.url, **deployment, "accounts": owners})
        _show(served.url, deployment)
        say("Accounts with ETH and USDC, and their keys, which everybody knows:")
        for owner in served.accounts:
            say(f"{owner.address}  0x{owner.key.hex()}")
        say("Ctrl-C ends the node and forgets its chain.")
        served.wait()
