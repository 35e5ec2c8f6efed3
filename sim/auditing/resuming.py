"""Where a run goes on that lost its node, was interrupted, or was killed."""

from pathlib import Path

from sim.auditing.asking import Place
from sim.chain.before import load_before
from sim.chain.began import load_began
from sim.chain.deployment import NAME
from sim.chain.settlement import Resumed
from sim.facts import Fault, ScenarioError
from sim.record.archive import discard, load
from sim.record.begun import Begun, load_begun
from sim.scenario import Scenario


def begin(scenario: Scenario, place: Place, directory: Path) -> None:
    """Writes down what a run is asked to do, for it to go on should it be killed."""
    given = place.deployment.absolute() if place.deployment is not None else None
    Begun(scenario=scenario, chain=place.chain, deployment=given, warp=place.warp).save(directory)


def going_on(directory: Path, *, allow_remote: bool) -> tuple[Scenario, Place]:
    """What a run directory's run was asked to do, and where on its chain it began.

    A run that was killed left no record, only what it was asked to do; if it was killed before its
    chain stood, it begins anew, but on the contracts on which some agents have their money by now.

    Raises `ScenarioError` for no run directory, or one of a run without a chain.
    """
    begun = load_begun(directory)
    if begun is None:
        saved = load(directory)
        chain = saved.manifest.chain
        if chain is None:
            fault = Fault(str(directory), "a run without a chain", "a run settled on one")
            raise ScenarioError((fault,))
        resumed = Resumed(chain.first_call, chain.first_block)
        place = Place(chain.backend, None, chain.warp, allow_remote, resumed)
        return saved.frames.scenario, place
    began = load_began(directory)
    if began is None:
        discard(directory, made=False)
        broken_off = load_before(directory) is not None
        deployment = directory / NAME if broken_off else begun.deployment
        return begun.scenario, Place(begun.chain, deployment, begun.warp, allow_remote)
    resumed = Resumed(began.first_call, began.first_block)
    place = Place(begun.chain, None, begun.warp, allow_remote, resumed)
    return begun.scenario, place
