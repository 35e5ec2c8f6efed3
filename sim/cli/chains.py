"""``telex deploy`` and ``telex node``: contracts on a user's node, and a node with contracts."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from sim.cli.output import emit, emit_json, people, say
from sim.cli.tables import facts
from sim.files import check_writable

if TYPE_CHECKING:
    from sim.chain.local import Document
    from sim.scenario import Scenario


def deploy_to(url: str, fee_bps: int, out: Path, allow_remote: bool, as_json: bool) -> None:
    """Deploys to a node; prints and saves the addresses."""
    from sim.chain import Rpc, deploy

    check_writable(out)  # the addresses of what is deployed must not be lost
    with Rpc(url, allow_remote=allow_remote) as rpc:
        deployment = deploy(rpc, fee_bps)
    deployment.save(out)
    if as_json:
        emit_json({"node": url, **deployment.fields()})
    _show(url, deployment.fields())
    say(f"saved in {out}. Now: telex run FILE --chain {url} --deployment {out}")


def _show(url: str, deployment: Mapping[str, object]) -> None:
    rows = [("node", url), *((key, str(value)) for key, value in deployment.items())]
    people().print(facts("Contracts", rows))


def serve_node(
    port: int, chain_id: int, block_time_s: int | None, fee_bps: int, out: Path,
    scenario: "Scenario | None", as_json: bool,
) -> None:  # fmt: skip
    """Starts an Anvil with everything a client needs; returns when interrupted.

    With a scenario its models answer the jobs that clients open.
    """
    from sim.chain import serve
    from sim.chain.local import model_miners

    models = model_miners(scenario.models, scenario.name) if scenario is not None else ()
    with serve(
        port, fee_bps=fee_bps, chain_id=chain_id, block_time_s=block_time_s, models=models
    ) as served:
        document = served.document
        document.save(out)
        if as_json:
            emit(document.model_dump_json(indent=1))
        _show_node(document)
        say(f"saved in {out}, with ABIs, miners and keys. Ctrl-C ends the node and its chain.")
        if scenario is not None:
            _serve_jobs(document, scenario, served.node.alive)
        served.wait()


def serve_attached(file: Path, scenario: "Scenario") -> None:
    """Answers the jobs of a node that runs already; returns when interrupted."""
    from sim.chain.local import load_document

    _serve_jobs(load_document(file), scenario, lambda: True)


def _serve_jobs(document: "Document", scenario: "Scenario", alive: Callable[[], bool]) -> None:
    from sim.authority import Authority
    from sim.chain import Rpc, check_there

    with Rpc(document.rpc_url) as rpc:
        check_there(rpc, document.chain_id, {"Port": document.port})
        authority = Authority(rpc, document.port, scenario)
        say(f"{scenario.name}: {len(scenario.models)} models answer the jobs of {document.port}.")
        listed = {miner.intent_id for miner in document.miners}
        for miner in authority.miners:
            if "0x" + miner.intent.hex() not in listed:
                say(f"{miner.model} is no miner of the file; its intent: 0x{miner.intent.hex()}")
        authority.run(
            alive, lambda event: say(f"job {event.job} {event.outcome.value} {event.words}")
        )


def _show_node(document: "Document") -> None:
    places = document.model_dump(exclude={"accounts", "miners", "intents", "abis", "rpc_url"})
    _show(document.rpc_url, places)
    say(f"{len(document.miners)} miners, {len(document.intents)} intents.")
    say("Accounts with ETH and USDC, and their keys, which everybody knows:")
    for owner in document.accounts:
        say(f"{owner.address}  {owner.key}  {owner.role}")
