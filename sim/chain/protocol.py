"""A protocol's acts within a run's life: whether they can be, and that they are done once."""

from dataclasses import replace

from sim.chain.acts import Acts
from sim.chain.began import Began
from sim.chain.blocks import Blocks
from sim.chain.deployer import KEY_VARIABLE, treasury
from sim.chain.deployment import NAME, Deployment
from sim.chain.performing import Performance
from sim.chain.sender import Sender
from sim.chain.settlement import ChainSetup
from sim.facts import ChainError, ToolError


def check_performable(sender: Sender, deployment: Deployment | None, url: str) -> None:
    """Raises `ToolError` if a protocol's acts cannot be done on a node of somebody else's."""
    needs = f"a protocol whose acts are to be on {url} needs"
    if not sender.has_key:
        raise ToolError(f"{needs} the router's key in {KEY_VARIABLE}; or --chain anvil, none")
    if deployment is not None and deployment.treasury.lower() != treasury().address.lower():
        raise ToolError(
            f"{needs} a treasury that can give MACHINA back, {treasury().address}; found "
            f"{deployment.treasury}"
        )


def perform(
    blocks: Blocks, deployment: Deployment, acts: Acts, setup: ChainSetup, began: Began
) -> None:
    """Does a run's acts, and notes the contracts they are on; not where they were done before.

    Raises `ChainError` if one fails, or they broke off before on a node that is not ours.
    """
    if began.acts_block is not None:
        if deployment.machina:
            return
        raise ChainError(
            f"the protocol's acts broke off after block {began.acts_block} of {setup.backend}, and "
            "models cannot buy the same again: a new run does them all"
        )
    replace(began, acts_block=blocks.rpc.block().number + 1).save(setup.directory)
    done = Performance(blocks, deployment, acts, setup.genesis_unix).run()
    done.save(setup.directory / NAME)
